"""A number of features: a linear layer in units of the source's deviation, and the way back to the user's own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Regressor(nn.Module):
    """y = μ + σ z with z = w · x + b; w and b are trained, μ and σ are mean and deviation of the source's numbers.

    Args:
        linear: `(b, d)` to `(b, 1)`.

    Attributes:
        centre: μ, in double precision: numbers such as years leave little of themselves to 32 bits.
        deviation: σ > 0.
    """

    centre: Tensor
    deviation: Tensor

    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        self.linear = linear
        self.register_buffer("centre", torch.zeros((), dtype=torch.float64))
        self.register_buffer("deviation", torch.ones((), dtype=torch.float64))

    def know(self, numbers: np.ndarray) -> None:
        """Take mean and deviation from numbers `(n,)`, not all alike; NaN are left out."""
        self.centre.fill_(float(np.nanmean(numbers)))
        self.deviation.fill_(float(np.nanstd(numbers)))

    def standardised(self, numbers: Tensor) -> Tensor:
        """(y − μ) / σ of numbers `(b,)` of any precision, in 32 bits."""
        return ((numbers - self.centre) / self.deviation).float()

    def z(self, x: Tensor) -> Tensor:
        """Answers `(b,)` to features `(b, d)`, standardised."""
        return self.linear(x).squeeze(1)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Answers `(b, 1)` to features `(b, d)`, in the user's units."""
        return self.centre.float() + self.deviation.float() * self.linear(x)  # type: ignore[no-any-return]
