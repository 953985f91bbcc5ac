"""Directions in which two domains have the same mean, and the same means by class, and their data still vary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

_RANK = 1e-12


def mean_difference(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The vector e `(n + m,)` with eᵀ X = the mean of some source rows less that of some target rows.

    Args:
        source: which rows of the source, bool `(n,)`.
        target: which rows of the target, bool `(m,)`. Where either has none, that mean counts as 0.
    """
    return np.concatenate([source / max(source.sum(), 1), target / -max(target.sum(), 1)])


def transfer_components(
    x: np.ndarray, differences: Sequence[np.ndarray], components: int, penalty: float
) -> np.ndarray:
    """The map W `(d, p)` of z = Wᵀ x that brings means together and keeps variance.

    W = Xᵀ [a₁ … a_p], of the p leading solutions of

        K H K a = θ (K M K + λ I) a,    ‖a‖ = 1

    with the linear kernel K = X Xᵀ, H = I − 1 1ᵀ / n and M = Σ_j e_j e_jᵀ scaled to Frobenius norm 1. Any a outside
    K's range is penalised and moves nothing, so everything happens in the coordinates of K's eigenvectors: r numbers,
    r the rank of X, instead of n.

    Source: Pan, Tsang, Kwok & Yang, "Domain Adaptation via Transfer Component Analysis", IEEE TNN 2011; Long, Wang,
    Ding, Sun & Yu, "Transfer Feature Learning with Joint Distribution Adaptation", ICCV 2013, equation 9, whose
    released code scales M and a so.

    Args:
        x: rows of both domains `(n, d)`.
        differences: e_j `(n,)`, as of `mean_difference`.
        components: p; fewer where x has a smaller rank.
        penalty: λ.
    """
    spread, back = _principal(x)
    e = np.stack(differences, axis=1)
    norm = np.linalg.norm(e.T @ e)
    images = spread.T @ (e / np.sqrt(norm if norm > 0 else 1.0))  # (r, j), its product with itself is K M K
    centred = spread - spread.mean(axis=0)
    r, p = spread.shape[1], min(components, spread.shape[1])
    a = eigh(centred.T @ centred, images @ images.T + penalty * np.eye(r), subset_by_index=[r - p, r - 1])[1]
    a = a[:, ::-1] / np.linalg.norm(a, axis=0)[::-1]
    w = back @ a
    # Of two opposite vectors, both solutions, the one whose largest entry is above 0: the same on every machine.
    return np.asarray(w * np.sign(w[np.abs(w).argmax(axis=0), np.arange(p)]))


def _principal(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """U S² `(n, r)` and V S `(d, r)` of X = U S Vᵀ, by the smaller of its two Gram matrices."""
    tall = len(x) >= x.shape[1]
    values, vectors = eigh(x.T @ x if tall else x @ x.T)
    keep = values > _RANK * max(values[-1], np.finfo(float).tiny)
    squares, vectors = values[keep], vectors[:, keep]
    if tall:
        return (x @ vectors) * np.sqrt(squares), vectors * np.sqrt(squares)
    return vectors * squares, x.T @ vectors
