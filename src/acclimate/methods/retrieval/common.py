"""What the methods of this family share: their networks' callbacks and who belongs to whom in a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from acclimate.data.warp import redraw
from acclimate.types import GalleryBatch

Positives = Literal["class", "instance"]


def redrawn(x: Tensor, strength: float) -> Tensor:
    """Queries as other hands would have drawn them; features stay as they are."""
    return redraw(x, strength) if strength and x.ndim == 4 else x


def matches(batch: GalleryBatch, positives: Positives) -> tuple[Tensor, Tensor]:
    """Which items of a batch each query should find, and which it should not.

    Of a query's class is what it should find, or with `"instance"` its own item alone, where that is known; the rest
    of the class then counts for nothing. What it should not find is of other classes; with `"instance"` so is every
    other item.

    Returns:
        Two bool `(b, n)`.
    """
    same = batch.queries.y[:, None] == batch.items.y
    if positives == "class":
        return same, ~same
    known = batch.counterparts.any(dim=1, keepdim=True)
    return batch.counterparts, ~batch.counterparts & known


def learning(nets: Mapping[str, nn.Module], *names: str) -> tuple[str, ...]:
    """Those of the networks that have something to learn."""
    return tuple(name for name in names if any(p.requires_grad for p in nets[name].parameters()))


def no_loss(like: Tensor) -> Tensor:
    """Zero, on the device of another tensor."""
    return torch.zeros((), device=like.device)
