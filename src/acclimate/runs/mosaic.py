"""Pictures in rows and columns as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

GAP = 2
_BETWEEN = 3


def mosaic(rows: Sequence[np.ndarray], gap: int = GAP, group: int = 0) -> Image.Image:
    """One picture of many, with transparent gaps, so that it suits light and dark pages.

    Args:
        rows: each uint8 `(n, h, w, c)` with the same h, w and c; n may differ, and is 1 or more in one of them.
        gap: pixels between two pictures.
        group: rows that belong together, so that a larger gap comes after so many of them; 0 for none.
    """
    n, (h, w, c) = max(len(row) for row in rows), rows[0].shape[1:]
    tops = [i * (h + gap) + (i // group * _BETWEEN * gap if group else 0) for i in range(len(rows))]
    out = np.zeros((tops[-1] + h, n * (w + gap) - gap, c + 1), dtype=np.uint8)
    for top, row in zip(tops, rows, strict=True):
        for j, picture in enumerate(row):
            place = out[top : top + h, j * (w + gap) : j * (w + gap) + w]
            place[..., :c], place[..., c] = picture, 255
    return Image.fromarray(out, "LA" if c == 1 else "RGBA")
