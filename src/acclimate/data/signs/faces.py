"""The 43 signs of GTSRB as their road regulations describe them: a plate, its colours, and what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

import numpy as np

from acclimate.data.signs import pictograms
from acclimate.data.signs.canvas import (
    BLACK,
    BLUE,
    GREY,
    RED,
    WHITE,
    YELLOW,
    Canvas,
    Colour,
    Point,
    arc,
    around,
    mirrored,
)
from acclimate.data.signs.pictograms import Pictogram, arrow, car, lorry

SIDE = 80

Face = Callable[[Canvas], None]


def _ban(canvas: Canvas, drawn: Face | None = None) -> None:
    """A red ring on white."""
    canvas.disc((0, 0), 0.98, WHITE)
    canvas.disc((0, 0), 0.95, RED)
    canvas.disc((0, 0), 0.7, WHITE)
    if drawn:
        drawn(canvas)


def _limit(canvas: Canvas, number: int) -> None:
    """So many kilometres an hour."""
    _ban(canvas, lambda c: c.text(str(number), (0, 0), 0.72, 1.08 if number > 99 else 0.92, BLACK))


def _end(canvas: Canvas, drawn: Face | None = None) -> None:
    """What was forbidden, in grey, struck out by five lines."""
    canvas.disc((0, 0), 0.98, WHITE)
    canvas.ring((0, 0), 0.96, 0.05, GREY)
    if drawn:
        drawn(canvas)
    for k in range(-2, 3):
        a = 0.11 * k
        canvas.line([(-0.6 + a, 0.6 + a), (0.6 + a, -0.6 + a)], 0.055, BLACK)


def _cars(canvas: Canvas, left: Colour, right: Colour = BLACK) -> None:
    """A car that passes another."""
    car(canvas, (-0.31, -0.04), 0.54, left)
    car(canvas, (0.31, -0.04), 0.54, right)


def _lorry_and_car(canvas: Canvas, left: Colour, right: Colour = BLACK) -> None:
    """A lorry that passes a car."""
    lorry(canvas, (-0.26, -0.02), 0.7, left)
    car(canvas, (0.38, 0.04), 0.46, right)


def _warning(canvas: Canvas, drawn: Pictogram) -> None:
    """A red triangle on white, its corner up; what it warns of stands a little below the middle."""
    centre = (0.0, 0.28)
    for radius, colour in ((1.14, WHITE), (1.09, RED), (0.74, WHITE)):
        canvas.polygon(around(3, radius, centre=centre), colour)
    drawn(canvas)


def _give_way(canvas: Canvas) -> None:
    """A red triangle, its corner down, and nothing else."""
    centre = (0.0, -0.28)
    for radius, colour in ((1.14, WHITE), (1.09, RED), (0.66, WHITE)):
        canvas.polygon(around(3, radius, 180, centre), colour)


def _priority_road(canvas: Canvas) -> None:
    """A yellow square on its corner, edged with white."""
    for radius, colour in ((0.99, BLACK), (0.95, WHITE), (0.66, YELLOW)):
        canvas.polygon(around(4, radius), colour)


def _stop(canvas: Canvas) -> None:
    """A red octagon with the word."""
    for radius, colour in ((1.04, WHITE), (0.98, RED)):
        canvas.polygon(around(8, radius, 22.5), colour)
    canvas.text("STOP", (0, 0), 0.52, 1.5, WHITE)


def _no_entry(canvas: Canvas) -> None:
    """A white bar on red."""
    canvas.disc((0, 0), 0.98, WHITE)
    canvas.disc((0, 0), 0.94, RED)
    canvas.polygon([(-0.72, -0.17), (0.72, -0.17), (0.72, 0.17), (-0.72, 0.17)], WHITE)


def _order(canvas: Canvas, paths: Sequence[Sequence[Point]], head: float = 0.34) -> None:
    """White arrows on blue."""
    canvas.disc((0, 0), 0.98, WHITE)
    canvas.disc((0, 0), 0.95, BLUE)
    for path in paths:
        arrow(canvas, path, 0.2, head, WHITE)


_TURN: Sequence[Point] = [(-0.26, 0.56), (-0.26, 0.02), (-0.16, -0.08), (0.2, -0.08)]
_AHEAD: Sequence[Point] = [(0, 0.6), (0, -0.26)]
_AHEAD_BESIDE: Sequence[Point] = [(-0.2, 0.6), (-0.2, -0.24)]
_OFF: Sequence[Point] = [(-0.2, 0.3), (-0.08, 0.18), (0.24, 0.18)]
_PAST: Sequence[Point] = [(-0.36, -0.36), (0.2, 0.2)]


def _roundabout(canvas: Canvas) -> None:
    """Three arrows, one behind the other, to the left as traffic goes that keeps to the right."""
    _order(canvas, [mirrored(arc((0, 0), 0.5, start, start + 62)) for start in (-25, 95, 215)], 0.26)


def _limits() -> dict[str, Face]:
    numbers = (20, 30, 50, 60, 70, 80, 100, 120)
    return {f"speed limit {number}": partial(_limit, number=number) for number in numbers}


def _warnings() -> dict[str, Face]:
    drawn: dict[str, Pictogram] = {
        "priority at next crossing": pictograms.crossing,
        "danger": pictograms.exclamation,
        "bend to the left": partial(pictograms.bend, left=True),
        "bend to the right": partial(pictograms.bend, left=False),
        "double bend": pictograms.double_bend,
        "bumpy road": pictograms.bumps,
        "slippery road": pictograms.skid,
        "road narrows on the right": pictograms.narrowing,
        "road works": pictograms.digger,
        "traffic lights": pictograms.lights,
        "pedestrians": pictograms.pedestrian,
        "children": pictograms.children,
        "cyclists": pictograms.bicycle,
        "ice or snow": pictograms.snowflake,
        "wild animals": pictograms.deer,
    }
    return {name: partial(_warning, drawn=pictogram) for name, pictogram in drawn.items()}


def _orders() -> dict[str, Face]:
    paths: dict[str, list[Sequence[Point]]] = {
        "turn right ahead": [_TURN],
        "straight on": [_AHEAD],
        "straight on or right": [_AHEAD_BESIDE, _OFF],
        "keep right": [_PAST],
    }
    left = {
        "turn left ahead": "turn right ahead",
        "straight on or left": "straight on or right",
        "keep left": "keep right",
    }
    paths |= {name: [mirrored(path) for path in paths[other]] for name, other in left.items()}
    return {name: partial(_order, paths=drawn) for name, drawn in paths.items()}


FACES: Mapping[str, Face] = {
    **_limits(),
    **_warnings(),
    **_orders(),
    "end of speed limit 80": partial(_end, drawn=lambda c: c.text("80", (0, 0), 0.72, 0.92, GREY)),
    "no overtaking": partial(_ban, drawn=partial(_cars, left=RED)),
    "no overtaking by lorries": partial(_ban, drawn=partial(_lorry_and_car, left=RED)),
    "priority road": _priority_road,
    "give way": _give_way,
    "stop": _stop,
    "no vehicles": _ban,
    "no lorries": partial(_ban, drawn=partial(lorry, centre=(0, 0), width=0.96, colour=BLACK)),
    "no entry": _no_entry,
    "end of all limits": _end,
    "roundabout": _roundabout,
    "end of no overtaking": partial(_end, drawn=partial(_cars, left=GREY, right=GREY)),
    "end of no overtaking by lorries": partial(_end, drawn=partial(_lorry_and_car, left=GREY, right=GREY)),
}


@cache
def faces(names: tuple[str, ...]) -> np.ndarray:
    """Signs by name, colours times coverage and coverage: float32 `(len(names), 80, 80, 4)` in [0, 1]; read-only."""
    drawn = []
    for name in names:
        FACES[name](canvas := Canvas(SIDE))
        drawn.append(canvas.finished())
    found = np.stack(drawn)
    found.setflags(write=False)
    return found
