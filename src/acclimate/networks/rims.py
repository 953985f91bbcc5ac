"""4×4 convolutions of stride 2 at the rim of a network, where an image has one or three channels.

Drawing an image from feature maps, and the gradient towards an image, are one and the same map. On a CPU PyTorch's
kernel for it pads the channels to the width of a register and takes six times as long as the same sums do when they
are taken over planes: a matrix product gives every pixel's sixteen contributions, which are then added up.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd
from torch.autograd import Function
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight


class FromImage(nn.Conv2d):
    """`nn.Conv2d(channels, outputs, 4, 2, 1)` for images of few channels.

    Args:
        channels: of the image.
        outputs: feature maps that go out.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(channels, outputs, 4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, channels, 2h, 2w)` to `(b, outputs, h, w)`."""
        if x.device.type != "cpu":
            return super().forward(x)
        return _biased(_Halved.apply(x, self.weight), self.bias)  # type: ignore[no-untyped-call]


class ToImage(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d(inputs, channels, 4, 2, 1)` to images of few channels.

    Args:
        inputs: feature maps that come in.
        channels: of the image.
    """

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__(inputs, channels, 4, 2, 1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """`(b, inputs, h, w)` to `(b, channels, 2h, 2w)`."""
        if x.device.type != "cpu":
            return super().forward(x, output_size)
        return _biased(_Doubled.apply(x, self.weight), self.bias)  # type: ignore[no-untyped-call]


def _biased(x: Tensor, bias: Tensor | None) -> Tensor:
    return x if bias is None else x + bias[:, None, None]


class _Halved(Function):
    """The convolution; its gradient towards the image is `_Doubled`."""

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, None, 2, 1)

    @staticmethod
    @custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        for_x, for_weight = ctx.needs_input_grad
        to_x = _Doubled.apply(gradient, weight) if for_x else None  # type: ignore[no-untyped-call]
        return to_x, _to_weight(x, gradient, weight) if for_weight else None


class _Doubled(Function):
    """The transposed convolution; its gradient towards the feature maps is `_Halved`."""

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _drawn(x, weight)

    @staticmethod
    @custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        for_x, for_weight = ctx.needs_input_grad
        to_x = _Halved.apply(gradient, weight) if for_x else None  # type: ignore[no-untyped-call]
        return to_x, _to_weight(gradient, x, weight) if for_weight else None


def _to_weight(image: Tensor, maps: Tensor, weight: Tensor) -> Tensor:
    """The gradient of either towards its weight `(maps, channels, 4, 4)`."""
    return conv2d_weight(image, weight.shape, maps, 2, 1)  # type: ignore[no-any-return, no-untyped-call]


def _drawn(x: Tensor, weight: Tensor) -> Tensor:
    """Σ over the kernel: row 2a takes kernel rows 1 at a and 3 at a − 1, row 2a + 1 rows 2 at a and 0 at a + 1."""
    b, inputs, h, w = x.shape
    channels = weight.shape[1]
    rows = x.permute(0, 2, 3, 1).reshape(-1, inputs)
    planes = torch.mm(weight.reshape(inputs, -1).t(), rows.t()).view(channels, 4, 4, b, h, w)
    image = x.new_empty(channels, b, h, 2, w, 2)
    for i, across in enumerate(_halves(planes, 1, -2)):
        for j, pixels in enumerate(_halves(across, 1, -1)):
            image[:, :, :, i, :, j] = pixels
    return image.view(channels, b, 2 * h, 2 * w).transpose(0, 1)


def _halves(planes: Tensor, kernel: int, along: int) -> tuple[Tensor, Tensor]:
    """Even and odd pixels along an axis, from the contributions of a kernel's four rows or columns; in place."""
    after, even, odd, before = planes.unbind(kernel)
    n = even.shape[along]
    even.narrow(along, 1, n - 1).add_(before.narrow(along, 0, n - 1))
    odd.narrow(along, 0, n - 1).add_(after.narrow(along, 1, n - 1))
    return even, odd
