"""What a conditional discriminator reads: features and predictions together, in a width that can be afforded."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from acclimate.objectives.conditioning import multilinear, randomised_multilinear


class Multilinear(nn.Module):
    """Products of features and class probabilities; random sums of them where there are more than `most`.

    It learns nothing: the random matrices are drawn once.

    Source: Long, Cao, Wang & Jordan, NeurIPS 2018, with the paper's 4,096 and 1,024.

    Args:
        width: d, features.
        num_classes: k.
        most: products that are taken as they are.
        size: m, how many random sums there are otherwise.

    Attributes:
        outputs: width of what comes out.
    """

    one: Tensor
    other: Tensor

    def __init__(self, width: int, num_classes: int, most: int = 4096, size: int = 1024) -> None:
        super().__init__()
        self.random = width * num_classes > most
        self.outputs = size if self.random else width * num_classes
        if self.random:
            self.register_buffer("one", torch.randn(width, size))
            self.register_buffer("other", torch.randn(num_classes, size))

    def forward(self, features: Tensor, predictions: Tensor) -> Tensor:
        """`(b, d)` and `(b, k)` to `(b, outputs)`."""
        if self.random:
            return randomised_multilinear(features, predictions, self.one, self.other)
        return multilinear(features, predictions)
