"""Optimal transport between two batches of equally many examples, where it is an assignment."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F


def cheapest_matching(cost: Tensor) -> Tensor:
    """Which column each row is matched with, one to one, so that the sum of the costs is least.

    Of b points with weight 1/b on either side, some optimal transport moves each as a whole (Birkhoff's theorem), so
    this solves the linear programme exactly.

    Args:
        cost: `(b, b)`, finite; constants.

    Returns:
        `(b,)` indices of columns.

    Example:
        >>> cheapest_matching(torch.tensor([[1.0, 0.0], [1.0, 3.0]])).tolist()
        [1, 0]
    """
    _, columns = linear_sum_assignment(cost.detach().double().cpu().numpy())
    return torch.from_numpy(columns).to(cost.device)


def joint_transport(
    features: tuple[Tensor, Tensor], labels: Tensor, logits: Tensor, distance: float, disagreement: float
) -> Tensor:
    """Cost of moving the source's features and labels to the target's features and predictions.

        L = min over γ of Σ_ij γ_ij (α ‖s_i − t_j‖² + λ CE(y_i, p_j)),    γ with sums 1/b in rows and columns

    γ is found for what features and predictions are now, and is a constant of the gradient.

    Source: Damodaran, Kellenberger, Flamary, Tuia & Courty, DeepJDOT, ECCV 2018.

    Args:
        features: of source and target, `(b, d)` each.
        labels: y of the source, `(b,)`.
        logits: of the target, `(b, k)`; p is their softmax.
        distance: α ≥ 0.
        disagreement: λ ≥ 0.

    Example:
        >>> s, t = torch.tensor([[0.0], [5.0]]), torch.tensor([[6.0], [1.0]])
        >>> round(float(joint_transport((s, t), torch.tensor([0, 1]), torch.zeros(2, 2), 1.0, 1.0)), 4)
        1.6931
    """
    source, target = features
    squares = source.square().sum(dim=1)[:, None] + target.square().sum(dim=1)[None] - 2 * source @ target.T
    cost = distance * squares.clamp(min=0) - disagreement * F.log_softmax(logits, dim=1).T[labels]
    return cost.gather(1, cheapest_matching(cost)[:, None]).mean()
