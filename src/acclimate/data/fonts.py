"""Digit glyphs of free fonts, as distance fields: drawn once, sampled at any size, angle and stroke width.

The fonts are those that matplotlib carries with it (DejaVu, STIX, Computer Modern), so that a generated data set
needs nothing installed. A list of names fixes which and in what order. Left out are symbol fonts, which have other
signs or nothing at 0…9, DejaVu Sans Mono, whose zero has a bar inside, and `cmmi10`, whose old-style figures differ
in height.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

FONTS = (
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-BoldOblique.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSans.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-BoldItalic.ttf",
    "DejaVuSerif-Italic.ttf",
    "DejaVuSerif.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralBolIta.ttf",
    "STIXGeneralItalic.ttf",
    "cmb10.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
    "cmti10.ttf",
    "cmtt10.ttf",
)
DIGITS = tuple("0123456789")

# Digits are drawn `_HEIGHT` pixels high, give or take one, and kept at a third of that, in cells with room around.
_HEIGHT, _REDUCTION, _CELL = 144, 3, 112
_PIXELS = np.float32(_HEIGHT / _REDUCTION)


@dataclass(frozen=True, eq=False)
class Glyphs:
    """The ten digits of every font, each with its ink one unit high (within 2 %), centred on the origin.

    Attributes:
        fields: float32 `(fonts, 10, 112, 112)`: signed distance to the outline in units of the digit's height,
            positive inside the ink; 48 cell pixels are one unit.
        widths: float32 `(fonts, 10)`: width of the ink, in the same unit.
    """

    fields: np.ndarray
    widths: np.ndarray

    def sample(self, font: np.ndarray, digit: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distances at points, interpolated bilinearly.

        Args:
            font: indices into `FONTS`; broadcast against the points, as is `digit`.
            digit: digits 0…9.
            x: rightwards from the centre of the ink, in units of its height.
            y: downwards likewise. Points beyond the cell take the value at its edge.

        Returns:
            float32, in the shape of the points.
        """
        column, right = _grid(x)
        row, down = _grid(y)
        flat = self.fields.reshape(-1)
        corner = (font * len(DIGITS) + digit).astype(np.int32) * np.int32(_CELL**2) + row * np.int32(_CELL) + column
        above = _between(flat[corner], flat[corner + 1], right)
        corner += _CELL
        below = _between(flat[corner], flat[corner + 1], right)
        return _between(above, below, down)


def _grid(coordinate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell pixel at or before a coordinate, and how far beyond its middle the coordinate lies, in [0, 1]."""
    position = coordinate.astype(np.float32) * _PIXELS + np.float32((_CELL - 1) / 2)
    position = np.clip(position, 0, np.float32(_CELL - 1))
    before = np.minimum(position.astype(np.int32), _CELL - 2)
    return before, position - before.astype(np.float32)


def _between(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.asarray(first + (second - first) * share)


def font_path(name: str) -> Path:
    """Where matplotlib keeps a font of `FONTS`."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name


def rendering_versions() -> dict[str, str]:
    """The versions that decide a glyph's exact pixels: equal versions, equal bytes."""
    from PIL import features

    found = {name: metadata.version(name) for name in ("matplotlib", "numpy", "pillow", "scipy")}
    return {"freetype": str(features.version("freetype2")), **found}


@cache
def glyphs() -> Glyphs:
    """All digits of all fonts, drawn at the first call (about a second)."""
    drawn = [[_field(_bitmap(font, digit)) for digit in DIGITS] for font in FONTS]
    fields = np.array([[field for field, _ in row] for row in drawn], dtype=np.float32)
    widths = np.array([[width for _, width in row] for row in drawn], dtype=np.float32)
    for array in (fields, widths):
        array.setflags(write=False)
    return Glyphs(fields, widths)


def _field(ink: np.ndarray) -> tuple[np.ndarray, float]:
    """Signed distances around a glyph, and the width of its ink, both in units of its height."""
    from scipy.ndimage import distance_transform_edt

    height, width = ink.shape
    side = _CELL * _REDUCTION
    top, left = (side - height) // 2, (side - width) // 2
    cell = np.zeros((side, side), dtype=bool)
    cell[top : top + height, left : left + width] = ink
    # Half a pixel on either side of the outline: distances to it, not to the nearest pixel of the other colour.
    field = np.where(cell, distance_transform_edt(cell) - 0.5, 0.5 - distance_transform_edt(~cell))
    blocks = field.reshape(_CELL, _REDUCTION, _CELL, _REDUCTION).mean(axis=(1, 3))
    return blocks / height, width / height


def _bitmap(font: str, digit: str) -> np.ndarray:
    """The digit's ink as bool `(height, width)`, cut to its box and about `_HEIGHT` pixels high."""
    trial = _draw(font, digit, _HEIGHT)
    return _draw(font, digit, _HEIGHT * _HEIGHT / trial.shape[0])


def _draw(font: str, digit: str, size: float) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    # The basic layout engine is part of every Pillow; the other one is not, and may place glyphs differently.
    face = ImageFont.truetype(font_path(font), size, layout_engine=ImageFont.Layout.BASIC)
    picture = Image.new("L", (3 * _HEIGHT, 3 * _HEIGHT))
    ImageDraw.Draw(picture).text((_HEIGHT, _HEIGHT // 2), digit, font=face, fill=255)
    ink = np.asarray(picture) >= 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
