"""Pictures in rows and columns as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

GAP = 2


def mosaic(rows: Sequence[np.ndarray], gap: int = GAP) -> Image.Image:
    """One picture of many, with transparent gaps, so that it suits light and dark pages.

    Args:
        rows: each uint8 `(n, h, w, c)` with the same n ≥ 1, h, w and c.
        gap: pixels between two pictures.
    """
    n, h, w, c = rows[0].shape
    out = np.zeros((len(rows) * (h + gap) - gap, n * (w + gap) - gap, c + 1), dtype=np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            place = out[i * (h + gap) : i * (h + gap) + h, j * (w + gap) : j * (w + gap) + w]
            place[..., :c], place[..., c] = picture, 255
    return Image.fromarray(out, "LA" if c == 1 else "RGBA")
