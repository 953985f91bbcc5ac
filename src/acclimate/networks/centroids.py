"""Centroids of classes that are computed, not learnt."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Centroids(nn.Module):
    """A centroid of each class, and whether it has any.

    Args:
        num_classes: k.
        width: d of the vectors.
    """

    vectors: Tensor
    present: Tensor

    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(num_classes, width))
        self.register_buffer("present", torch.zeros(num_classes, dtype=torch.bool))

    def set(self, vectors: Tensor, present: Tensor) -> None:
        """Take centroids `(k, d)`, and which classes have one, `(k,)`."""
        self.vectors.copy_(vectors)
        self.present.copy_(present)

    def forward(self, x: Tensor) -> Tensor:
        """Cosines `(b, k)` of vectors `(b, d)` and centroids; −∞ for a class that has none."""
        cosines = x @ nn.functional.normalize(self.vectors, dim=1).T
        return cosines.masked_fill(~self.present, -torch.inf)
