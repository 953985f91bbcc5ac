"""What stands on signs, each drawn by a rule of our own in a box around a centre: cars, people, animals, arrows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acclimate.data.signs.canvas import BLACK, GREEN, RED, YELLOW, Canvas, Colour, Point, arc, around, mirrored

Pictogram = Callable[[Canvas], None]


def arrow(canvas: Canvas, path: Sequence[Point], width: float, head: float, colour: Colour) -> None:
    """A stroke along a path, with a head of some size at its end."""
    (x0, y0), (x1, y1) = path[-2:]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    along, across = ((x1 - x0) / length, (y1 - y0) / length), (-(y1 - y0) / length, (x1 - x0) / length)
    canvas.line(path, width, colour)
    tip = (x1 + along[0] * head, y1 + along[1] * head)
    wings = [(x1 + s * across[0] * head * 0.8, y1 + s * across[1] * head * 0.8) for s in (-1, 1)]
    canvas.polygon([tip, *wings], colour)


def car(canvas: Canvas, centre: Point, width: float, colour: Colour) -> None:
    """From behind: body, roof, two wheels."""
    x, y = centre
    w = width / 2
    canvas.polygon([(x - w, y), (x + w, y), (x + w, y + 0.75 * w), (x - w, y + 0.75 * w)], colour)
    roof = [(x - 0.75 * w, y), (x - 0.5 * w, y - 0.6 * w), (x + 0.5 * w, y - 0.6 * w), (x + 0.75 * w, y)]
    canvas.polygon(roof, colour)
    for s in (-1, 1):
        wheel = x + s * 0.7 * w
        canvas.polygon(
            [
                (wheel - 0.2 * w, y + 0.7 * w),
                (wheel + 0.2 * w, y + 0.7 * w),
                (wheel + 0.2 * w, y + w),
                (wheel - 0.2 * w, y + w),
            ],
            colour,
        )


def lorry(canvas: Canvas, centre: Point, width: float, colour: Colour, *, facing: int = -1) -> None:
    """From the side: a load, a cab, wheels."""
    x, y = centre
    w = width / 2

    def at(*points: Point) -> list[Point]:
        return [(x + facing * -a * w, y + b * w) for a, b in points]

    canvas.polygon(at((-0.35, -0.65), (1, -0.65), (1, 0.4), (-0.35, 0.4)), colour)
    canvas.polygon(at((-1, 0), (-0.8, -0.4), (-0.42, -0.4), (-0.42, 0.4), (-1, 0.4)), colour)
    for a in (-0.65, 0.3, 0.75):
        canvas.disc(at((a, 0.45))[0], 0.19 * w, colour)


def person(canvas: Canvas, centre: Point, height: float, colour: Colour = BLACK, *, stride: float = 0.28) -> None:
    """Walking to the left: head, trunk, two legs, two arms."""
    x, y = centre
    h = height

    def at(a: float, b: float) -> Point:
        return x + a * h, y + b * h

    canvas.disc(at(0, -0.42), 0.09 * h, colour)
    canvas.line([at(0, -0.28), at(0.01, 0.05)], 0.15 * h, colour)
    canvas.line([at(0, 0.02), at(-stride / 2, 0.24), at(-stride, 0.46)], 0.09 * h, colour)
    canvas.line([at(0.02, 0.02), at(stride / 2, 0.24), at(stride, 0.44)], 0.09 * h, colour)
    canvas.line([at(0, -0.26), at(-stride * 0.9, -0.02)], 0.07 * h, colour)
    canvas.line([at(0, -0.26), at(stride * 0.8, -0.04)], 0.07 * h, colour)


def exclamation(canvas: Canvas) -> None:
    """Danger of any kind."""
    canvas.polygon([(-0.1, -0.36), (0.1, -0.36), (0.06, 0.2), (-0.06, 0.2)], BLACK)
    canvas.disc((0, 0.36), 0.09, BLACK)


def crossing(canvas: Canvas) -> None:
    """A thick road ahead, which a thin one crosses."""
    canvas.polygon(
        [(0, -0.42), (0.15, -0.2), (0.09, -0.2), (0.09, 0.46), (-0.09, 0.46), (-0.09, -0.2), (-0.15, -0.2)], BLACK
    )
    canvas.line([(-0.32, 0.14), (0.32, 0.14)], 0.09, BLACK)


def bend(canvas: Canvas, *, left: bool) -> None:
    """Straight on, then to one side."""
    path = [(0.12, 0.46), (0.12, 0.08), (-0.08, -0.14)]
    arrow(canvas, path if left else mirrored(path), 0.13, 0.2, BLACK)


def double_bend(canvas: Canvas) -> None:
    """To the left and back again."""
    arrow(canvas, [(0.14, 0.46), (0.14, 0.26), (-0.14, 0.06), (-0.14, -0.08), (0.0, -0.22)], 0.11, 0.18, BLACK)


def bumps(canvas: Canvas) -> None:
    """Two humps on a road."""
    for x in (-0.22, 0.22):
        canvas.polygon([(x - 0.22, 0.3), *arc((x, 0.3), 0.2, -90, 90), (x + 0.22, 0.3)], BLACK)
    canvas.line([(-0.48, 0.34), (0.48, 0.34)], 0.1, BLACK)


def skid(canvas: Canvas) -> None:
    """A car, and the waves behind its wheels."""
    car(canvas, (0.02, -0.14), 0.42, BLACK)
    for x in (-0.14, 0.18):
        canvas.line([(x, 0.14), (x - 0.12, 0.24), (x + 0.06, 0.34), (x - 0.08, 0.46)], 0.07, BLACK)


def narrowing(canvas: Canvas) -> None:
    """A road that loses width on the right."""
    canvas.line([(-0.18, 0.46), (-0.18, -0.28)], 0.11, BLACK)
    canvas.line([(0.3, 0.46), (0.3, 0.2), (0.08, 0.0), (0.08, -0.28)], 0.11, BLACK)


def digger(canvas: Canvas) -> None:
    """A man with a shovel, and what he has dug out."""
    canvas.disc((-0.02, -0.26), 0.09, BLACK)
    canvas.line([(0.02, -0.14), (0.16, 0.1)], 0.15, BLACK)
    canvas.line([(0.16, 0.1), (0.06, 0.26), (0.1, 0.44)], 0.09, BLACK)
    canvas.line([(0.18, 0.1), (0.28, 0.26), (0.36, 0.44)], 0.09, BLACK)
    canvas.line([(0.04, -0.1), (-0.1, 0.08), (-0.26, 0.3)], 0.06, BLACK)
    canvas.polygon([(-0.5, 0.47), (-0.34, 0.24), (-0.16, 0.47)], BLACK)


def lights(canvas: Canvas) -> None:
    """Red over yellow over green."""
    for y, colour in ((-0.2, RED), (0.1, YELLOW), (0.4, GREEN)):
        canvas.disc((0, y), 0.135, colour)


def pedestrian(canvas: Canvas) -> None:
    """Somebody on a crossing."""
    person(canvas, (0, 0), 0.72)
    canvas.line([(-0.44, 0.44), (0.44, 0.44)], 0.05, BLACK)


def children(canvas: Canvas) -> None:
    """Two who run, a larger and a smaller one, hand in hand."""
    person(canvas, (-0.12, 0.06), 0.68, stride=0.34)
    person(canvas, (0.2, 0.14), 0.54, stride=0.3)


def bicycle(canvas: Canvas) -> None:
    """Wheels, a frame, a saddle and handlebars."""
    for x in (-0.26, 0.26):
        canvas.ring((x, 0.24), 0.2, 0.055, BLACK)
    frame = [(-0.26, 0.24), (-0.12, -0.06), (0.16, -0.06), (0.0, 0.24), (-0.26, 0.24)]
    canvas.line(frame, 0.055, BLACK)
    canvas.line([(0.0, 0.24), (-0.14, -0.14)], 0.055, BLACK)
    canvas.line([(-0.22, -0.14), (-0.06, -0.14)], 0.06, BLACK)
    canvas.line([(0.26, 0.24), (0.14, -0.18), (0.24, -0.22)], 0.055, BLACK)


def snowflake(canvas: Canvas) -> None:
    """Six branched rays."""
    centre = (0.0, 0.12)
    for x, y in around(6, 0.38, centre=centre):
        canvas.line([centre, (x, y)], 0.055, BLACK)
    for turned in (-10, 10):
        for (x, y), (a, b) in zip(around(6, 0.36, turned, centre), around(6, 0.22, centre=centre), strict=True):
            canvas.line([(a, b), (x, y)], 0.045, BLACK)


def deer(canvas: Canvas) -> None:
    """It leaps to the left."""
    canvas.polygon([(-0.2, -0.02), (0.2, 0.08), (0.26, 0.22), (0.04, 0.26), (-0.16, 0.18)], BLACK)
    canvas.line([(-0.14, 0.02), (-0.24, -0.16)], 0.1, BLACK)
    canvas.line([(-0.24, -0.17), (-0.36, -0.1)], 0.08, BLACK)
    canvas.line([(-0.22, -0.2), (-0.16, -0.38), (-0.24, -0.44)], 0.04, BLACK)
    canvas.line([(-0.17, -0.34), (-0.06, -0.42)], 0.04, BLACK)
    canvas.line([(-0.12, 0.16), (-0.32, 0.26), (-0.42, 0.2)], 0.06, BLACK)
    canvas.line([(-0.06, 0.2), (-0.2, 0.38)], 0.06, BLACK)
    canvas.line([(0.22, 0.16), (0.34, 0.32), (0.44, 0.46)], 0.07, BLACK)
    canvas.line([(0.16, 0.22), (0.22, 0.36), (0.3, 0.48)], 0.06, BLACK)
