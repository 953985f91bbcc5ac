"""How often models say the same: no label is needed for that, and none is replaced by it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def agreement(answers: Sequence[np.ndarray]) -> np.ndarray:
    """Shares `(m, m)` of examples to which two models give the same answer; 1 on the diagonal.

    Args:
        answers: of m models, `(n,)` class indices each, on the same n ≥ 1 examples.

    Example:
        >>> agreement([np.array([0, 1, 1]), np.array([0, 1, 0])]).round(2).tolist()
        [[1.0, 0.67], [0.67, 1.0]]
    """
    stacked = np.stack(answers)
    return np.asarray((stacked[:, None] == stacked[None]).mean(axis=2))
