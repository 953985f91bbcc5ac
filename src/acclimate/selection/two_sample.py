"""Whether two samples come from one distribution: tests that hold whatever the data are like, by permuting sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

PERMUTATIONS = 999
# Permutations that are scored at a time, and examples of each side that a kernel compares.
_BLOCK, _KERNEL_MOST = 111, 1000
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class ToldApart:
    """How well a classifier tells which side an example comes from, held out.

    Attributes:
        accuracy: mean recall of both sides, in [0, 1]; 0.5 is chance.
        p: how often permuted sides are told apart as well, in (0, 1].
        visible: the accuracy from which p is at most 0.05: what lies below could not have been seen.
        scores: `(n,)` how much each example looks like the target's, held out; comparable among themselves.
    """

    accuracy: float
    p: float
    visible: float
    scores: np.ndarray


def told_apart(x: np.ndarray, is_target: np.ndarray, rng: np.random.Generator) -> ToldApart:
    """Classifier two-sample test: Fisher's discriminant of the sides, leave-one-out, its p-value by permutation.

        s = H y,    H = Φ (ΦᵀΦ + d I)⁻¹ Φᵀ,    s₋ᵢ = (sᵢ − hᵢᵢ yᵢ) / (1 − hᵢᵢ)

    with Φ the d features and their squares, each standardised, and y the sides. An example goes to the side whose
    mean score is nearer. H does not depend on y, so that the 999 permutations cost one product of matrices, and the
    p-value (1 + #{permuted ≥ observed}) / 1000 is exact for samples of any size and shape. Squares see what differs
    in spread alone. The mean of y is kept out of H: leaving an example out of it would tell its side.

    Source: Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017; Phipson & Smyth, 2010.

    Args:
        x: finite features `(n, d)` of both sides.
        is_target: bool `(n,)`, both values present.
        rng: permutes.
    """
    root = _root_of_hat(np.concatenate([x, np.square(x - x.mean(axis=0))], axis=1))
    leverage = np.square(root).sum(axis=1)
    own = is_target.astype(np.float32)[:, None]
    scores = _held_out(root, leverage, own)
    accuracy = float(_balanced_accuracy(scores, own)[0])
    permuted = np.concatenate(
        [_balanced_accuracy(_held_out(root, leverage, y), y) for y in _permuted(own[:, 0], PERMUTATIONS, rng)]
    )
    return ToldApart(accuracy, _p_value(accuracy, permuted), float(np.quantile(permuted, 0.95)), scores[:, 0])


def kernel_distance(x: np.ndarray, is_target: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Maximum mean discrepancy of two samples, and its p-value by permutation.

        MMD² = aᵀ K a,    aᵢ = 1/m on the target, −1/n on the source,    Kᵢⱼ = exp(−‖xᵢ − xⱼ‖² / median ‖x − x′‖²)

    Unlike a linear classifier's, its power reaches any difference, if less far. At most 1,000 examples of each side,
    drawn at random, are compared.

    Source: Gretton, Borgwardt, Rasch, Schölkopf & Smola, "A Kernel Two-Sample Test", JMLR 2012.

    Args:
        x: finite features `(n, d)` of both sides.
        is_target: bool `(n,)`, both values present.
        rng: draws and permutes.

    Returns:
        MMD², ≥ 0, and p in (0, 1].
    """
    kept = np.concatenate([_at_most(np.flatnonzero(is_target == side), _KERNEL_MOST, rng) for side in (False, True)])
    kernel, own = _gaussian(x[kept]), is_target[kept].astype(np.float32)
    observed = float(_quadratic(kernel, own[:, None])[0])
    permuted = np.concatenate([_quadratic(kernel, y) for y in _permuted(own, PERMUTATIONS, rng)])
    return max(observed, 0.0), _p_value(observed, permuted)


def _root_of_hat(features: np.ndarray) -> np.ndarray:
    """`(n, d)` whose product with its own transpose is the hat matrix of standardised features."""
    spread = features.std(axis=0)
    kept = (features[:, spread > _TINY] - features[:, spread > _TINY].mean(axis=0)) / spread[spread > _TINY]
    d = kept.shape[1]
    if not d:
        return np.zeros((len(features), 1), np.float32)
    values, vectors = np.linalg.eigh((kept.T @ kept).astype(np.float64))
    half = vectors / np.sqrt(np.maximum(values, 0) + d)
    return np.asarray(kept.astype(np.float32) @ half.astype(np.float32))


def _held_out(root: np.ndarray, leverage: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Leave-one-out scores `(n, b)` of sides `(n, b)`."""
    centred = y - y.mean(axis=0)
    fitted = root @ (root.T @ centred)
    return np.asarray((fitted - leverage[:, None] * centred) / (1 - leverage[:, None]))


def _balanced_accuracy(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`(b,)` mean recall of both sides, cut midway between their mean scores."""
    m, n = y.sum(axis=0), (1 - y).sum(axis=0)
    cut = ((scores * y).sum(axis=0) / m + (scores * (1 - y)).sum(axis=0) / n) / 2
    above = scores > cut
    return np.asarray(((above * y).sum(axis=0) / m + (~above * (1 - y)).sum(axis=0) / n) / 2)


def _permuted(y: np.ndarray, times: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Blocks `(n, ≤ 111)` of permutations of sides."""
    for start in range(0, times, _BLOCK):
        count = min(_BLOCK, times - start)
        yield rng.permuted(np.repeat(y[:, None], count, axis=1), axis=0)


def _p_value(observed: float, permuted: np.ndarray) -> float:
    """Share of permutations that reach what was observed, itself among them; equal up to rounding counts."""
    return float((1 + (permuted >= observed - _TINY).sum()) / (1 + len(permuted)))


def _gaussian(x: np.ndarray) -> np.ndarray:
    """Kernel `(n, n)` whose width is the median distance."""
    x = x.astype(np.float64)
    norms = np.square(x).sum(axis=1)
    distances = np.maximum(norms[:, None] + norms[None, :] - 2 * x @ x.T, 0)
    median = float(np.median(distances[np.triu_indices(len(x), 1)]))
    return np.asarray(np.exp(-distances / max(median, _TINY)).astype(np.float32))


def _quadratic(kernel: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`(b,)` the discrepancy for each way `(n, b)` to divide the examples."""
    a = y / y.sum(axis=0) - (1 - y) / (1 - y).sum(axis=0)
    return np.asarray((a * (kernel @ a)).sum(axis=0))


def _at_most(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
