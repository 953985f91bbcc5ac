"""Drawings cut to what is drawn: where on the sheet somebody drew, and how large, says nothing of what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.images import to_channels
from acclimate.data.ink import SIDE, cut_to_ink, has_ink

__all__ = ["SIDE", "has_ink", "trimmed"]


def trimmed(sketches: Domain) -> Domain:
    """Dark drawings on light paper, each cut to a square around its ink and resized to 128 pixels, in grey.

    On Sketchy a linear classifier of frozen features gets 4 points more of its validation sketches right for it.

    Args:
        sketches: images of any size.
    """
    grey = (to_channels(sketches.array[i : i + 1], 1)[0, ..., 0] for i in range(len(sketches)))
    inputs = np.stack([cut_to_ink(sheet) for sheet in grey]) if len(sketches) else np.empty((0, SIDE, SIDE), np.uint8)
    return replace(sketches, inputs=inputs[..., None])
