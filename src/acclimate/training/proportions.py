"""What the final answers say about class proportions, judged without a target label.

Nothing that needs no label can tell a target with other proportions from one whose classes are confused, except where
other proportions alone explain all that is seen. So the checks name both causes, and advise nothing that harms under
either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from acclimate.data.domain import Domain
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.metrics.classification import confusion_matrix
from acclimate.objectives.label_shift import effective_size, target_proportions, weighted_distance
from acclimate.runs.findings import Finding, findings
from acclimate.runs.record import Run
from acclimate.types import UNLABELLED, Outputs

# Answered less than this share of what the source suggests, where so many answers were to be expected. Of 209 healthy
# runs the rarest answer of all but seven lay at a third or above.
_FALLEN, _EXPECTED = 0.3, 20.0
# Half the sum of the differences of shares from which proportions are called different, and by how much adaptation
# has to bring the answers' nearer to the source's, with so many answers changed.
_DIFFERENT, _NEARER, _CHANGED = 0.15, 0.1, 0.1
# Distances of the answers' scores on both sides: one worth explaining, and what may be left of it once the source's
# classes are weighted: half at most, and no more than a third or what chance makes of samples of this size (1.36 is
# the 5 % point of Kolmogorov's distribution).
_APART, _HALF, _THIRD, _CHANCE = 0.25, 1 / 2, 1 / 3, 1.36
_SAMPLE = 50  # effective examples below which nothing is said of distributions
_MOST = 500  # examples of each side that are looked at

ASSUMED = (
    "Methods that make the two sides alike as wholes (adabn, coral, dan, dann, mcc, mcd, sa and their kin) take the "
    "proportions for equal, and do harm where they differ."
)
LABELS_TELL = (
    "Forty target labels tell: “acclimate audit” draws them, and compares it with the model without adaptation."
)


@dataclass(frozen=True, eq=False)
class Baseline:
    """What the model without adaptation made of the target's training examples.

    Attributes:
        answers: `(n,)`, in stored order.
        proportions_differ: whether its own checks found that other class proportions explain its answers.
    """

    answers: np.ndarray
    proportions_differ: bool = False


@dataclass(frozen=True, eq=False)
class Mix:
    """Class shares on both sides as a model sees them.

    Attributes:
        labels: `(k,)` of the source's labels.
        answers: `(k,)` of the answers on the target.
        n: how many answers.
        estimated: `(k,)` the target's proportions, if its classes look as the source's do.
        apart: largest distance between the two sides' scores for a class.
        left: the same with the source's classes weighted to `estimated`.
        chance: what of it chance explains.
        effective: how many examples the weighted source is worth.
    """

    labels: np.ndarray
    answers: np.ndarray
    n: int
    estimated: np.ndarray
    apart: float
    left: float
    chance: float
    effective: float

    @property
    def explained(self) -> bool:
        """Whether other proportions alone make of the source what is seen of the target."""
        return (
            distance(self.estimated, self.labels) >= _DIFFERENT
            and min(self.effective, self.n) >= _SAMPLE
            and self.apart >= _APART
            and self.left <= _HALF * self.apart
            and self.left <= max(_THIRD * self.apart, self.chance)
        )


def mix(labels: np.ndarray, source: np.ndarray, source_labels: np.ndarray, target: np.ndarray) -> Mix:
    """Compare what a model says on both sides.

    Args:
        labels: `(k,)` counts of the source's labels.
        source: logits `(m, k)` on source examples, best on ones that were not trained on.
        source_labels: their classes `(m,)`.
        target: logits `(n, k)`.
    """
    k = len(labels)
    counts = np.bincount(target.argmax(axis=1), minlength=k)
    confusion = confusion_matrix(source.argmax(axis=1), source_labels, k)
    estimated = target_proportions(confusion, counts)
    there = np.bincount(source_labels, minlength=k) / len(source_labels)
    weights = (estimated / np.maximum(there, 1e-12))[source_labels]
    weights = weights if weights.any() else np.ones(len(source_labels))
    ours, theirs = _log_softmax(source), _log_softmax(target)

    def far(w: np.ndarray) -> float:
        return max(weighted_distance(ours[:, c], w, theirs[:, c]) for c in range(k))

    effective = effective_size(weights)
    chance = _CHANCE * float(np.sqrt(1 / effective + 1 / len(target)))
    apart, left = far(np.ones(len(source_labels))), far(weights)
    return Mix(labels / labels.sum(), counts / len(target), len(target), estimated, apart, left, chance, effective)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """In double precision."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def distance(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation of two distributions over classes, in [0, 1]: half the sum of the differences."""
    return float(np.abs(p - q).sum() / 2)


def proportions(step: int, seen: Mix, classes: Sequence[str]) -> Finding | None:
    """Other class proportions, and nothing else, would make the source's answers look like the target's."""
    if not seen.explained:
        return None
    c = int(np.abs(seen.estimated - seen.labels).argmax())
    risen = classes[int((seen.estimated - seen.labels).argmax())]
    return Finding(
        "proportions",
        step,
        "warning",
        f"Other class proportions alone would explain what the model says of the target: some "
        f"{_percent(seen.estimated[c])} of “{classes[c]}” ({_percent(seen.labels[c])} of the source). With the "
        f"source weighted so, its scores lie {seen.left:.2f} from the target's; as it is, {seen.apart:.2f}.",
        f"If you know the proportions to be equal, then all the target looks more like “{risen}”, which can seem the "
        f"same. If not, beware: {ASSUMED} {LABELS_TELL}",
    )


