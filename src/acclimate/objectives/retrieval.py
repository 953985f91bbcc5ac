"""Losses that bring a query near what it should find and away from the rest, as pure functions of unit vectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def batch_hard_triplet(queries: Tensor, items: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Each query is to be nearer to its farthest positive than to its nearest negative, by a margin.

        mean over i of max(0, m + max_{j ∈ P(i)} d(i, j) − min_{j ∈ N(i)} d(i, j)),   d = 1 − cosine

    Source: Hermans, Beyer & Leibe, 2017, "In defense of the triplet loss for person re-identification", equation 5.

    Args:
        queries: `(b, d)` unit rows.
        items: `(n, d)` unit rows.
        positive: bool `(b, n)`: what a query should find.
        negative: bool `(b, n)`: what it should not; what is neither counts for nothing.
        margin: m ≥ 0.

    Returns:
        A scalar; queries without a positive or a negative are left out, 0 if all are.
    """
    distance = 1 - queries @ items.T
    farthest = distance.masked_fill(~positive, -torch.inf).amax(dim=1)
    nearest = distance.masked_fill(~negative, torch.inf).amin(dim=1)
    whole = positive.any(dim=1) & negative.any(dim=1)
    losses = F.relu(margin + farthest - nearest)
    return torch.where(whole, losses, 0.0).sum() / whole.sum().clamp(min=1)


def multi_positive_nce(queries: Tensor, items: Tensor, positive: Tensor, temperature: float) -> Tensor:
    """Contrast: of all items, a query is to pick those that it should find.

        mean over i of −1/|P(i)| Σ_{j ∈ P(i)} ln [ exp(q_i·x_j / τ) / Σ_l exp(q_i·x_l / τ) ]

    With one positive it is InfoNCE (van den Oord et al., 2018, equation 4).

    Source: Khosla et al., NeurIPS 2020, "Supervised contrastive learning", equation 2, between two sets.

    Args:
        queries: `(b, d)` unit rows.
        items: `(n, d)` unit rows.
        positive: bool `(b, n)`: what a query should find.
        temperature: τ > 0.

    Returns:
        A scalar; queries without a positive are left out, 0 if all are.
    """
    scores = (queries @ items.T / temperature).log_softmax(dim=1)
    count = positive.sum(dim=1)
    losses = -torch.where(positive, scores, 0.0).sum(dim=1) / count.clamp(min=1)
    return losses.sum() / (count > 0).sum().clamp(min=1)


def prototype_logits(vectors: Tensor, prototypes: Tensor, scale: float) -> Tensor:
    """Logits of the normalised softmax: the cosine to each class's prototype, times a scale.

    Source: Zhai & Wu, BMVC 2019, "Classification is a strong baseline for deep metric learning", equation 5.

    Args:
        vectors: `(b, d)`.
        prototypes: `(k, d)`.
        scale: inverse temperature > 0.

    Returns:
        `(b, k)`.

    Example:
        >>> prototype_logits(torch.tensor([[3.0, 0]]), torch.eye(2), scale=10.0).tolist()
        [[10.0, 0.0]]
    """
    return scale * F.normalize(vectors) @ F.normalize(prototypes).T
