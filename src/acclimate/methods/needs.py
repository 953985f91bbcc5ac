"""What a method learns from and is measured by: input, target labels, floor. Read from its facts alone."""

from __future__ import annotations

from acclimate.discovery import Component

_WORDS = {"images": "images", "features": "numbers", "text": "texts"}


def inputs(method: Component) -> str:
    """What both sides hold: `"images, numbers or texts"`."""
    if method.fact("problem") == "retrieval":
        return "sketches and photos, or numbers"
    if method.fact("problem") == "heterogeneous":
        return f"numbers, each side its own{', some columns by one name' * method.fact('by_name', False)}"
    kinds = [_WORDS[kind] for kind in method.fact("kinds", tuple(_WORDS))]
    return " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))


def target_labels(method: Component) -> str:
    """Which labels of the target's training examples it cannot do without."""
    if method.fact("problem") == "retrieval":
        return "all"
    if method.fact("needs_target_labels", False):
        return "all, and no source"
    if method.fact("problem") == "heterogeneous":
        return "a few of each class" if method.fact("needs_few_labels", True) else "none"
    if method.fact("nameless", False):
        return "none, or one of each class"
    return "none"


def floor(method: Component, kind: str) -> str:
    """The method that a method has to be better than; empty for what adapts nothing, and for an upper bound.

    That is the source alone or, where that cannot be, a few target labels alone. The source alone means the same
    network; for what is computed of texts at once, the linear model of their words.

    Args:
        method: to be compared with it.
        kind: of the inputs, as `Domain.kind` has it.
    """
    if method.fact("problem") == "heterogeneous":
        found = "nnt"
    else:
        found = "tfidf" if kind == "text" and method.base == "ClosedForm" else "source-only"
    adapts = method.fact("uses_target", True) and not method.fact("needs_target_labels", False)
    return found if adapts and method.name != found else ""


def misfit(method: Component, kind: str, *, same_columns: bool, labels: bool) -> str:
    """Why a method is none to compare with others on two sides, as the end of a sentence; empty if it is one.

    Args:
        method: in question.
        kind: of both sides' inputs, as `Domain.kind` has it.
        same_columns: whether both sides have the same features.
        labels: whether training may use labels of the target.
    """
    apart = method.fact("problem") == "heterogeneous"
    if method.fact("problem") == "retrieval":
        return "finds photos by sketch, and is no classifier"
    if kind not in method.fact("kinds", tuple(_WORDS)) or (apart and kind != "features"):
        return f"takes {inputs(method)}"
    if method.fact("problem") == "translation":
        return "is made to translate images, in a network of its own that takes long to train"
    if same_columns and method.fact("by_name", False):
        return "is for sides of different columns"
    if not (same_columns or apart):
        return "takes the same columns on both sides"
    few = apart and method.fact("needs_few_labels", True)
    if not labels and (few or method.fact("needs_target_labels", False) or method.fact("nameless", False)):
        return f"learns from target labels ({target_labels(method)}), which only --label-budget grants"
    return ""
