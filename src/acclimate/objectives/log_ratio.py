"""How much more often the examples of one class have a thing than the others."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array


def log_count_ratio(has: csr_array, positive: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The smoothed log-count ratio of each column, `(m,)`.

        r = log (p / ‖p‖₁) − log (q / ‖q‖₁),   p = 1 + Σ_{i positive} w_i x_i,   q = 1 + Σ_{i not} w_i x_i

    Source: Wang & Manning, "Baselines and Bigrams", ACL 2012, section 2, with α = 1.

    Args:
        has: x `(n, m)`, 1 where an example has a thing and 0 where not; or counts.
        positive: `(n,)` booleans.
        weights: w `(n,)`, 0 or more; 1 without them.

    Example:
        >>> has = csr_array(np.array([[1, 0], [1, 1], [0, 1]]))
        >>> log_count_ratio(has, np.array([True, True, False])).round(3).tolist()
        [0.588, -0.511]
    """
    weights = np.ones(has.shape[0]) if weights is None else weights
    p, q = (1 + has.T @ np.where(rows, weights, 0.0) for rows in (positive, ~positive))
    return np.asarray(np.log(p / p.sum()) - np.log(q / q.sum()))
