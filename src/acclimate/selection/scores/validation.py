"""Accuracy on source examples that were not trained on, weighted as though they were the target's."""

from __future__ import annotations

import numpy as np


def source_validation(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Share of right answers on the source, Σ w 1[ŷ = y] / Σ w; with weights p_T(x) / p_S(x), IWV.

    Source: Sugiyama, Krauledat & Müller, "Covariate Shift Adaptation by Importance Weighted Cross Validation",
    JMLR 2007; weights divided by their sum, as that has less variance.

    Args:
        scores: logits `(n, k)` on source examples that were not trained on, n ≥ 1.
        labels: their classes `(n,)`.
        weights: `(n,)`, ≥ 0 and not all 0; by default all alike.

    >>> source_validation(np.eye(2)[[0, 0, 1, 1]], np.array([0, 1, 1, 1]), np.array([1, 1, 1, 5]))
    0.875
    """
    return float(np.average(scores.argmax(axis=1) == labels, weights=weights))


def deep_embedded_validation(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """DEV, importance-weighted accuracy with the weights' mean as a control variate.

        1 − (mean(w ℓ) + η mean(w) − η),    η = −cov(w ℓ, w) / var(w),    ℓ = 1[ŷ ≠ y]

    Not kept within [0, 1]: with few examples and wild weights it leaves them, which tells.

    Source: You, Wang, Long & Jordan, "Towards Accurate Model Selection in Deep Unsupervised Domain Adaptation",
    ICML 2019.

    Args:
        scores: logits `(n, k)` on source examples that were not trained on, n ≥ 2.
        labels: their classes `(n,)`.
        weights: `(n,)`, ≥ 0, of mean about 1.

    >>> deep_embedded_validation(np.eye(2)[[0, 0, 1, 1]], np.array([0, 1, 1, 1]), np.ones(4))
    0.75
    """
    weighted = weights * (scores.argmax(axis=1) != labels)
    spread = weights.var(ddof=1)
    eta = -np.cov(weighted, weights)[0, 1] / spread if spread > 0 else 0.0
    return float(1 - (weighted.mean() + eta * weights.mean() - eta))


def reverse_validation(
    source: np.ndarray, labels: np.ndarray, target: np.ndarray, answers: np.ndarray, penalty: float = 1.0
) -> float:
    """Share of the source that a model of the target's answers gives back rightly; in [0, 1].

    The way back is a ridge regression of one-hot answers on features, rather than the method itself turned round: a
    closed form instead of a second training.

    Source: Zhong, Fan, Yang, Verscheure & Ren, "Cross Validation Framework to Choose amongst Models and Datasets for
    Transfer Learning", ECML 2010; Ganin et al., JMLR 2016.

    Args:
        source: features `(n, d)` of source examples.
        labels: their classes `(n,)`.
        target: features `(m, d)` of the target.
        answers: `(m,)` what the model answers to these.
        penalty: of the ridge, against the mean square of the features.

    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> reverse_validation(x, np.array([0, 0, 1, 1]), x, np.array([0, 0, 1, 1]))
    1.0
    >>> reverse_validation(x, np.array([0, 0, 1, 1]), x, np.array([1, 1, 0, 0]))
    0.0
    """
    mean, spread = target.mean(axis=0), max(float(target.std()), 1e-9)
    x, back = ((np.asarray(side, dtype=np.float64) - mean) / spread for side in (target, source))
    chosen = np.eye(int(max(labels.max(), answers.max())) + 1)[answers]
    centred = chosen - chosen.mean(axis=0)
    weights = np.linalg.solve(x.T @ x + penalty * len(x) / 10 * np.eye(x.shape[1]), x.T @ centred)
    scores = back @ weights + chosen.mean(axis=0)
    return float((np.where(chosen.any(axis=0), scores, -np.inf).argmax(axis=1) == labels).mean())
