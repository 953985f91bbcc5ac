"""What trained runs showed without a single target label: all that a choice or an estimate may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from acclimate.errors import DataError, RequestError
from acclimate.selection.scores.confidence import temperature

# With fewer target examples nothing is said.
LEAST_TARGET = 30


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one trained run showed.

    Scores that are not finite count as a run that diverged.

    Attributes:
        source_labels: `(n,)` classes of source examples that were not trained on; n = 0 where none were set aside.
        source_scores: `(n, k)` logits on these, k ≥ 2.
        target_scores: `(m, k)` logits on the target, m ≥ 1, always of the same examples in the same order.
        source_features: `(n, d)` features of the same source examples, if known.
        target_features: `(m, d)` features of the same target examples, if known.
        diverged: whether training did, or the answers collapsed.
        seed: the run's.

    Raises:
        DataError: if shapes do not fit one another, or a label is no class.
    """

    source_labels: np.ndarray
    source_scores: np.ndarray
    target_scores: np.ndarray
    source_features: np.ndarray | None = None
    target_features: np.ndarray | None = None
    diverged: bool = False
    seed: int | None = None

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
        for name, features, length in (
            ("source_features", self.source_features, n),
            ("target_features", self.target_features, len(scores)),
        ):
            if features is not None and (features.ndim != 2 or len(features) != length):
                _refuse(name, f"must be ({length}, d), one row for each of its examples", features)

    @property
    def num_classes(self) -> int:
        """k, how many classes there are."""
        return int(self.target_scores.shape[1])

    @cached_property
    def failed(self) -> bool:
        """Whether the run diverged, by its own word or by scores that are not finite."""
        return self.diverged or not (np.isfinite(self.target_scores).all() and np.isfinite(self.source_scores).all())

    @cached_property
    def temperature(self) -> float:
        """The one that calibrates the scores on the source examples; 1 where there are none."""
        return temperature(self.source_scores, self.source_labels) if len(self.source_labels) else 1.0

    @cached_property
    def answers(self) -> np.ndarray:
        """`(m,)` the classes that the target's examples are answered."""
        return np.asarray(self.target_scores.argmax(axis=1))

    @cached_property
    def source_accuracy(self) -> float:
        """Share of the source examples that is answered rightly; NaN where there are none."""
        right = self.source_scores.argmax(axis=1) == self.source_labels
        return float(right.mean()) if len(right) else float("nan")


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


def check_candidates(candidates: tuple[Candidate, ...], floor: str) -> None:
    """Let pass candidates of one task with different names, among them the floor.

    Raises:
        RequestError: if the floor is missing, a name is there twice, or the tasks differ.
    """
    names = [candidate.name for candidate in candidates]
    if floor not in names:
        listed = ", ".join(map(repr, names)) or "none"
        raise RequestError("floor", "must be one of the candidates", f"{floor!r} beside {listed}", "Train it too.")
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
