"""A linear map of inputs of any form, taken as vectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.networks.adopted import Adopted


class Projection(Adopted):
    """z = W x + b, W and b computed and set by `adopt(weight=…, bias=…)`; zeros before.

    Args:
        width: of z until then.
        unit: whether x is scaled to length 1 first, and z afterwards.

    Attributes:
        weight: `(p, d)`, d the numbers of an input.
        bias: `(p,)`.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, *, unit: bool = False) -> None:
        super().__init__()
        self.unit = unit
        self.register_buffer("weight", torch.zeros(width, 1))
        self.register_buffer("bias", torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """`(b, …)` to `(b, p)`."""
        x = x.flatten(1)
        if self.weight.shape[1] != x.shape[1]:
            return x.new_zeros(x.shape[0], self.weight.shape[0])
        if not self.unit:
            return F.linear(x, self.weight, self.bias)
        return F.normalize(F.linear(F.normalize(x), self.weight, self.bias))


class Scaled(Adopted):
    """z = (x − mean) / std, each number by its own; both set by `adopt`, nothing is done before.

    Attributes:
        mean: `(d,)`.
        std: `(d,)`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("std", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """`(b, …)` to `(b, d)`."""
        return (x.flatten(1) - self.mean) / self.std
