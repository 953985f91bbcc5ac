"""How much more often the examples of one class have a thing than the others."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array


def log_count_ratio(has: csr_array, positive: np.ndarray) -> np.ndarray:
    """The smoothed log-count ratio of each column, `(m,)`.

        r = log (p / ‖p‖₁) − log (q / ‖q‖₁),   p = 1 + Σ_{i positive} x_i,   q = 1 + Σ_{i not} x_i

    Source: Wang & Manning, "Baselines and Bigrams", ACL 2012, section 2, with α = 1.

    Args:
        has: x `(n, m)`, 1 where an example has a thing and 0 where not; or counts.
        positive: `(n,)` booleans.

    Example:
        >>> has = csr_array(np.array([[1, 0], [1, 1], [0, 1]]))
        >>> log_count_ratio(has, np.array([True, True, False])).round(3).tolist()
        [0.588, -0.511]
    """
    p, q = (1 + np.asarray(has[rows].sum(axis=0)).ravel() for rows in (positive, ~positive))
    return np.asarray(np.log(p / p.sum()) - np.log(q / q.sum()))
