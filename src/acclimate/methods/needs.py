"""What follows from a method's facts, of a class that was found or of one at hand: input, target labels, baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate.discovery import Component
from acclimate.methods.facts import FEW, LABELS, SHARED, SOURCE, WHOLE, Facts

Known = Component | Facts
_WORDS = {"images": "images", "features": "numbers", "text": "texts"}
_PUNCTUATION = "!"
# What stands in for the source alone, where that cannot be: a few target labels alone, or a threshold upon it.
_BASELINES = {"heterogeneous": "nnt", "open-set": "threshold", "regression": "regression-source-only"}


def _stated(method: Known, fact: str) -> Any:
    """A fact, as the class body has it or else by default."""
    return method.fact(fact, getattr(Facts, fact)) if isinstance(method, Component) else getattr(method, fact)


def kinds(method: Known) -> tuple[str, ...]:
    """The kinds of input it is made for, as `Domain.kind` has them."""
    return tuple(_stated(method, "reads"))


def seen(kind: str, options: Mapping[str, Any]) -> str:
    """The kind of input that a method is given: texts may be turned into numbers first.

    Args:
        kind: of the data, as `Domain.kind` has it.
        options: of training, as far as they were set.
    """
    return "features" if kind == "text" and options.get("text_features") else kind


def only_network(method: Known) -> str | None:
    """The one architecture it is made for; None if any classifier's will do."""
    return next((how["network"] for how in _stated(method, "reads").values() if "network" in how), None)


def punctuation(method: Known) -> str:
    """The punctuation that it reads as words in texts."""
    return str(_stated(method, "reads").get("text", {}).get("punctuation", _PUNCTUATION))


def takes_target(method: Known) -> bool:
    """Whether it looks at any example of the target."""
    return any(part not in (SOURCE, SHARED, WHOLE) for part in _stated(method, "learns_from"))


def takes_target_labels(method: Known) -> bool:
    """Whether it cannot do without whatever labels of the target there are."""
    return LABELS in _stated(method, "learns_from")


def takes_few_labels(method: Known) -> bool:
    """Whether each class needs a labelled example of the target."""
    return FEW in _stated(method, "learns_from")


def takes_shared_columns(method: Known) -> bool:
    """Whether both sides need a column of one name."""
    return SHARED in _stated(method, "learns_from")


def adapts(method: Known) -> bool:
    """Whether it learns from the target but not from all of its labels: it is none of the two bounds."""
    return takes_target(method) and not takes_target_labels(method)


def names_classes(method: Known, labelled: int) -> bool:
    """Whether its answers are classes, and not groups without a name, with so many target labels."""
    return labelled > 0 or not _stated(method, "clusters")


def weighs_classes(method: Known) -> bool:
    """Whether labels may count otherwise than each alike."""
    return bool(_stated(method, "weighs_classes"))


def takes_batches_whole(method: Known) -> bool:
    """Whether parts of a batch, in several processes, make another loss than the batch."""
    return bool(_stated(method, "batch_statistics"))


def takes_all_at_once(method: Known) -> bool:
    """Whether it holds something of every example at once, which a table larger than memory does not allow."""
    if isinstance(method, Component) and method.base == "ClosedForm":
        return True
    return WHOLE in _stated(method, "learns_from")


def readable(method: Component) -> tuple[str, ...]:
    """The kinds of input it can be given, on one side at least: as `kinds`, but for problems that narrow them."""
    if _stated(method, "problem") == "retrieval":
        return ("images", "features")
    return ("features",) if _stated(method, "problem") == "heterogeneous" else kinds(method)


def inputs(method: Component) -> str:
    """What both sides hold: `"images, numbers or texts"`."""
    if _stated(method, "problem") == "retrieval":
        return "sketches and photos, or numbers"
    if _stated(method, "problem") == "heterogeneous":
        return f"numbers, each side its own{', some columns by one name' * takes_shared_columns(method)}"
    words = [_WORDS[kind] for kind in kinds(method)]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def target_labels(method: Component) -> str:
    """Which labels of the target's training examples it cannot do without."""
    if _stated(method, "problem") == "retrieval":
        return "all"
    if takes_target_labels(method):
        return "all, and no source"
    if takes_few_labels(method):
        return "a few of each class"
    return "none" if names_classes(method, 0) else "none, or one of each class"


def baseline(method: Component, kind: str) -> str:
    """The method that a method has to be better than; empty for what adapts nothing, and for an upper bound.

    That is the source alone or, where that cannot be, a few target labels alone; where answers may be `unknown`, the
    source alone with a threshold. The source alone means the same network; for what is computed of texts at once, the
    linear model of their words.

    Args:
        method: to be compared with it.
        kind: of the inputs, as `Domain.kind` has it.
    """
    alone = "tfidf" if kind == "text" and method.base == "ClosedForm" else "source-only"
    found = _BASELINES.get(_stated(method, "problem"), alone)
    return found if adapts(method) and method.name != found else ""


def baseline_with_labels(method: Component, kind: str) -> str:
    """As `baseline`; empty too where that would need labels that the method does without."""
    if _stated(method, "problem") == "heterogeneous" and not takes_few_labels(method):
        return ""
    return baseline(method, kind)


def misfit(method: Component, kind: str, *, same_columns: bool, labels: bool) -> str:
    """Why a method is none to compare with others on two sides, as the end of a sentence; empty if it is one.

    Args:
        method: in question.
        kind: of both sides' inputs, as `Domain.kind` has it.
        same_columns: whether both sides have the same features.
        labels: whether training may use labels of the target.
    """
    apart = _stated(method, "problem") == "heterogeneous"
    if _stated(method, "problem") == "retrieval":
        return "finds photos by sketch, and is no classifier"
    if kind not in kinds(method) or (apart and kind != "features"):
        return f"takes {inputs(method)}"
    if _stated(method, "problem") == "open-set":
        return "answers `unknown`, which the others cannot"
    if _stated(method, "problem") == "several-sources":
        return "takes several sources"
    if _stated(method, "problem") == "regression":
        return "predicts numbers, and names no class"
    if _stated(method, "problem") == "partial":
        return "is for targets that lack some of the source's classes"
    if _stated(method, "problem") == "translation":
        return "is made to translate images, in a network of its own that takes long to train"
    if same_columns and takes_shared_columns(method):
        return "is for sides of different columns"
    if not (same_columns or apart):
        return "takes the same columns on both sides"
    without = takes_few_labels(method) or takes_target_labels(method) or not names_classes(method, 0)
    if not labels and without:
        return f"learns from target labels ({target_labels(method)}), which only --label-budget grants"
    return ""
