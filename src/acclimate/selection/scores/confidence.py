"""How sure a model is, and what that says about how often it is right."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp, softmax

# log T between which temperatures are sought, and how often that range is cut in three.
_COLD, _HOT, _CUTS = -5.0, 5.0, 60


def temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The T > 0 that makes softmax(z / T) most likely to say the labels.

    The loss is convex in 1 / T, so of log T it has one minimum, found by cutting the range in three.

    Source: Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.

    Args:
        scores: logits z `(n, k)` on examples that were not trained on, n ≥ 1.
        labels: their classes `(n,)`.

    >>> z = np.log([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
    >>> round(temperature(z, np.array([0, 0, 0, 1])), 3)  # said 90 %, right in 75 %: log 9 / log 3
    2.0
    """
    scores = np.asarray(scores, dtype=np.float64)
    own = scores[np.arange(len(labels)), labels]

    def loss(log_t: float) -> float:
        scale = np.exp(-log_t)
        return float((logsumexp(scale * scores, axis=1) - scale * own).mean())

    low, high = _COLD, _HOT
    for _ in range(_CUTS):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def probabilities(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """softmax(z / T) `(n, k)` in double precision."""
    return np.asarray(softmax(np.asarray(scores, dtype=np.float64) / temperature, axis=1))


def difference_of_confidences(
    source: np.ndarray, labels: np.ndarray, target: np.ndarray, *, at: float | None = None
) -> float:
    """DoC, target accuracy as the source's, less what confidence falls by: acc(S) − (conf(S) − conf(T)), in [0, 1].

    Source: Guillory, Shankar, Ebrahimi, Darrell & Schmidt, "Predicting with Confidence on Unseen Distributions",
    ICCV 2021.

    Args:
        source: logits `(n, k)` on source examples that were not trained on.
        labels: their classes `(n,)`.
        target: logits `(m, k)` on the target.
        at: temperature of the confidences; by default the one that calibrates the source's.
    """
    t = temperature(source, labels) if at is None else at
    fall = probabilities(source, t).max(axis=1).mean() - probabilities(target, t).max(axis=1).mean()
    return float(np.clip((source.argmax(axis=1) == labels).mean() - fall, 0, 1))
