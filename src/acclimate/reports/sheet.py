"""A contact sheet: each query on the left, what was found for it on the right, the most similar first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from acclimate.reports.drawing import BLUE, FAINT, INK, PAPER, RULE

SIDE = 168
MOST = 60  # photos in one row; more are no longer looked at, but scrolled past
_COLUMNS = 5
_GAP, _MARGIN, _CAPTION = 14, 24, 46
_TEXT, _SMALL = 13, 12


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture of the sheet.

    Attributes:
        picture: uint8 `(SIDE, SIDE, 3)`; None where it cannot be had.
        title: set first beneath it.
        name: of its file; what is too long is left out of its middle.
    """

    picture: np.ndarray | None
    title: str
    name: str


@dataclass(frozen=True, eq=False)
class Row:
    """A query and its hits, in order."""

    query: Shown
    hits: Sequence[Shown]


def contact_sheet(rows: Sequence[Row]) -> Image.Image:
    """One picture of queries and hits, light, to look at or print.

    Args:
        rows: 1 or more; of each the first `MOST` hits are shown.
    """
    columns = max(1, min(_COLUMNS, max(len(row.hits) for row in rows)))
    heights = [_cells(row, columns) * (SIDE + _CAPTION) for row in rows]
    left = _MARGIN + SIDE + 2 * _MARGIN
    width = left + columns * (SIDE + _GAP) - _GAP + _MARGIN
    height = 2 * _MARGIN + sum(heights) + (len(rows) - 1) * _MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = _MARGIN
    for number, (row, tall) in enumerate(zip(rows, heights, strict=True)):
        if number:
            draw.line([(_MARGIN, top - _MARGIN // 2), (width - _MARGIN, top - _MARGIN // 2)], RULE)
        _place(sheet, draw, row.query, (_MARGIN, top), BLUE)
        rule = _MARGIN + SIDE + _MARGIN
        draw.line([(rule, top), (rule, top + tall - _CAPTION)], RULE)
        for place, hit in enumerate(row.hits[:MOST]):
            across, down = place % columns, place // columns
            _place(sheet, draw, hit, (left + across * (SIDE + _GAP), top + down * (SIDE + _CAPTION)), RULE)
        top += tall + _MARGIN
    return sheet


def _cells(row: Row, columns: int) -> int:
    """Lines of pictures that a row takes."""
    return max(1, -(-min(MOST, len(row.hits)) // columns))


def _place(sheet: Image.Image, draw: ImageDraw.ImageDraw, shown: Shown, corner: tuple[int, int], frame: str) -> None:
    x, y = corner
    if shown.picture is None:
        draw.text((x + SIDE / 2, y + SIDE / 2), "not there", FAINT, _font(_TEXT), anchor="mm")
    else:
        sheet.paste(Image.fromarray(shown.picture), corner)
    draw.rectangle([(x - 1, y - 1), (x + SIDE, y + SIDE)], outline=frame)
    draw.text((x, y + SIDE + 5), shown.title, INK, _font(_TEXT, bold=True))
    draw.text((x, y + SIDE + 21), _fitting(shown.name), FAINT, _font(_SMALL))


def _fitting(name: str) -> str:
    """As much of both ends of a name as the width of a picture takes."""
    name = " ".join("".join(c if c.isprintable() else "?" for c in name).split())
    font, kept, short = _font(_SMALL), len(name), name
    while kept > 2 and font.getlength(short) > SIDE:
        kept = min(kept - 1, int(kept * max(0.5, SIDE / font.getlength(short))))
        tail = kept * 2 // 3
        short = f"{name[: kept - tail]}…{name[-tail:]}"
    return short


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings."""
    import matplotlib

    file = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", file), size)