def fallen(step: int, seen: Mix, classes: Sequence[str]) -> Finding | None:
    """Classes that are answered far less often than the source suggests."""
    expected = seen.labels * seen.n
    low = np.flatnonzero((expected >= _EXPECTED) & (seen.answers < _FALLEN * seen.labels)).tolist()
    if not low:
        return None
    named = ", ".join(
        f"“{classes[c]}” fell from {_percent(seen.labels[c])} of the source to {_percent(seen.answers[c])}"
        for c in low
    )
    return Finding(
        "class-shares",
        step,
        "warning",
        f"Among the answers on the target the share of {named}: either the target has so few of them, or they are "
        "taken for others there.",
        f"Look at the examples with the highest probability of such a class. {LABELS_TELL} If they are missed, "
        "weights=balanced makes small classes count in training. "
        f"{ASSUMED}",
    )


def restored(
    step: int, labels: np.ndarray, answers: np.ndarray, baseline: Baseline, classes: Sequence[str]
) -> Finding | None:
    """Answers that adaptation has made as frequent as in the source, where without it they were not.

    Args:
        step: now.
        labels: `(k,)` shares of the source's labels.
        answers: `(n,)` on the target, of the adapted model.
        baseline: what the model without adaptation answered there.
        classes: names.
    """
    k = len(labels)
    own, before = (np.bincount(a, minlength=k) / len(a) for a in (answers, baseline.answers))
    far, near = distance(before, labels), distance(own, labels)
    changed = float((answers != baseline.answers).mean())
    if far < _DIFFERENT or far - near < _NEARER or changed < _CHANGED:
        return None
    c = int((np.abs(before - labels) - np.abs(own - labels)).argmax())
    sentence = (
        f"Adaptation changed {_percent(changed)} of the answers and made their shares more like the source's: that "
        f"of “{classes[c]}” went from {_percent(before[c])} to {_percent(own[c])} ({_percent(labels[c])} of the "
        "source). "
    )
    if baseline.proportions_differ:
        return Finding(
            "shares-restored",
            step,
            "warning",
            f"{sentence}But other proportions alone would explain the answers without adaptation.",
            "Unless you know the proportions to be equal, this does harm: rather use the model without adaptation. "
            f"{LABELS_TELL}",
        )
    return Finding(
        "shares-restored",
        step,
        "question",
        f"{sentence}That is right if the target's proportions are the source's, and wrong if they differ. {ASSUMED}",
        f"Nothing without labels tells which. {LABELS_TELL}",
    )


def answers_are_judged(method: Method, source: Domain, target: Domain) -> bool:
    """Whether a method's answers on both sides can be compared: of one classifier that names the source's classes."""
    if not len(source):
        return False
    if method.problem in ("heterogeneous", "retrieval") or needs.takes_target_labels(method):
        return False
    return needs.names_classes(method, target.num_labelled)


def judged(
    outputs: Callable[[Domain, str], Outputs],
    held_out: Domain,
    source: Domain,
    target: Domain,
    baseline: Baseline | None,
    step: int,
) -> dict[str, Finding | None]:
    """What the checks of the final answers find, by kind; None where they find nothing.

    Args:
        outputs: what the model says about a domain of a role.
        held_out: source examples to judge by, with labels.
        source: those trained on.
        target: its labels are not read.
        baseline: what the model without adaptation answers, if there is one.
        step: now.
    """
    known = held_out.take(_rows(np.flatnonzero(held_out.labels != UNLABELLED)))
    rows = _rows(np.arange(len(target)))
    ours, theirs = outputs(known, "source").logits, outputs(target.take(rows), "target").logits
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return {}
    seen = mix(source.class_counts[: ours.shape[1]], ours, known.labels, theirs)
    classes = source.classes
    found = {"proportions": proportions(step, seen, classes), "class-shares": fallen(step, seen, classes)}
    if baseline is not None and len(baseline.answers) == len(target):
        before = Baseline(baseline.answers[rows], baseline.proportions_differ)
        found["shares-restored"] = restored(step, seen.labels, theirs.argmax(axis=1), before, classes)
    return found


def _rows(rows: np.ndarray) -> np.ndarray:
    """At most `_MOST` of them, always the same ones; drawn, as data are often sorted by class."""
    return rows if len(rows) <= _MOST else rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:_MOST])]


def baseline_of(run: Run) -> Baseline | None:
    """What a run's baseline answers on the target's training examples; None without a finished one."""
    before = run.baseline
    if before is None or before.summary is None or not before.predictions_path.is_file():
        return None
    classes = {name: number for number, name in enumerate(before.config["task"]["classes"])}
    table = pl.read_parquet(before.predictions_path, columns=["split", "row", "predicted"])
    answers = table.filter(pl.col("split") == "target").sort("row")["predicted"]
    kinds = [finding.kind for finding in findings(before.metrics()) if finding.until is None]
    return Baseline(np.array([classes[name] for name in answers], dtype=np.int64), "proportions" in kinds)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
