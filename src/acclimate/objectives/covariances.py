"""A linear map that gives one domain's features the covariance of another's."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh


def recoloured(source: np.ndarray, target: np.ndarray, penalty: float) -> np.ndarray:
    """A = (C_s + λ I)^−½ (C_t + λ I)^½ `(d, d)`: rows of x A have the target's covariance where those of x have C_s.

    Source: Sun, Feng & Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016, algorithm 1.

    Args:
        source: rows `(n, d)`.
        target: rows `(m, d)`.
        penalty: λ; above 0 where there are fewer rows than features.
    """
    return np.asarray(_power(source, penalty, -0.5) @ _power(target, penalty, 0.5))


def _power(rows: np.ndarray, penalty: float, exponent: float) -> np.ndarray:
    covariance = np.atleast_2d(np.cov(rows, rowvar=False))
    values, vectors = eigh(covariance)
    return np.asarray((vectors * (np.maximum(values, 0) + penalty) ** exponent) @ vectors.T)
