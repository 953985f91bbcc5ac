"""Dropout of one half, for a bit of randomness a number."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class HalfDropout(nn.Dropout):
    """`nn.Dropout()` that draws 64 numbers' fate at once on a CPU, where PyTorch draws each by a call of its own.

    Numbers are dropped with probability ½, independently, and the others doubled while training. What a seed draws
    differs from `nn.Dropout`; elsewhere than on a CPU it is that.
    """

    def __init__(self) -> None:
        super().__init__(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        if not self.training or x.device.type != "cpu":
            return super().forward(x)
        dense = x.is_contiguous() or (x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last))
        flat = _kept(x.numel(), x.dtype)
        # In the order of memory, so that the product runs along it.
        return x * (flat.as_strided(x.shape, x.stride()) if dense else flat.view(x.shape))


def _kept(n: int, dtype: torch.dtype) -> Tensor:
    """`(n,)`, each 0 or 2 with probability ½."""
    words = torch.empty(-(-n // 64), dtype=torch.int64).random_(-(2**63), None)
    return F.embedding(words.view(torch.uint8).int(), _eights(dtype)).flatten()[:n]


@functools.cache
def _eights(dtype: torch.dtype) -> Tensor:
    """`(256, 8)`: the bits of each byte, as 0 and 2."""
    return (2 * ((torch.arange(256)[:, None] >> torch.arange(8)) & 1)).to(dtype)
