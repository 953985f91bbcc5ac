"""4×4 convolutions of stride 2 between an image of 2×2 pixels and a single one, as the matrix products they are.

With padding 1 only the middle 2×2 of such a kernel ever meets the image. The product of just that part has the same
values and gradients (the rest of the kernel has gradient zero either way) at a quarter of the arithmetic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ToPoint(nn.Conv2d):
    """`nn.Conv2d(inputs, outputs, 4, 2, 1)` for images `(b, inputs, 2, 2)`.

    Args:
        inputs: feature maps that come in.
        outputs: feature maps that go out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs, 2, 2)` to `(b, outputs, 1, 1)`."""
        return F.linear(_rows(x), _rows(_middle(self.weight)), self.bias)[:, :, None, None]


class FromPoint(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)` for images `(b, inputs, 1, 1)`.

    Args:
        inputs: feature maps that come in.
        outputs: feature maps that go out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4, 2, 1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """`(b, inputs, 1, 1)` to `(b, outputs, 2, 2)`."""
        rows = torch.mm(x.flatten(1), _rows(_middle(self.weight)))
        made = rows.view(x.shape[0], 2, 2, self.out_channels).permute(0, 3, 1, 2)
        return made if self.bias is None else made + self.bias[:, None, None]


def _middle(weight: Tensor) -> Tensor:
    """`(o, i, 4, 4)` to `(o, i, 2, 2)`: padding whose gradient is one copy in the weight's own layout."""
    return F.pad(weight, (-1, -1, -1, -1))


def _rows(x: Tensor) -> Tensor:
    """`(b, c, h, w)` to `(b, h·w·c)`, channels last, as training keeps images and weights: a view then."""
    return x.permute(0, 2, 3, 1).flatten(1)
