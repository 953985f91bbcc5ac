"""How much each class of the source counts: computed of answers on the target, not learnt."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from acclimate.types import Examples


class ClassWeights(nn.Module):
    """A weight for each class; all are 1 until some are set.

    Args:
        num_classes: k.
    """

    weights: Tensor
    counts: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.ones(num_classes))
        self.register_buffer("counts", torch.zeros(num_classes))

    def set(self, shares: Tensor) -> None:
        """Take weights in proportion to `(k,)` shares, 1 on average over the source's labelled examples.

        Those are what `counts` has, `(k,)`, of each class. Where none of them is of a class that has a share, all
        weights are 1.
        """
        mean = (self.counts * shares).sum() / self.counts.sum().clamp(min=1)
        self.weights.copy_(shares / mean if mean > 0 else torch.ones_like(shares))

    def of(self, labels: Tensor) -> Tensor:
        """The weights `(b,)` of examples with these labels."""
        return self.weights[labels]

    def weighed(self, examples: Examples) -> Examples:
        """The examples, each counting as much as its class does; on top of what it counts already."""
        own = self.of(examples.y)
        return replace(examples, weights=own if examples.weights is None else own * examples.weights)
