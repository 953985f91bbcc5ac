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


def consensus(candidates: Sequence[np.ndarray]) -> np.ndarray:
    """EnsV, how often each candidate answers as all of them together: `(K,)` shares in [0, 1].

        mean_x 1[argmax p_i(x) = argmax Σ_j p_j(x)]

    No worse a choice than the ensemble is as a model; where all candidates err alike it errs with them.

    Source: Hu, Luo, Liang & Foo, "Towards Reliable Model Selection for Unsupervised Domain Adaptation", NeurIPS 2024.

    Args:
        candidates: class probabilities `(m, k)` of each of K candidates, on the same examples.

    >>> a, b, c = np.array([[0.9, 0.1]] * 4), np.array([[0.6, 0.4]] * 4), np.array([[0.4, 0.6]] * 4)
    >>> consensus([a, b, c])
    array([1., 1., 0.])
    """
    together = np.mean(candidates, axis=0).argmax(axis=1)
    return np.array([(p.argmax(axis=1) == together).mean() for p in candidates])


def stability(scores: np.ndarray, changed: np.ndarray) -> float:
    """Share of target examples whose answer stays when they are augmented; in [0, 1].

        mean_x 1[ŷ(x) = ŷ(a(x))]

    Source: French, Mackiewicz & Fisher, "Self-ensembling for visual domain adaptation", ICLR 2018, which trains for
    it; Ericsson, Li & Hospedales, "Better Practices for Domain Adaptation", AutoML 2023, as a score.

    Args:
        scores: logits `(m, k)` of the examples.
        changed: logits `(m, k)` of the same, augmented.

    >>> stability(np.eye(2), np.eye(2)[[0, 0]])
    0.5
    """
    return float((scores.argmax(axis=1) == changed.argmax(axis=1)).mean())


def mixtures(scores: np.ndarray, mixed: np.ndarray, partners: np.ndarray) -> tuple[float, float]:
    """MixVal: share of mixtures λ x_i + (1 − λ) x_j, λ > ½, answered as x_i; of pairs answered alike, and apart.

    Alike, the mixture tells whether classes hang together; apart, whether a boundary lies between them.

    Source: Hu, Liang, Liew, Xue, Bai & Wang, "Mixed Samples as Probes for Unsupervised Model Selection in Domain
    Adaptation", NeurIPS 2023, where the two are ranked apart and the ranks averaged.

    Args:
        scores: logits `(m, k)` of the target's examples.
        mixed: logits `(m, k)` of the mixtures, the i-th of which is mostly x_i.
        partners: `(m,)` the j of each.

    Returns:
        Two shares in [0, 1]; NaN where there is no such pair.

    >>> mixtures(np.eye(2)[[0, 0, 1, 1]], np.eye(2)[[0, 0, 0, 1]], np.array([1, 2, 3, 0]))
    (0.5, 1.0)
    """
    answers = scores.argmax(axis=1)
    kept, alike = answers == mixed.argmax(axis=1), answers == answers[partners]
    return _share(kept[alike]), _share(kept[~alike])


def _share(holds: np.ndarray) -> float:
    return float(holds.mean()) if len(holds) else float("nan")
