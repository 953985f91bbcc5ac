"""What first and second moments of two sides say: a linear map between them, and directions in which they agree."""

from __future__ import annotations

import numpy as np

_LEAST = 1e-8


def linear_monge(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A `(d, d)` and b `(d,)` of the map x A + b that moves one normal distribution onto another at the least cost.

        A = C_s^−½ (C_s^½ C_t C_s^½)^½ C_s^−½,    b = μ_t − μ_s A

    Source: Flamary, Lounici & Ferrari, "Concentration Bounds for Linear Monge Mapping Estimation and Optimal
    Transport Domain Adaptation", 2019.

    Args:
        source: rows `(n, d)`.
        target: rows `(m, d)`.

    Example:
        >>> a, b = linear_monge(np.array([[0.0], [2.0]]), np.array([[1.0], [5.0]]))
        >>> a.round(6).tolist(), b.round(6).tolist()
        ([[2.0]], [1.0])
    """
    own, other = _covariance(source), _covariance(target)
    root, inverse = _power(own, 0.5), _power(own, -0.5)
    a = inverse @ _power(root @ other @ root, 0.5) @ inverse
    return a, target.mean(axis=0) - source.mean(axis=0) @ a


def stationary_directions(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions of features, by how much the sides' moments differ along them: values `(r,)`, rising, and `(d, r)`.

        δ δᵀ + 2 D²,   δ = μ_t − μ_s,  D = C_t − C_s,   where the mean covariance of both is made the unit matrix

    Along the first directions both sides have the same mean and variance, as far as that goes.

    Source: Hara, Kawahara, Washio, von Bünau, Tokunaga & Yumoto, "Separation of Stationary and Non-stationary Sources
    with a Generalized Eigenvalue Problem", Neural Networks 2012, for two epochs.

    Args:
        source: rows `(n, d)`.
        target: rows `(m, d)`.

    Returns:
        The values, and unit-variance directions; constant features are in none.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(500, 2))
        >>> _, directions = stationary_directions(rows, rows + [3, 3])
        >>> bool(abs(directions[:, 0].sum()) < 0.1)
        True
    """
    own, other = _covariance(source), _covariance(target)
    values, vectors = np.linalg.eigh((own + other) / 2)
    kept = values > _LEAST * max(float(values[-1]), _LEAST)
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    moved, wider = (target.mean(axis=0) - source.mean(axis=0)) @ whiten, whiten.T @ (other - own) @ whiten
    differ, turned = np.linalg.eigh(np.outer(moved, moved) + 2 * wider @ wider)
    return differ, whiten @ turned


def chance(n: int, m: int, width: int) -> float:
    """About the mean of these values where both sides are drawn from one normal distribution.

    δ and each entry of D then have variances of about 1/n + 1/m, and r entries of D add up in each value.

    Args:
        n: source examples.
        m: target examples.
        width: r.
    """
    return (1 / n + 1 / m) * (1 / width + 2 * (width + 1))


def _covariance(rows: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(rows, rowvar=False))


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """Of a symmetric matrix; what has no variance keeps none."""
    values, vectors = np.linalg.eigh(matrix)
    least = _LEAST * max(float(values[-1]), _LEAST)
    powers = np.where(values > least, np.maximum(values, least) ** exponent, 0.0)
    return np.asarray((vectors * powers) @ vectors.T)
