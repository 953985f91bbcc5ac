"""Objectives on which examples belong together, as pairs of a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def same_top_features(features: Tensor, top: int) -> Tensor:
    """Which pairs of examples have the same strongest features, in whatever order: bool `(b, b)`.

    Source: Han, Rebuffi, Ehrhardt, Vedaldi & Zisserman, "Automatically Discovering and Learning New Visual Categories
    with Ranking Statistics", ICLR 2020, section 2.2.

    Args:
        features: `(b, d)`.
        top: how many features are compared, at most d.

    Example:
        >>> f = torch.tensor([[3.0, 2.0, 0.0], [1.0, 9.0, 0.0], [0.0, 1.0, 2.0]])
        >>> same_top_features(f, 2).int().tolist()
        [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    """
    strongest = features.detach().topk(min(top, features.shape[1]), dim=1).indices
    marked = torch.zeros(features.shape, device=features.device).scatter(1, strongest, 1.0)
    return marked @ marked.T > strongest.shape[1] - 0.5


def pairwise_agreement_loss(p: Tensor, other: Tensor, same: Tensor) -> Tensor:
    """Binary cross-entropy of whether two examples are answered alike with whether they belong together.

        L = −1/b² Σ_ij [s_ij log a_ij + (1 − s_ij) log(1 − a_ij)],    a_ij = p_iᵀ p′_j

    Source: Li, Li, Shi & Yu, CVPR 2021, equation 3 (without the adversary), as a mean over pairs.

    Args:
        p: answers `(b, k)` to one view of each example, as probabilities.
        other: answers p′ `(b, k)` to another view of each.
        same: s, bool `(b, b)`.

    Example:
        >>> p = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
        >>> round(float(pairwise_agreement_loss(p, p, torch.eye(2, dtype=torch.bool))), 4)
        0.5199
    """
    alike = (p @ other.T).clamp(1e-6, 1 - 1e-6)
    return F.binary_cross_entropy(alike, same.to(alike))
