"""Random views of whole batches, whatever they hold: the same thing seen otherwise, slightly or strongly."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.data.warp import warp


def slightly(x: Tensor) -> Tensor:
    """Images bent by a third of `warp`'s full strength; a tenth of all features or words left out.

    Args:
        x: images `(b, c, h, w)`, features `(b, d)`, or numbers of words `(b, n)`, 0 being none.

    Returns:
        The same shape, drawn with torch's global generator. What is left of features is scaled up, as dropout does.
    """
    return _view(x, 0.35, 0.1)


def strongly(x: Tensor) -> Tensor:
    """Images bent with `warp`'s full strength; three tenths of all features or words left out; as `slightly`."""
    return _view(x, 1.0, 0.3)


def _view(x: Tensor, bent: float, left_out: float) -> Tensor:
    if not x.is_floating_point():
        return x * (torch.rand(x.shape, device=x.device) >= left_out)
    return warp(x, bent) if x.ndim == 4 else F.dropout(x, left_out)
