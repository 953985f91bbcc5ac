"""Class proportions of a target without labels, by two estimates with intervals, and what these rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acclimate.metrics.classification import confusion_matrix
from acclimate.objectives.label_shift import likely_of_samples, likely_proportions, target_proportions
from acclimate.selection.source_model import SourceModel

REPEATS = 200
# A matrix of mistakes that is worse conditioned than this says little of proportions.
ILL = 10.0
_MIX, _LEVELS = 0.1, (0.025, 0.975)
_AT_ONCE = 2**21  # numbers of bootstrap samples in memory
# Half the sum of differences below which proportions count as equal.
_SLIGHT = 0.05
# A class is taken for missing where so many examples were to be met and at most this share of them can be there.
_EXPECTED, _LEFT = 10.0, 0.15


@dataclass(frozen=True, eq=False)
class Proportions:
    """Class proportions `(k,)` of the target, if its classes look as they do in the source.

    Attributes:
        source: shares of the source's labels.
        likely: by maximum likelihood (MLLS), with `low` and `high` of its 95 % interval.
        low: lower ends.
        high: upper ends.
        confusion: by the matrix of mistakes (BBSE), with `confusion_low` and `confusion_high`.
        confusion_low: lower ends.
        confusion_high: upper ends.
        condition: largest by smallest singular value of the matrix of mistakes; above 10 the shares of
            some classes can hardly be told from each other.
        spread: how far from its change of proportions 95 % of the repeats stay, in total variation.
        n: how many target examples.
    """

    source: np.ndarray
    likely: np.ndarray
    low: np.ndarray
    high: np.ndarray
    confusion: np.ndarray
    confusion_low: np.ndarray
    confusion_high: np.ndarray
    condition: float
    spread: float
    n: int

    @property
    def distance(self) -> float:
        """Total variation of the target's proportions, by maximum likelihood, from the source's, in [0, 1]."""
        return _variation(self.likely, self.source)

    @property
    def differ(self) -> bool:
        """Whether they are further from the source's than chance brings them, and by 0.05 at least."""
        return self.distance > max(self.spread, _SLIGHT)

    @property
    def may_differ(self) -> bool:
        """Whether they differ, or classes are so confused that chance could hide it."""
        return self.differ or (self.condition > ILL and self.distance > _SLIGHT)

    @property
    def absent(self) -> np.ndarray:
        """Classes of the source, as places, of which both estimates leave next to nothing."""
        expected = self.source * self.n >= _EXPECTED
        high = np.maximum(self.high, self.confusion)
        return np.flatnonzero(expected & (high <= _LEFT * self.source))


def proportions(model: SourceModel, rng: np.random.Generator) -> Proportions:
    """Estimate them by MLLS and BBSE (`objectives.label_shift`), with percentile intervals of 200 bootstrap samples.

    Source and target examples are drawn anew, the model is not fitted anew, so that intervals tell what the size of
    the samples leaves open, not what the model does.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993; see the estimates for theirs.
    """
    k, n, m = len(model.classes), len(model.labels), len(model.target)
    answers, theirs = model.source.argmax(axis=1), model.target.argmax(axis=1)
    mistakes = confusion_matrix(answers, model.labels, k)
    best = likely_proportions(model.prior, model.target)
    by_confusion = target_proportions(mistakes, np.bincount(theirs, minlength=k))
    draws = [(rng.integers(n, size=n), rng.integers(m, size=m)) for _ in range(REPEATS)]
    drawn = [confusion_matrix(answers[own], model.labels[own], k) for own, _ in draws]
    others = [np.bincount(theirs[other], minlength=k) for _, other in draws]
    confused = np.array(list(map(target_proportions, drawn, others)))
    labels = np.array([mistakes.sum(axis=1) for mistakes in drawn])
    likely = _likely_again(model, labels, [other for _, other in draws], best)
    changes = likely - labels / n
    (low, high), (low_b, high_b) = (np.quantile(r, _LEVELS, axis=0) for r in (likely, confused))
    spread = float(np.quantile([_variation(change, best - model.prior) for change in changes], 0.95))
    singular = np.linalg.svd(mistakes / mistakes.sum(axis=1, keepdims=True), compute_uv=False)
    condition = float(singular[0] / max(singular[-1], 1e-12))
    return Proportions(model.prior, best, low, high, by_confusion, low_b, high_b, condition, spread, m)


def _likely_again(
    model: SourceModel, labels: np.ndarray, others: Sequence[np.ndarray], best: np.ndarray
) -> np.ndarray:
    """MLLS `(r, k)` of bootstrap samples, from near the estimate on; zeros would stay zeros.

    Args:
        model: of the source.
        labels: counts of the source's labels in each sample `(r, k)`.
        others: rows of the target in each sample, r times `(m,)`.
        best: the estimate `(k,)`.
    """
    k, m = len(best), len(model.target)
    priors = (labels + 0.5) / (labels.sum(axis=1, keepdims=True) + 0.5 * k)
    starts = np.tile((1 - _MIX) * best + _MIX / k, (len(others), 1))
    found, at_once = [], max(1, _AT_ONCE // m)
    for i in range(0, len(others), at_once):
        counts = np.array([np.bincount(other, minlength=m) for other in others[i : i + at_once]])
        some = slice(i, i + at_once)
        found.append(likely_of_samples(priors[some], model.target, counts, starts[some]))
    return np.concatenate(found)


def like_target(model: SourceModel, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows of the source whose classes have the proportions wanted: as many as there are without taking one twice.

    Classes of which less than one in a hundred is wanted do not limit how many.

    Args:
        model: knows the source's classes.
        wanted: `(k,)` shares.
        rng: draws.
    """
    have = np.bincount(model.labels, minlength=len(wanted))
    limits = wanted >= 0.01
    total = (have[limits] / wanted[limits]).min()
    counts = np.minimum(np.floor(total * wanted).astype(int), have)
    drawn = [
        rng.choice(model.rows[model.labels == c], count, replace=False) for c, count in enumerate(counts) if count
    ]
    return np.sort(np.concatenate(drawn))


def _variation(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.abs(p - q).sum() / 2)
