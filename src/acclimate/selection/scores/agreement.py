"""How often models say the same of the target."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np


def seed_agreement(copies: Sequence[np.ndarray]) -> float:
    """Share of target examples that two copies of a model answer alike, the mean over pairs; in [0, 1].

        mean over i < j of  mean_x 1[ŷ_i(x) = ŷ_j(x)]

    Source: Jiang, Nagarajan, Baek & Kolter, "Assessing Generalization of SGD via Disagreement", ICLR 2022: where an
    ensemble of copies is calibrated this is their accuracy.

    Args:
        copies: scores `(m, k)` of each of at least two copies, on the same examples.

    >>> one, two = np.eye(3)[[0, 1, 2, 2]], np.eye(3)[[0, 1, 2, 0]]
    >>> seed_agreement([one, two])
    0.75
    """
    answers = [scores.argmax(axis=1) for scores in copies]
    return float(np.mean([(one == two).mean() for one, two in combinations(answers, 2)]))
