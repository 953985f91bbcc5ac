"""Which family of methods a shift is for: each undoes one kind of change, and the sides are compared again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from acclimate.objectives.density_ratio import matched_means
from acclimate.objectives.label_shift import effective_size, likely_proportions
from acclimate.objectives.moments_of_sides import chance, linear_monge, stationary_directions
from acclimate.selection.proportions import like_target
from acclimate.selection.source_model import SourceModel, source_model
from acclimate.selection.two_sample import kernel_distance

Family = Literal["label", "linear", "covariate", "subspace"]
# What to train where a family explains a shift.
METHOD: Mapping[Family, str] = {
    "label": "mlls",
    "linear": "linear-monge",
    "covariate": "kmm",
    "subspace": "stationary-subspace",
}
# Coordinates that densities are of: of no more columns a diagnosis looks at all there is.
DENSE = 5
# Examples of a side that are compared, and coordinates that directions are of; parts of which one is held out.
_MOST, _WIDE, _FOLDS = 1_500, 50, 5
# What may be left of MMD², or may be chance; a class of which less is left of its share has vanished.
_TENTH, _ALPHA, _VANISHED = 0.1, 0.05, 0.1
# So many standard errors apart two fits are different; values by chance that a direction may reach; examples left.
_APART, _TOLERANCE, _FEWEST = 2.0, 4.0, 30
_BANDWIDTHS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.7)
_BOUND, _TOP = 1000.0, 0.95
# A tail under every density, so that one example far from all others does not decide.
_BROAD, _RARE = 3.0, 1e-3
# A coordinate that varies less has no density.
_FLAT = 1e-6


@dataclass(frozen=True, eq=False)
class Undone:
    """What is left of a shift where one kind of change is undone.

    Attributes:
        family: `"label"`: the source's classes are drawn in other proportions; `"linear"`: the source is moved and
            stretched; `"covariate"`: source examples are drawn as often as the target has their like; `"subspace"`:
            directions along which the sides differ are left out.
        left: MMD² of the sides then, relative to what it was.
        p: that nothing is left.
        fit: log densities `(m,)` of target examples that were held out of the estimate; None for a subspace.
    """

    family: Family
    left: float
    p: float
    fit: np.ndarray | None = None

    @property
    def explains(self) -> bool:
        """Whether next to nothing is left."""
        return self.left <= _TENTH or self.p > _ALPHA


@dataclass(frozen=True, eq=False)
class Families:
    """What each of them leaves.

    Attributes:
        undone: in the order in which they were tried.
        name: the one that explains the shift best; None if none does.
        rival: another that does so about as well.
    """

    undone: tuple[Undone, ...]
    name: Family | None
    rival: Family | None = None


def compare_families(
    x: tuple[np.ndarray, np.ndarray], labels: np.ndarray, model: SourceModel, rng: np.random.Generator, seed: int
) -> Families:
    """Undo label shift, a linear map and covariate shift; where none explains it, leave out what differs.

    Of those that explain the shift, the one under which target examples that were not used are the most likely is
    taken: by kernel densities of the source, in five principal coordinates. Label shift, which has the fewest numbers
    to fit, is taken where it is as likely as the likeliest. But where it explains the shift only by leaving next to
    nothing of a class, a linear map goes first, which empties none.

    Args:
        x: coordinates of source and target, of unit size on average.
        labels: of the source, −1 where there is none.
        model: of the source.
        rng: draws.
        seed: of the models of a subspace.
    """
    rows = [np.sort(rng.permutation(len(side))[:_MOST]) for side in x]
    source, target = (np.asarray(side[some, :_WIDE], np.float64) for side, some in zip(x, rows, strict=True))
    whole = kernel_distance(*_stacked(source, target), rng)[0]
    own = labels[rows[0]]
    vary = np.flatnonzero((source.std(axis=0) > _FLAT) & (target.std(axis=0) > _FLAT))[:DENSE]
    if not len(vary):
        return Families((), None)
    fits, emptied = _fits(source[:, vary], target[:, vary], own, rng)
    made = {
        "label": source[np.isin(rows[0], like_target(model, likely_proportions(model.prior, model.target), rng))],
        "linear": _moved(source, target),
        "covariate": _resembling(source, target, rng),
    }
    undone = [_left(family, sides, target, whole, rng, fits[family]) for family, sides in made.items()]
    name, rival = _best([u for u in undone if u.explains], emptied)
    if name is None:
        undone.append(_without_directions(source, target, own, whole, rng, seed))
        name = "subspace" if undone[-1].explains else None
    return Families(tuple(undone), name, rival)


def _best(undone: list[Undone], emptied: bool) -> tuple[Family | None, Family | None]:
    """The family whose fit is best, and another that is not clearly worse."""
    if not undone:
        return None, None
    ranked = sorted(undone, key=lambda u: -_of(u).mean())
    close = [u.family for u in ranked if _as_good(ranked[0], u)]
    emptied = emptied and "linear" in close and any(u.family == "label" for u in undone)
    close.sort(key=lambda family: family != ("linear" if emptied else "label"))
    return close[0], close[1] if len(close) > 1 else None


def _of(undone: Undone) -> np.ndarray:
    assert undone.fit is not None
    return undone.fit


def _as_good(better: Undone, other: Undone) -> bool:
    difference = _of(better) - _of(other)
    return bool(difference.mean() <= _APART * difference.std() / np.sqrt(len(difference)))


def _left(
    family: str, source: np.ndarray, target: np.ndarray, whole: float, rng: np.random.Generator, fit: np.ndarray
) -> Undone:
    """Compare; too few examples tell nothing."""
    if len(source) < _FEWEST:
        return Undone(family, 1.0, 0.0, fit)  # type: ignore[arg-type]
    distance, p = kernel_distance(*_stacked(source, target), rng)
    return Undone(family, distance / max(whole, 1e-12), p, fit)  # type: ignore[arg-type]


def _stacked(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = np.concatenate([source, target])
    return x, np.arange(len(x)) >= len(source)


def _moved(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    a, b = linear_monge(source, target)
    return np.asarray(source @ a + b)


def _resembling(source: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Source examples kept in proportion to their weights, none twice; none where few say everything."""
    w = matched_means(source, target, _BOUND)
    if effective_size(w) < _FEWEST:
        return source[:0]
    return np.asarray(source[rng.random(len(w)) * np.quantile(w, _TOP) < w])


