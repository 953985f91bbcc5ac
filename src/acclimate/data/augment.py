"""Whole-batch image transforms. No per-image Python where images are small: a batch is one gather."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# Above this many pixels a row, copying one window per image beats one gather of single pixels: measured at
# 224×224, windows were 2.3 times as fast; at 32×32 the gather was 1.2 times as fast.
_WINDOW_COPY_FROM = 96


def random_crop(images: Tensor, size: int, pad: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Pad with zeros, cut a window of `size` × `size` at a random place, and mirror half of the images.

    Args:
        images: uint8 `(b, h, w, c)`.
        size: side of the window, at most h + 2·pad and w + 2·pad.
        pad: zeros added on every side first, in pixels.
        flip: mirror each image left to right with probability ½.
        generator: source of the draws.

    Returns:
        uint8 `(b, size, size, c)`.
    """
    if pad:
        images = torch.nn.functional.pad(images, (0, 0, pad, pad, pad, pad))
    b, h, w, _ = images.shape
    top = torch.randint(0, h - size + 1, (b,), generator=generator)
    left = torch.randint(0, w - size + 1, (b,), generator=generator)
    mirrored = torch.rand(b, generator=generator) < 0.5 if flip else torch.zeros(b, dtype=torch.bool)
    if size >= _WINDOW_COPY_FROM:
        return _windows(images, size, top, left, mirrored)
    return _gather(images, size, top, left, mirrored)


def _windows(images: Tensor, size: int, top: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    out = images.new_empty(len(images), size, size, images.shape[3])
    for i, (y, x, mirror) in enumerate(zip(top.tolist(), left.tolist(), mirrored.tolist(), strict=True)):
        window = images[i, y : y + size, x : x + size]
        out[i] = window.flip(1) if mirror else window
    return out


def _gather(images: Tensor, size: int, top: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    b, h, w, c = images.shape
    steps = torch.arange(size)
    rows = top[:, None] + steps  # (b, size)
    columns = left[:, None] + torch.where(mirrored[:, None], size - 1 - steps, steps)  # (b, size)
    first = torch.arange(b).mul_(h * w)[:, None, None]
    pixels = (first + rows[:, :, None] * w + columns[:, None, :]).flatten().to(images.device)
    return images.reshape(-1, c).index_select(0, pixels).reshape(b, size, size, c)


def centre_crop(images: Tensor, size: int) -> Tensor:
    """Cut the middle `size` × `size` window out of uint8 `(b, h, w, c)` images."""
    h, w = images.shape[1:3]
    top, left = (h - size) // 2, (w - size) // 2
    return images[:, top : top + size, left : left + size]


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Turn bytes into network input: (x / 255 − mean) / std.

    Args:
        images: uint8 `(b, h, w, c)`.
        mean: per channel, in units of [0, 1].
        std: likewise.

    Returns:
        float32 `(b, c, h, w)` in channels-last memory order.
    """
    b, h, w, c = images.shape
    mean_, std_ = (torch.tensor(v, dtype=torch.float32, device=images.device) for v in (mean, std))
    # Broadcasting over whole rows of w·c values instead of c = 3 runs four times as fast.
    scale, offset = (1 / (255 * std_)).repeat(w), (mean_ / std_).repeat(w)
    rows = images.reshape(b, h, w * c).float().mul_(scale).sub_(offset)
    return rows.view(b, h, w, c).permute(0, 3, 1, 2)


def denormalise(x: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Turn network input back into bytes: 255 (x · std + mean), rounded, and cut off at 0 and 255.

    Args:
        x: float `(b, c, h, w)`; what is no number becomes 0.
        mean: as for `normalise`.
        std: likewise.

    Returns:
        uint8 `(b, h, w, c)`.
    """
    mean_, std_ = (torch.tensor(v, dtype=torch.float32, device=x.device) for v in (mean, std))
    bytes_ = (x.float().permute(0, 2, 3, 1) * std_ + mean_) * 255
    return bytes_.nan_to_num(0.0).clamp(0, 255).round().to(torch.uint8)
