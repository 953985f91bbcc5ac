"""Class proportions that differ between the sides: what they seem to be, and how much that explains."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

# Weight of Σ p = 1 among equations that are each of the size of a share.
_SUM = 1e3


def target_proportions(confusion: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Class proportions `(k,)` of the target, if each of its classes looks as it does in the source.

        p = argmin ‖Cᵀ p − q‖,   p ≥ 0,  Σ p = 1,   C_ij = share of the source's class i that is answered j

    q are the shares of the answers on the target. A mistake that is made as often on both sides is undone; one that
    only the target's looks bring about is taken for another proportion.

    Source: Lipton, Wang & Smola, "Detecting and Correcting for Label Shift with Black Box Predictors", ICML 2018.

    Args:
        confusion: counts `(k, k)` on source examples that were not trained on: class i answered j. Of a class without
            examples every answer is taken to be right.
        answers: counts `(k,)` of the answers on the target, not all zero.
    """
    examples = confusion.sum(axis=1, keepdims=True)
    rates = np.where(examples > 0, confusion / np.maximum(examples, 1), np.eye(len(confusion)))
    shares = answers / answers.sum()
    p, _ = nnls(np.vstack([rates.T, np.full((1, len(rates)), _SUM)]), np.append(shares, _SUM))
    return np.asarray(p / p.sum())


def weighted_distance(source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> float:
    """Kolmogorov and Smirnov's distance of two samples, one of them weighted: sup |F_w − F|, in [0, 1].

    Args:
        source: numbers `(n,)`.
        weights: theirs, `(n,)`, ≥ 0 and not all 0.
        target: numbers `(m,)`.
    """
    order = np.argsort(source)
    steps = np.concatenate([[0.0], np.cumsum(weights[order]) / weights.sum()])
    places = np.concatenate([source, target])
    of_source = steps[np.searchsorted(source[order], places, side="right")]
    of_target = np.searchsorted(np.sort(target), places, side="right") / len(target)
    return float(np.abs(of_source - of_target).max())


def effective_size(weights: np.ndarray) -> float:
    """As many examples of equal weight would say as much: (Σ w)² / Σ w².

    Source: Kish, "Survey Sampling", 1965.
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())
