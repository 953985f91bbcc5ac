"""The geodesic flow kernel between two subspaces."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd

_SMALL = 1e-9


def geodesic_flow(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """L `(d, 2p)` with L Lᵀ = G = ∫₀¹ Φ(t) Φ(t)ᵀ dt, Φ the geodesic from one subspace to the other.

    With P_sᵀ P_t = U cos(Θ) Vᵀ, A = P_s U and B the unit vectors orthogonal to A that the angles θ_i turn towards,
    Φ(t) = A cos(Θ t) + B sin(Θ t). So G is a 2×2 block for each angle, of

        ½ (1 + sin 2θ / 2θ),    ½ (1 − cos 2θ) / 2θ,    ½ (1 − sin 2θ / 2θ)

    and each block's square root gives two columns of L. In z = Lᵀ x the kernel xᵀ G y is the usual inner product.

    Source: Gong, Shi, Sha & Grauman, "Geodesic Flow Kernel for Unsupervised Domain Adaptation", CVPR 2012, equations
    5 to 7.

    Args:
        source: P_s, orthonormal columns `(d, p)`.
        target: P_t likewise.
    """
    u, cosines, vt = svd(source.T @ target)
    cosines = np.clip(cosines, -1, 1)
    a = source @ u
    away = target @ vt.T - a * cosines
    # Where a direction is in both subspaces nothing turns, and B has no part in G.
    sines = np.linalg.norm(away, axis=0)
    b = np.where(sines > _SMALL, away / np.maximum(sines, _SMALL), 0)
    double = 2 * np.arctan2(sines, cosines)
    slow = np.sinc(double / np.pi)
    mixed = (1 - np.cos(double)) / np.maximum(double, _SMALL)
    blocks = 0.5 * np.stack([np.stack([1 + slow, mixed], -1), np.stack([mixed, 1 - slow], -1)], -2)  # (p, 2, 2)
    values, vectors = np.linalg.eigh(blocks)
    roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
    return np.concatenate([a * roots[:, 0, i] + b * roots[:, 1, i] for i in (0, 1)], axis=1)
