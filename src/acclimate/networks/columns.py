"""Some columns of a table, each brought to one scale, in places of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


class Columns(nn.Module):
    """z_p = (x_i − mean) / std for pairs of an input i and a place p; 0 in all other places.

    Args:
        inputs: which columns of x are taken.
        places: where in the output each goes.
        width: numbers of the output.
    """

    inputs: Tensor
    places: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, inputs: Sequence[int], places: Sequence[int], width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("inputs", torch.tensor(inputs, dtype=torch.long))
        self.register_buffer("places", torch.tensor(places, dtype=torch.long))
        self.register_buffer("mean", torch.zeros(len(inputs)))
        self.register_buffer("std", torch.ones(len(inputs)))

    def forward(self, x: Tensor) -> Tensor:
        """`(b, columns)` to `(b, width)`."""
        z = (x[:, self.inputs] - self.mean) / self.std
        return z.new_zeros(x.shape[0], self.width).index_copy(1, self.places, z)

    def scale_by(self, mean: np.ndarray, std: np.ndarray) -> None:
        """Set both, `(inputs,)` each; a deviation of 0, of a constant, becomes 1."""
        self.mean.copy_(torch.from_numpy(mean))
        self.std.copy_(torch.from_numpy(np.where(std > 1e-8, std, 1.0)))
