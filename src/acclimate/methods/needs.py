"""What a method learns from, in words: the kind of input, and which target labels. Read from its facts alone."""

from __future__ import annotations

from acclimate.discovery import Component

_WORDS = {"images": "images", "features": "numbers", "text": "texts"}


def inputs(method: Component) -> str:
    """What both sides hold: `"images, numbers or texts"`."""
    if method.fact("retrieves", False):
        return "sketches and photos, or numbers"
    if method.fact("heterogeneous", False):
        return f"numbers, each side its own{', some columns by one name' * method.fact('by_name', False)}"
    kinds = [_WORDS[kind] for kind in method.fact("kinds", tuple(_WORDS))]
    return " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))


def target_labels(method: Component) -> str:
    """Which labels of the target's training examples it cannot do without."""
    if method.fact("retrieves", False):
        return "all"
    if method.fact("needs_target_labels", False):
        return "all, and no source"
    if method.fact("heterogeneous", False):
        return "a few of each class" if method.fact("needs_few_labels", True) else "none"
    if method.fact("nameless", False):
        return "none, or one of each class"
    return "none"
