"""Shares that something counts with: kept with the networks, not learnt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Shares(nn.Module):
    """How much each of several parts counts, in shares that sum to 1.

    Args:
        weights: m numbers ≥ 0, not all 0.
    """

    shares: Tensor

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        found = torch.tensor(weights, dtype=torch.float32)
        self.register_buffer("shares", found / found.sum())
