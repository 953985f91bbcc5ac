"""Answers of a batch that agree between neighbours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def neighbours(features: Tensor, k: int) -> Tensor:
    """Which examples are the k nearest of each by the angle of their features, never itself: 0 or 1, `(b, b)`.

    Args:
        features: `(b, d)`; where a batch has no k others, all of them are its neighbours.
        k: at least 1.

    Example:
        >>> neighbours(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), 1).tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    along = F.normalize(features, dim=1)
    cosines = (along @ along.T).fill_diagonal_(-torch.inf)
    nearest = cosines.topk(min(k, len(features) - 1), dim=1).indices
    return torch.zeros_like(cosines).scatter_(1, nearest, 1.0)


def laplacian_assignments(log_p: Tensor, affinity: Tensor, steps: int = 100) -> Tensor:
    """Shares of classes `(b, k)` near the answers of single examples, and alike for examples that are alike.

        min over Z on the simplex:   Σ_i KL(z_i ‖ p_i) − Σ_ij w_ij z_iᵀ z_j
        by   z_i ← softmax(ln p_i + Σ_j w_ij z_j)   until the objective keeps still, to 10⁻⁸ of it

    Each step lowers a bound of the objective where W is positive semi-definite.

    Source: Boudiaf, Mueller, Ben Ayed & Bertinetto, "Parameter-free Online Test-time Adaptation", CVPR 2022,
    equations 4 and 5.

    Args:
        log_p: logarithms of the answers, `(b, k)`.
        affinity: W `(b, b)`, at least 0.
        steps: most that are taken.

    Example:
        >>> p = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
        >>> w = torch.ones(3, 3) - torch.eye(3)
        >>> laplacian_assignments(p.log(), w).argmax(dim=1).tolist()
        [0, 0, 0]
    """
    assigned, before = log_p.exp(), float("inf")
    for step in range(steps):
        agreed = affinity @ assigned
        assigned = (log_p + agreed).softmax(dim=1)
        objective = float((assigned * (assigned.clamp(min=1e-20).log() - log_p - agreed)).sum())
        if step > 1 and abs(objective - before) <= 1e-8 * abs(before):
            break
        before = objective
    return assigned
