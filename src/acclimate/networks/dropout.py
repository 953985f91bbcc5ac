"""Dropout for a few bits of randomness a number."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BitDropout(nn.Dropout):
    """`nn.Dropout(p)` that draws the fate of 64 numbers at once on a CPU where p = ½, of 32 where p is ¼ or ¾.

    PyTorch draws each number's by a call of its own, which takes twenty times as long. With b bits to a number, p may
    be any multiple of 2⁻ᵇ for b = 1, 2, 4 or 8. Numbers are dropped independently, and the others divided by 1 − p
    while training. What a seed draws differs from `nn.Dropout`; for another p, compiled, or not on a CPU, it is that.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        bits = _bits(self.p)
        if not self.training or not bits or x.device.type != "cpu" or torch.compiler.is_compiling():
            return super().forward(x)
        dense = x.is_contiguous() or (x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last))
        flat = _factors(x.numel(), self.p, bits, x.dtype)
        # In the order of memory, so that the product runs along it.
        return x * (flat.as_strided(x.shape, x.stride()) if dense else flat.view(x.shape))


def _bits(p: float) -> int:
    """How many bits decide a number's fate; 0 where they cannot."""
    return next((b for b in (1, 2, 4, 8) if 0 < p < 1 and (p * 2**b).is_integer()), 0)


def _factors(n: int, p: float, bits: int, dtype: torch.dtype) -> Tensor:
    """`(n,)`, each 0 with probability p, else 1 / (1 − p)."""
    words = torch.empty(-(-n * bits // 64), dtype=torch.int64).random_(-(2**63), None)
    return F.embedding(words.view(torch.uint8).int(), _of_bytes(p, bits, dtype)).flatten()[:n]


@functools.cache
def _of_bytes(p: float, bits: int, dtype: torch.dtype) -> Tensor:
    """`(256, 8 / bits)`: the factors that each byte stands for."""
    drawn = (torch.arange(256)[:, None] >> torch.arange(0, 8, bits)) & (2**bits - 1)
    factors: Tensor = (drawn >= p * 2**bits) / (1 - p)
    return factors.to(dtype)
