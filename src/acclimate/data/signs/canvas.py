"""A canvas for signs: shapes in a sign's own units, drawn large and brought down, so that edges are smooth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from acclimate.data.fonts import font_path

Point = tuple[float, float]
Colour = tuple[int, int, int]

RED, BLUE, YELLOW, GREEN = (196, 24, 32), (16, 72, 160), (250, 196, 16), (16, 132, 72)
BLACK, GREY, WHITE = (20, 20, 22), (128, 130, 132), (244, 244, 242)

_FINE = 4
_FONT = "DejaVuSans-Bold.ttf"


class Canvas:
    """A square picture of a sign, which reaches from −1 to 1 to the right and downwards; around it nothing.

    Args:
        side: pixels a side of the finished picture.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self._image = Image.new("RGBA", (side * _FINE, side * _FINE))
        self._draw = ImageDraw.Draw(self._image)

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        """A filled outline."""
        self._draw.polygon([self._place(point) for point in points], fill=colour)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        (x, y), r = self._place(centre), self._long(radius)
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def ring(self, centre: Point, radius: float, width: float, colour: Colour) -> None:
        """A circle's line, of some width inwards."""
        (x, y), r = self._place(centre), self._long(radius)
        self._draw.ellipse((x - r, y - r, x + r, y + r), outline=colour, width=round(self._long(width)))

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A stroke with round ends and corners."""
        places = [self._place(point) for point in points]
        self._draw.line(places, fill=colour, width=round(self._long(width)))
        r = self._long(width) / 2
        for x, y in places:
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def text(self, text: str, centre: Point, height: float, width: float, colour: Colour) -> None:
        """Bold letters, whose ink has this height and is at most so wide: road signs have narrow ones."""
        face = ImageFont.truetype(font_path(_FONT), 400, layout_engine=ImageFont.Layout.BASIC)
        left, top, right, bottom = face.getbbox(text)
        ink = Image.new("L", (int(right - left), int(bottom - top)))
        ImageDraw.Draw(ink).text((-left, -top), text, font=face, fill=255)
        high = self._long(height)
        wide = min(high * ink.width / ink.height, self._long(width))
        ink = ink.resize((round(wide), round(high)), Image.Resampling.BOX)
        x, y = self._place(centre)
        self._image.paste(colour, (round(x - ink.width / 2), round(y - ink.height / 2)), ink)

    def finished(self) -> np.ndarray:
        """Colours times coverage, and coverage: float32 `(side, side, 4)` in [0, 1]."""
        fine = np.asarray(self._image, dtype=np.float32) / 255
        fine[..., :3] *= fine[..., 3:]
        return np.asarray(fine.reshape(self.side, _FINE, self.side, _FINE, 4).mean(axis=(1, 3)))

    def _place(self, point: Point) -> Point:
        half = self.side * _FINE / 2
        return half + point[0] * half, half + point[1] * half

    def _long(self, length: float) -> float:
        return length * self.side * _FINE / 2


def around(sides: int, radius: float, turned: float = 0.0, centre: Point = (0.0, 0.0)) -> list[Point]:
    """The corners of a regular polygon; the first points upwards, turned clockwise by so many degrees."""
    angles = np.deg2rad(turned + 360 * np.arange(sides) / sides)
    return [(centre[0] + radius * float(np.sin(a)), centre[1] - radius * float(np.cos(a))) for a in angles]


def arc(centre: Point, radius: float, start: float, stop: float, steps: int = 24) -> list[Point]:
    """Points on a circle from one angle to another, in degrees clockwise from upwards."""
    angles = np.deg2rad(np.linspace(start, stop, steps))
    return [(centre[0] + radius * float(np.sin(a)), centre[1] - radius * float(np.cos(a))) for a in angles]


def mirrored(points: Iterable[Point]) -> list[Point]:
    """The same on the other side."""
    return [(-x, y) for x, y in points]
