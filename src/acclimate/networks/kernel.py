"""Features that say how near an input is to each of some rows, by a Gaussian kernel."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class KernelFeatures(nn.Module):
    """x to K(x, c_l) = exp(−γ ‖x − c_l‖²) for m rows c_l; 0 for rows that have not been set.

    Args:
        width: d, of the inputs.
        most: m, rows that there is room for.

    Attributes:
        rows: `(m, d)`.
        filled: `(m,)`, 1 for rows that are set.
        gamma: γ.
    """

    rows: Tensor
    filled: Tensor
    gamma: Tensor

    def __init__(self, width: int, most: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(most, width))
        self.register_buffer("filled", torch.zeros(most))
        self.register_buffer("gamma", torch.tensor(1.0))

    def store(self, rows: Tensor, gamma: float) -> None:
        """Take over at most m rows `(l, d)`."""
        self.rows.zero_()
        self.filled.zero_()
        self.rows[: len(rows)] = rows.to(self.rows)
        self.filled[: len(rows)] = 1.0
        self.gamma.fill_(gamma)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, d)` to `(b, m)`."""
        near = x.square().sum(dim=1, keepdim=True) + self.rows.square().sum(dim=1) - 2 * x @ self.rows.T
        return torch.exp(-self.gamma * near.clamp(min=0)) * self.filled