def _fits(
    source: np.ndarray, target: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], bool]:
    """Log densities of target examples, each by an estimate without its fifth; whether a class has vanished."""
    width, classes = _bandwidth(source, rng), np.unique(labels[labels >= 0])
    by_class = np.stack([_log_density(target, source[labels == c], width) for c in classes], axis=1)
    prior = np.array([(labels == c).sum() for c in classes]) / np.isin(labels, classes).sum()
    fits = {family: np.empty(len(target)) for family in ("label", "linear", "covariate")}
    emptied, fifth = False, rng.permutation(len(target)) % _FOLDS
    for part in range(_FOLDS):
        use, held = fifth != part, fifth == part
        even = np.full(len(classes), 1 / len(classes))
        p = likely_proportions(even, np.exp(by_class[use] - by_class[use].max(axis=1, keepdims=True)))
        emptied |= bool((p < _VANISHED * prior).any())
        fits["label"][held] = logsumexp(by_class[held], axis=1, b=p)
        # The density of the moved source, whose kernels are moved with it, at x is that of the source at x's origin.
        a, b = linear_monge(target[use], source)
        fits["linear"][held] = _log_density(target[held] @ a + b, source, width) + np.linalg.slogdet(a)[1]
        w = matched_means(source, target[use], _BOUND)
        fits["covariate"][held] = _log_density(target[held], source, width, w)
    return fits, emptied


def _bandwidth(rows: np.ndarray, rng: np.random.Generator) -> float:
    """The one under which half of them is the most likely by the other half."""
    half = rng.permutation(len(rows)) % 2 == 0
    return max(_BANDWIDTHS, key=lambda h: float(_log_density(rows[half], rows[~half], h).mean()))


def _log_density(x: np.ndarray, rows: np.ndarray, width: float, weights: np.ndarray | None = None) -> np.ndarray:
    """Of normal kernels around rows, up to a constant, with a broad tail.

    Args:
        x: `(m, d)`.
        rows: `(n, d)`.
        width: deviation of the kernels.
        weights: of the rows, `(n,)`.
    """
    share = np.full(len(rows), 1 / len(rows)) if weights is None else weights / weights.sum()
    narrow = -cdist(x, rows, "sqeuclidean") / 2
    near = logsumexp(narrow / width**2, axis=1, b=share) - x.shape[1] * np.log(width)
    broad = logsumexp(narrow / _BROAD**2, axis=1) - np.log(len(rows)) - x.shape[1] * np.log(_BROAD)
    return np.asarray(np.logaddexp(near + np.log1p(-_RARE), broad + np.log(_RARE)))


def _without_directions(
    source: np.ndarray, target: np.ndarray, labels: np.ndarray, whole: float, rng: np.random.Generator, seed: int
) -> Undone:
    """Compare along stationary directions, if the classes can still be told apart there at least half as well."""
    differ, directions = stationary_directions(source, target)
    kept = int((differ <= _TOLERANCE * chance(len(source), len(target), max(len(differ), 1))).sum())
    if not 0 < kept < len(differ):
        return Undone("subspace", 1.0, 0.0)
    own, other = source @ directions[:, :kept], target @ directions[:, :kept]
    before, after = (source_model(_spread(s), labels, _spread(t), seed) for s, t in ((source, target), (own, other)))
    if before is None or after is None:
        return Undone("subspace", 1.0, 0.0)
    guess = float(before.prior.max())
    if after.accuracy - guess < (before.accuracy - guess) / 2:
        return Undone("subspace", 1.0, 0.0)
    distance, p = kernel_distance(*_stacked(own, other), rng)
    return Undone("subspace", distance / max(whole, 1e-12), p)


def _spread(x: np.ndarray) -> np.ndarray:
    """Beside their squares, so that a linear model can tell a middle from two ends."""
    return np.concatenate([x, np.square(x)], axis=1)
