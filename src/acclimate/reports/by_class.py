"""What accuracy hides where classes differ in size: each class's recall, and means in which classes count alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acclimate.metrics.classification import balanced_accuracy, macro_f1, recalls, uneven
from acclimate.reports.answers import Answers, Model
from acclimate.reports.wording import percent, points

# A class of which less is found than this is worth the first line.
_HALF = 0.5
# Of classes with fewer examples than this, a recall is next to no number.
_FEW = 5


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One line of the table by class; recalls are fractions, None where there is nothing to count."""

    number: int
    name: str
    examples: int
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Evened:
    """Scores in which every class counts alike, as fractions.

    Attributes:
        balanced_accuracy: mean recall of the classes.
        macro_f1: mean F1 of the classes.
    """

    balanced_accuracy: float
    macro_f1: float


def class_rows(answers: Answers) -> list[ClassRow]:
    """Recall of each class before and after; empty where no label is known."""
    if answers.num_known == 0:
        return []
    k = len(answers.classes)
    examples = np.bincount(answers.labels[answers.known], minlength=k)
    after, before = _recalls(answers, answers.after), _recalls(answers, answers.before)
    return [ClassRow(i + 1, name, int(examples[i]), before[i], after[i]) for i, name in enumerate(answers.classes)]


def _recalls(answers: Answers, model: Model | None) -> list[float | None]:
    if model is None:
        return [None] * len(answers.classes)
    found = recalls(answers.confusion(model))
    return [None if np.isnan(share) else float(share) for share in found]


def classes_finding(rows: Sequence[ClassRow], most: int = 3) -> str:
    """The classes that adaptation helped and hurt most; empty without a comparison."""
    changes = [(row.after - row.before, row.name) for row in rows if row.after is not None and row.before is not None]
    gained = [f"“{name}” ({points(change)})" for change, name in sorted(changes, reverse=True)[:most] if change > 0]
    lost = [f"“{name}” ({points(change)})" for change, name in sorted(changes)[:most] if change < 0]
    parts = [f"{what}: {', '.join(names)}" for what, names in (("gained most", gained), ("lost most", lost)) if names]
    return f"In percentage points, {'; '.join(parts)}." if parts else ""


def evened(answers: Answers, model: Model) -> Evened:
    """A model's scores in which every class counts alike; NaN where no label is known."""
    counts = answers.confusion(model)
    return Evened(balanced_accuracy(counts), macro_f1(counts))


def is_uneven(answers: Answers) -> bool:
    """Whether accuracy speaks mostly of the larger classes among the examples whose label is known."""
    return uneven(np.bincount(answers.labels[answers.known], minlength=len(answers.classes)))


def missed(answers: Answers) -> str:
    """The class that is found least, for a headline: where classes differ in size, and less than half of it is."""
    if not is_uneven(answers):
        return ""
    rows = [row for row in class_rows(answers) if row.after is not None and row.examples >= _FEW]
    worst = min(rows, key=lambda row: row.after or 0.0, default=None)
    if worst is None or worst.after is None or worst.after >= _HALF:
        return ""
    return f"; of “{worst.name}” {percent(worst.after)} are found"


def unevenness(answers: Answers) -> list[str]:
    """What to know beside the accuracy where classes differ in size; empty where they hardly do."""
    if not is_uneven(answers):
        return []
    rows = sorted((row for row in class_rows(answers) if row.examples), key=lambda row: row.examples)
    small, large = rows[0], rows[-1]
    sizes = f"{large.examples:,} of “{large.name}” and {small.examples:,} of “{small.name}”"
    sentence = (
        f"Classes differ in size, {sizes}, so accuracy speaks mostly of the larger ones. With every class counting "
        f"alike: {_alike(answers, answers.after)}"
    )
    if answers.before is not None:
        sentence += f"; without adaptation {_alike(answers, answers.before)}"
    return [f"{sentence}."]


def _alike(answers: Answers, model: Model) -> str:
    scores = evened(answers, model)
    return f"balanced accuracy {percent(scores.balanced_accuracy)}, macro F1 {percent(scores.macro_f1)}"
