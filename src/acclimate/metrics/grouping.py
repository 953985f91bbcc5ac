"""How well answers group examples, whatever each group is called."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from acclimate.types import UNLABELLED, Outputs


def fowlkes_mallows(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Agreement of two groupings over pairs of examples, in [0, 1]; NaN without a known label.

        TP / √((TP + FP) (TP + FN))

    TP counts pairs that are together in both, FP those together in the answers alone, FN those together in the truth
    alone. Renaming groups changes nothing, which makes it the score to read where no label ties an answer to a name.

    Source: Fowlkes & Mallows, Journal of the American Statistical Association 78, 1983.

    Args:
        predicted: `(n,)` answers.
        labels: `(n,)`; rows with −1 are left out.

    Example:
        >>> fowlkes_mallows(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
        1.0
    """
    known = labels != UNLABELLED
    if not known.any():
        return float("nan")
    from sklearn.metrics import fowlkes_mallows_score

    return float(fowlkes_mallows_score(labels[known], predicted[known]))


def grouping_scores(outputs: Mapping[str, Outputs], labels: Mapping[str, np.ndarray]) -> dict[str, float]:
    """`<role>_fowlkes_mallows` for every role whose labels are known.

    Args:
        outputs: a model's answers by role.
        labels: by role.
    """
    return {
        f"{role}_fowlkes_mallows": fowlkes_mallows(seen.logits.argmax(axis=1), labels[role])
        for role, seen in outputs.items()
        if role in labels and (labels[role] != UNLABELLED).any()
    }
