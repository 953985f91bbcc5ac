"""An audit: a few target examples are labelled to learn how often models are right, and which one to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acclimate.errors import DataError, RequestError
from acclimate.selection.design import Sample, draw
from acclimate.selection.intervals import stratified_interval, stratified_mean

# Fewer than that are quicker labelled than sampled from, or tell next to nothing.
FEWEST_EXAMPLES, FEWEST_ITEMS = 30, 10
# A model is taken over the first only where so sure an interval of its gain lies above 0.
GUARD = 0.6
_RIGHT, _DIFFERENCES = (0.0, 1.0), (-1.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the ends of its 95 % interval; fractions, differences of fractions where it is a gain."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Audit:
    """Which examples to label, of those that K models have answered.

    Attributes:
        predicted: `(K, N)` class indices that the models answered.
        sample: the examples that were chosen, and how.

    With `rows` labelled, `accuracy`, `gain` and `best` say what the labels tell of all N. These hold for any models
    whatever: that the examples were drawn with known probabilities is all that they rest on.
    """

    predicted: np.ndarray
    sample: Sample

    @classmethod
    def choose(cls, *probabilities: np.ndarray, items: int = 40, seed: int = 0) -> Audit:
        """Choose examples to label; see `selection.design.draw`.

        Args:
            probabilities: of each model, `(n, k)` class probabilities on the same examples. The first is the one to
                keep when in doubt, such as that of source-only.
            items: how many examples, from 10 to n.
            seed: of the draw.

        Raises:
            RequestError: if no estimate could come of it: fewer than 30 examples, one class, answers of different
                shape, or `items` out of range.
        """
        _check_shapes(probabilities)
        answers = np.stack([p.argmax(axis=1) for p in probabilities])
        return cls.of_answers(answers, np.stack([p.max(axis=1) for p in probabilities]), items=items, seed=seed)

    @classmethod
    def of_answers(cls, predicted: np.ndarray, confidence: np.ndarray, *, items: int = 40, seed: int = 0) -> Audit:
        """As `choose`, by answers `(K, N)` as class indices, and how sure they are, `(K, N)` in [0, 1]."""
        n = predicted.shape[1]
        if n < FEWEST_EXAMPLES:
            fix = "Label them all and run “acclimate evaluate”: of so few, a sample tells too little."
            raise RequestError("the target", f"must have at least {FEWEST_EXAMPLES} examples to audit", n, fix)
        if not FEWEST_ITEMS <= items <= n:
            fix = "40 are a good start; four times as many halve the interval."
            raise RequestError("items", f"must be from {FEWEST_ITEMS} to {n:,}, the examples there are", items, fix)
        return cls(predicted, draw(predicted, confidence, items, seed))

    @property
    def rows(self) -> np.ndarray:
        """`(items,)` the examples to label, in the order in which to ask."""
        return self.sample.rows

    def accuracy(self, labels: np.ndarray, model: int = 0) -> Estimate:
        """How often a model is right on all N examples.

        Args:
            labels: `(items,)` true classes of `rows`, in their order; a class no model knows may have any other
                number than theirs, 0 or above.
            model: which of the models.

        Raises:
            DataError: if an example is without a label.
        """
        right = self._right(labels)[model].astype(int)
        return self._estimate(self._counts(right, _RIGHT), _RIGHT)

    def gain(self, labels: np.ndarray, model: int, over: int = 0) -> Estimate:
        """By how much a model's accuracy is above that of another; arguments as for `accuracy`."""
        right = self._right(labels).astype(int)
        return self._gain(right[model], right[over])

    def best(self, labels: np.ndarray) -> int:
        """The model to take: that whose gain has the highest 60 % interval, if that lies above 0; else the first.

        Of two as good, the one that is surer to be better is taken, and none that may well be worse than the first.

        Raises:
            DataError: if an example is without a label.
        """
        right = self._right(labels).astype(int)
        low = [self._gain(one, right[0], GUARD).low for one in right]
        best = int(np.argmax(low))
        return best if low[best] > 0 else 0

    def _right(self, labels: np.ndarray) -> np.ndarray:
        labels = np.asarray(labels)
        if labels.shape != self.rows.shape or (labels < 0).any():
            known = int((labels >= 0).sum()) if labels.shape == self.rows.shape else f"shape {labels.shape}"
            fix = (
                "Label the others too: what is left out may be what is hard, so accuracy cannot be told without them."
            )
            raise DataError("labels", f"must be those of all {len(self.rows)} rows of the audit", known, fix)
        return np.asarray(self.predicted[:, self.rows] == labels)

    def _gain(self, right: np.ndarray, over: np.ndarray, confidence: float = 0.95) -> Estimate:
        """Of whether two models are right; where all models answer alike there is nothing to gain, seen or not."""
        counts, sample = self._counts(right - over, _DIFFERENCES), self.sample
        counts[sample.agreed] = np.outer(sample.sizes[sample.agreed], (0, 1, 0))
        return self._estimate(counts, _DIFFERENCES, confidence)

    def _counts(self, values: np.ndarray, support: Sequence[float]) -> np.ndarray:
        """How often `(H, S)` each value was met in each stratum."""
        counts = np.zeros((len(self.sample.sizes), len(support)))
        np.add.at(counts, (self.sample.strata, np.searchsorted(support, values)), 1)
        return counts

    def _estimate(self, counts: np.ndarray, support: tuple[float, ...], confidence: float = 0.95) -> Estimate:
        sizes = self.sample.sizes
        low, high = stratified_interval(counts, sizes, support, confidence)
        return Estimate(float(stratified_mean(counts, sizes, support)), float(low), float(high))


def _check_shapes(probabilities: Sequence[np.ndarray]) -> None:
    shapes = [np.shape(p) for p in probabilities]
    if not shapes or len(set(shapes)) > 1 or len(shapes[0]) != 2:
        fix = "Give one array for each model, as predict_proba returns it."
        raise RequestError("probabilities", "must be arrays of one shape (n, k)", shapes, fix)
    if shapes[0][1] < 2:
        fix = "With one class there is nothing to be right or wrong about."
        raise RequestError("probabilities", "must be of two classes at least", shapes[0][1], fix)
