"""The geometry of classes: Gram matrices of class centroids, how alike two are, and drawing one towards another."""

from __future__ import annotations

import numpy as np
from torch import Tensor

_TINY = 1e-12


def centroid_gram(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Gram matrix of the class centroids, centred and scaled to trace k.

        M = (centroids − their mean),    G = k M Mᵀ / tr(M Mᵀ)

    It says which classes are alike, and nothing about the features, so it can be compared between features.

    Args:
        rows: `(n, d)`.
        weights: memberships `(n, k)`.

    Returns:
        G `(k, k)`.
    """
    centroids = (weights.T @ rows) / np.maximum(weights.sum(axis=0)[:, None], _TINY)
    centred = centroids - centroids.mean(axis=0)
    gram = centred @ centred.T
    return gram * len(gram) / max(float(np.trace(gram)), _TINY)  # type: ignore[no-any-return]


def mantel(one: np.ndarray, other: np.ndarray, permutations: int = 999, seed: int = 0) -> tuple[float, float]:
    """Mantel's test: do two matrices `(k, k)` of similarities between the same k things agree?

    Source: Mantel, "The detection of disease clustering and a generalized regression approach", 1967.

    Returns:
        r, Pearson's correlation of the entries above the diagonal, and p, the share of orders of the things in which
        it is as large (one-sided). 0 and 1 for fewer than four things, which have too few pairs.
    """
    k = len(one)
    if k < 4:
        return 0.0, 1.0
    i, j = np.triu_indices(k, 1)
    here = _standardised(one[i, j])
    r = float((here * _standardised(other[i, j])).mean())
    orders = np.argsort(np.random.default_rng(seed).random((permutations, k)), axis=1)
    chance = (_standardised(other[orders[:, i], orders[:, j]]) * here).mean(axis=1)
    return r, float(((chance >= r).sum() + 1) / (permutations + 1))


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=-1, keepdims=True)
    return centred / np.maximum(centred.std(axis=-1, keepdims=True), _TINY)  # type: ignore[no-any-return]


def gram_alignment(rows: Tensor, weights: Tensor, goal: Tensor) -> Tensor:
    """Cosine between the Gram matrix of the class centroids and a given one, 1 if they are alike.

        A = ⟨M Mᵀ, G⟩ / (‖M Mᵀ‖ ‖G‖),    M = centroids of `centroid_gram`

    Args:
        rows: `(n, d)`.
        weights: memberships `(n, k)`, every class with some weight.
        goal: G `(k, k)`.
    """
    centroids = (weights.T @ rows) / weights.sum(dim=0)[:, None]
    centred = centroids - centroids.mean(dim=0)
    gram = centred @ centred.T
    alignment: Tensor = (gram * goal).sum() / (gram.norm() * goal.norm())
    return alignment
