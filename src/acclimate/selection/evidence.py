"""What trained runs showed without a single target label: all that a choice or an estimate may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from acclimate.errors import DataError, RequestError
from acclimate.selection.scores.confidence import average_confidence, temperature
from acclimate.selection.scores.structure import clusters

# With fewer target examples nothing is said.
LEAST_TARGET = 30


@dataclass(frozen=True)
class Calibration:
    """What a model says of source examples that it was not trained on, in four numbers.

    Attributes:
        n: how many examples there are; the others are NaN, and the temperature 1, where there are none.
        accuracy: share of right answers.
        confidence: mean confidence, at `temperature`.
        temperature: the one that calibrates the scores.
    """

    n: int
    accuracy: float
    confidence: float
    temperature: float


def calibrated(scores: np.ndarray, labels: np.ndarray) -> Calibration:
    """The four numbers of logits `(n, k)` and classes `(n,)`."""
    if not len(labels):
        return Calibration(0, float("nan"), float("nan"), 1.0)
    t = temperature(scores, labels)
    return Calibration(len(labels), float((scores.argmax(axis=1) == labels).mean()), average_confidence(scores, t), t)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one trained run showed.

    Scores that are not finite count as a run that diverged.

    Attributes:
        source_labels: `(n,)` classes of source examples that were not trained on; n = 0 where none were set aside.
        source_scores: `(n, k)` logits on these, k ≥ 2.
        target_scores: `(m, k)` logits on the target, m ≥ 1, always of the same examples in the same order.
        source_features: `(n, d)` features of the same source examples, if known.
        target_features: `(r, d)` features of target examples, if known, r ≤ m.
        feature_rows: `(r,)` which of the m these are of; by default all, in their order.
        diverged: whether training did, or the answers collapsed.
        seed: the run's.
        calibration: what the source examples came to, where they are not at hand; by default what they come to.

    Raises:
        DataError: if shapes do not fit one another, or a label is no class.
    """

    source_labels: np.ndarray
    source_scores: np.ndarray
    target_scores: np.ndarray
    source_features: np.ndarray | None = None
    target_features: np.ndarray | None = None
    feature_rows: np.ndarray | None = None
    diverged: bool = False
    seed: int | None = None
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        scores = self.target_scores
        if scores.ndim != 2 or scores.shape[1] < 2 or not len(scores):
            _refuse("target_scores", "must be (m, k), of m ≥ 1 examples and k ≥ 2 classes", scores)
        n, k = len(self.source_labels), scores.shape[1]
        if self.source_scores.shape != (n, k):
            _refuse(
                "source_scores", f"must be ({n}, {k}), as source_labels and target_scores are", self.source_scores
            )
        if self.source_labels.ndim != 1 or (n and not 0 <= self.source_labels.min() <= self.source_labels.max() < k):
            raise DataError(
                "source_labels",
                f"must be (n,), classes from 0 to {k - 1}",
                f"values from {self.source_labels.min()} to {self.source_labels.max()}",
                "Leave out source examples without a label.",
            )
        self._check_features()

    def _check_features(self) -> None:
        m, rows = len(self.target_scores), self.rows
        if rows.ndim != 1 or (len(rows) and not 0 <= rows.min() <= rows.max() < m):
            _refuse("feature_rows", f"must be (r,), places from 0 to {m - 1}", rows)
        for name, features, length in (
            ("source_features", self.source_features, len(self.source_labels)),
            ("target_features", self.target_features, len(rows)),
        ):
            if features is not None and (features.ndim != 2 or len(features) != length):
                _refuse(name, f"must be ({length}, d), one row for each of its examples", features)

    @property
    def num_classes(self) -> int:
        """k, how many classes there are."""
        return int(self.target_scores.shape[1])

    @cached_property
    def failed(self) -> bool:
        """Whether the run diverged, by its own word or by scores or features that are not finite."""
        seen = (self.target_scores, self.source_scores, self.target_features)
        return self.diverged or not all(np.isfinite(array).all() for array in seen if array is not None)

    @cached_property
    def of_source(self) -> Calibration:
        """What the source examples come to."""
        return self.calibration or calibrated(self.source_scores, self.source_labels)

    @property
    def temperature(self) -> float:
        """The one that calibrates the scores on the source examples; 1 where there are none."""
        return self.of_source.temperature

    @cached_property
    def answers(self) -> np.ndarray:
        """`(m,)` the classes that the target's examples are answered."""
        return np.asarray(self.target_scores.argmax(axis=1))

    @cached_property
    def rows(self) -> np.ndarray:
        """`(r,)` which target examples the features are of."""
        return np.arange(len(self.target_scores)) if self.feature_rows is None else self.feature_rows

    @cached_property
    def clusters(self) -> np.ndarray:
        """`(r,)` the clusters of the target's features, as many as there are classes; none where they are unknown."""
        if self.target_features is None or not len(self.rows):
            return np.zeros(0, dtype=np.int64)
        return clusters(self.target_features, self.num_classes)

    @property
    def source_accuracy(self) -> float:
        """Share of the source examples that is answered rightly; NaN where there are none."""
        return self.of_source.accuracy


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to train, as one or more runs that differ in their seeds alone.

    Attributes:
        name: tells it from the others.
        copies: what each run showed, on the same target examples and with the same classes.
        method: the method's name, for those whose candidates have others; by default `name`.

    Raises:
        RequestError: if there is no copy, or the copies are not of one task.
    """

    name: str
    copies: tuple[Evidence, ...]
    method: str = ""

    def __post_init__(self) -> None:
        if not self.copies:
            fix = "Give what at least one run showed."
            raise RequestError(f"the candidate {self.name!r}", "must have a copy", "none", fix)
        shapes = sorted({copy.target_scores.shape for copy in self.copies})
        if len(shapes) > 1:
            raise RequestError(
                f"the copies of {self.name!r}",
                "must answer the same target examples, in the same classes",
                f"target_scores of {' and '.join(map(str, shapes))}",
                "Give runs of one task as copies.",
            )
        if not self.method:
            object.__setattr__(self, "method", self.name)

    @property
    def sound(self) -> tuple[Evidence, ...]:
        """The copies that did not diverge."""
        return tuple(copy for copy in self.copies if not copy.failed)


def check_candidates(candidates: tuple[Candidate, ...], baseline: str) -> None:
    """Let pass candidates of one task with different names, among them the baseline.

    Raises:
        RequestError: if the baseline is missing, a name is there twice, or the tasks differ.
    """
    names = [candidate.name for candidate in candidates]
    if baseline not in names:
        listed = ", ".join(map(repr, names)) or "none"
        raise RequestError(
            "baseline", "must be one of the candidates", f"{baseline!r} beside {listed}", "Train it too."
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        fix = "Give runs that differ in their seed alone as copies of one candidate."
        raise RequestError("the candidates", "must have different names", f"{twice[0]!r} twice", fix)
    shapes = {candidate.copies[0].target_scores.shape: candidate.name for candidate in candidates}
    if len(shapes) > 1:
        (one, name), (two, other), *_ = shapes.items()
        raise RequestError(
            "the candidates",
            "must answer the same target examples, in the same classes",
            f"target_scores of {one} by {name!r} and of {two} by {other!r}",
            "Choose between runs of one task.",
        )


def _refuse(name: str, rule: str, got: np.ndarray) -> None:
    raise DataError(name, rule, f"shape {got.shape}", "Give scores and features row by row, as models put them out.")
