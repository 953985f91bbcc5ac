"""How far two sets of features lie apart, as if both were Gaussian."""

from __future__ import annotations

import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Fréchet distance of two Gaussians with the sets' means and covariances; 0 for equal ones.

        ‖μ − ν‖² + tr Σ + tr Τ − 2 tr (Σ^½ Τ Σ^½)^½

    Source: Dowson & Landau, Journal of Multivariate Analysis 12, 1982; as a measure of generated images, Heusel et
    al., NIPS 2017. Figures can be compared only within one feature space and one number of examples, as few examples
    make the distance larger.

    Args:
        first: `(n, d)` features, n ≥ 2.
        second: `(m, d)` features, m ≥ 2.

    Example:
        >>> round(frechet_distance(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0]])), 3)
        9.0
    """
    a, b = (np.asarray(features, dtype=np.float64) for features in (first, second))
    apart = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (a, b))
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    # Symmetric, unlike Σ Τ, so its eigenvalues are real; rounding can leave some a little below zero.
    common = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(min=0)).sum()
    return float(max(0.0, apart @ apart + np.trace(cov_a) + np.trace(cov_b) - 2 * common))
