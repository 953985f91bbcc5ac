"""How much each example counts."""

from __future__ import annotations

import numpy as np

from acclimate.types import UNLABELLED


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """Weights `(n,)`, float32, with which all classes count alike: n / (k n_c) for an example of class c.

    n labelled examples, n_c of them of class c, k classes that occur; without a label the weight is 0. The labelled
    ones' mean is 1. As scikit-learn's `class_weight="balanced"`.

    Args:
        labels: `(n,)`, −1 where there is none.
    """
    known = labels != UNLABELLED
    counts = np.bincount(labels[known])
    by_class = known.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
    weights = np.zeros(len(labels), dtype=np.float32)
    weights[known] = by_class[labels[known]]
    return weights
