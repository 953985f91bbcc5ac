"""One drawing cut to what is drawn."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE = 128
_MARGIN = 0.08
_INK = 200  # of 255; paper and the grey around strokes are lighter


def has_ink(sheet: np.ndarray) -> bool:
    """Whether anything is drawn on a sheet, uint8 `(h, w)` or `(h, w, c)`."""
    return bool((sheet < _INK).any())


def cut_to_ink(sheet: np.ndarray) -> np.ndarray:
    """Uint8 `(h, w)` to `(128, 128)`; a sheet without ink is resized as it is."""
    ink = sheet < _INK
    if not ink.any():
        return np.asarray(Image.fromarray(sheet).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ends = np.array([[rows[0], rows[-1] + 1], [columns[0], columns[-1] + 1]])
    side = int(np.ceil((ends[:, 1] - ends[:, 0]).max() * (1 + 2 * _MARGIN)))
    # Always down: rounded to even, a half would go up or down by where on the sheet the drawing lies.
    top, left = np.floor(ends.mean(axis=1) - side / 2).astype(int)
    paper = np.full((side, side), 255, dtype=np.uint8)
    (y0, y1), (x0, x1) = ((max(at, 0), min(at + side, n)) for at, n in zip((top, left), sheet.shape, strict=True))
    paper[y0 - top : y1 - top, x0 - left : x1 - left] = sheet[y0:y1, x0:x1]
    return np.asarray(Image.fromarray(paper).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
