"""Scores where some examples are of no class that the source has, as fractions in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from acclimate.metrics.classification import confusion_matrix, recalls
from acclimate.types import UNLABELLED, Outputs


def open_set_scores(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> dict[str, float]:
    """How well known classes are told apart, and how well what is unknown is told from them.

        OS* = mean recall of the known classes that have examples
        UNK = recall of the unknown
        H   = 2 OS* UNK / (OS* + UNK)

    H is 0 where either is: whoever calls everything unknown, or nothing, gets nothing.

    Source: Bucci, Loghmani & Tommasi, "On the Effectiveness of Image Rotation for Open Set Domain Adaptation",
    ECCV 2020, section 4; OS* from Saito et al., ECCV 2018.

    Args:
        predicted: class indices `(n,)`, the last of the classes for unknown.
        labels: likewise; rows with −1 are left out.
        num_classes: k, the unknown included.

    Returns:
        `os_star`, `unk` and `h_score`; nothing unless there are examples of both kinds.

    Example:
        >>> open_set_scores(np.array([0, 2, 2, 1]), np.array([0, 1, 2, 2]), 3)
        {'os_star': 0.5, 'unk': 0.5, 'h_score': 0.5}
    """
    known = labels != UNLABELLED
    found = recalls(confusion_matrix(predicted[known], labels[known], num_classes))
    if np.isnan(found[-1]) or np.isnan(found[:-1]).all():
        return {}
    own, unknown = float(np.nanmean(found[:-1])), float(found[-1])
    both = own + unknown
    return {"os_star": own, "unk": unknown, "h_score": 2 * own * unknown / both if both else 0.0}


def h_difference_interval(
    right: np.ndarray, labels: np.ndarray, *, draws: int = 2_000, seed: int = 0
) -> tuple[float, float]:
    """Ends of a 95 % bootstrap interval of the H-score of a second model less a first one's, on the same examples.

    Examples are drawn anew within each class, so that no class vanishes; both models are scored on the same draws.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile interval).

    Args:
        right: bool `(2, n)`, whether each model is right.
        labels: class indices `(n,)`, of which the largest is the unknown.
        draws: how many.
        seed: of the draws.
    """
    rng, recall = np.random.default_rng(seed), []
    for c in np.unique(labels):
        own = right[:, labels == c]
        n = own.shape[1]
        # Both wrong, the second alone right, the first alone right, both right.
        cells = np.bincount(2 * own[0] + own[1], minlength=4)
        drawn = rng.multinomial(n, cells / n, size=draws)
        recall.append(np.stack([drawn[:, 2] + drawn[:, 3], drawn[:, 1] + drawn[:, 3]], axis=1) / n)
    found = np.stack(recall)  # (classes, draws, 2)
    known, unknown = found[:-1].mean(axis=0), found[-1]
    h = 2 * known * unknown / np.maximum(known + unknown, 1e-12)
    low, high = np.quantile(h[:, 1] - h[:, 0], [0.025, 0.975])
    return float(low), float(high)


def open_scores_of(outputs: Mapping[str, Outputs], labels: Mapping[str, np.ndarray]) -> dict[str, float]:
    """`<role>_os_star`, `<role>_unk` and `<role>_h_score` for every role whose labels are known.

    Args:
        outputs: a model's answers by role.
        labels: by role, in the classes that the model tells apart.
    """
    scores: dict[str, float] = {}
    for role, seen in outputs.items():
        if (known := labels.get(role)) is None:
            continue
        found = open_set_scores(seen.logits.argmax(axis=1), known, seen.logits.shape[1])
        scores |= {f"{role}_{name}": value for name, value in found.items()}
    return scores
