"""What class proportions the target seems to have, and what that makes of answers."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from acclimate.objectives.label_shift import class_bias, likely_proportions, target_proportions

# Share of a class that is left to one that seems to be missing, over k.
_LEAST = 1e-3


def class_balance(shares: np.ndarray, expected: np.ndarray) -> float:
    """How alike two class proportions are: 1 − ½ Σ |q − p|, in [0, 1].

    Source: total variation; as a score of answers against the source's proportions, Ericsson, Li & Hospedales,
    AutoML 2023.

    Args:
        shares: q `(k,)`, such as those of a model's answers on the target.
        expected: p `(k,)`.

    >>> class_balance(np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5]))
    0.5
    """
    return float(1 - np.abs(shares - expected).sum() / 2)


def answered(scores: np.ndarray) -> np.ndarray:
    """`(k,)` the share of examples that each class is the answer to, from logits `(m, k)`.

    >>> answered(np.eye(3)[[0, 0, 1, 2]])
    array([0.5 , 0.25, 0.25])
    """
    return np.bincount(scores.argmax(axis=1), minlength=scores.shape[1]) / len(scores)


def shares(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """`(k,)` shares of classes among labels, each seen half a time more than it was.

    >>> shares(np.array([0, 0, 0]), 2)
    array([0.875, 0.125])
    """
    counts = np.bincount(labels, minlength=num_classes) + 0.5
    return np.asarray(counts / counts.sum())


def black_box_proportions(source: np.ndarray, labels: np.ndarray, target: np.ndarray) -> np.ndarray:
    """BBSE: class proportions `(k,)` of the target from a model's answers and its mistakes on the source.

    Equation and source: `objectives.label_shift.target_proportions`.

    Args:
        source: logits `(n, k)` on source examples that were not trained on.
        labels: their classes `(n,)`.
        target: logits `(m, k)`.

    >>> black_box_proportions(np.eye(2)[[0, 0, 1, 1]], np.array([0, 0, 1, 1]), np.eye(2)[[0, 1, 1, 1]])
    array([0.25, 0.75])
    """
    k = source.shape[1]
    confusion = np.bincount(labels * k + source.argmax(axis=1), minlength=k * k).reshape(k, k)
    return target_proportions(confusion, np.bincount(target.argmax(axis=1), minlength=k))


def likely_target(source: np.ndarray, labels: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """MLLS: class proportions `(k,)` of the target that make it most likely, and its posteriors `(m, k)` under them.

        P(c | x) ∝ p_c / π_c softmax(z / T + b)_c

    Equations and sources: `objectives.label_shift.likely_proportions` and `class_bias`.

    Args:
        source: logits `(n, k)` on source examples that were not trained on.
        labels: their classes `(n,)`.
        target: logits `(m, k)`.

    >>> z = 8 * np.eye(2)
    >>> p, posterior = likely_target(z[[0, 1] * 9], np.array([0, 1] * 9), z[[0, 1, 1, 1]])
    >>> p.round(2), posterior.argmax(axis=1)
    (array([0.25, 0.75]), array([0, 1, 1, 1]))
    """
    heat, bias = class_bias(source, labels)
    p = softmax(np.asarray(target, dtype=np.float64) / heat + bias, axis=1)
    prior = shares(labels, source.shape[1])
    likely = likely_proportions(prior, p)
    posterior = p * (np.maximum(likely, _LEAST / len(likely)) / prior)
    return likely, np.asarray(posterior / posterior.sum(axis=1, keepdims=True))
