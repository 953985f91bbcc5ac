"""How figures look: sizes, colours, placing labels, and turning a figure into SVG that follows the page's theme.

One unit of a figure is one CSS pixel at its natural size. Every colour below becomes a CSS variable of the page, so
that the same figure suits light paper, a dark screen and print.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from scipy.optimize import isotonic_regression

INK, FAINT, RULE, PAPER = "#202124", "#5f6670", "#cdd1d6", "#fdfdfc"
# Okabe & Ito's colours that stand out on white, then four more to make twelve.
BLUE, VERMILLION, GREEN, SKY, PURPLE, ORANGE = "#0072b2", "#d55e00", "#009e73", "#56b4e9", "#cc79a7", "#e69f00"
CLASS_COLOURS = (
    BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, "#882255", "#999933", "#5b4bb7", "#7f7f7f", "#8c510a", "#44aa99",
)  # fmt: skip
# Cells of a matrix, and text on full ones: these two stay dark and light in every theme.
CELL, ON_CELL = "#0072b1", "#fefefe"
VARIABLES = {INK: "ink", FAINT: "faint", RULE: "rule", PAPER: "paper", CELL: "cell", ON_CELL: "on-cell"} | {
    colour: f"c{i}" for i, colour in enumerate(CLASS_COLOURS)
}

FONT = 11.0
SMALL = 9.5
_UNITS_PER_INCH = 72
_ROUNDS = 200
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: searchable, in the reader's font, in any script
    "svg.hashsalt": "acclimate",
    "text.parse_math": False,
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def panel(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, sizes in CSS pixels."""
    figure = Figure(figsize=(width / _UNITS_PER_INCH, height / _UNITS_PER_INCH), layout="constrained")
    figure.patch.set_visible(False)
    axes = figure.add_subplot()
    axes.patch.set_visible(False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(colors=FAINT, labelsize=SMALL, length=3, color=RULE)
    return figure, axes


def title(axes: Axes, text: str) -> None:
    """A left-aligned title: what is shown, with its unit."""
    axes.set_title(text, loc="left", fontsize=FONT, color=INK, pad=8)


def axis_name(axes: Axes, text: str) -> None:
    """Name the x axis."""
    axes.set_xlabel(text, fontsize=SMALL, color=FAINT)


def ticks(axis: Axis, most: int, *, integer: bool = False) -> None:
    """At most so many ticks, at round numbers."""
    axis.set_major_locator(MaxNLocator(most, integer=integer, steps=[1, 2, 2.5, 5, 10]))


def shortened(name: str, longest: int = 16) -> str:
    """A name that fits beside an axis; what is left out is left out of its middle, where names differ least."""
    name = " ".join(name.split())
    tail = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[: longest - 1 - tail]}…{name[-tail:]}"


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions at least `gap` apart, in the order of `wanted` and as near to it as possible, within [low, high].

    Least squares under the order: an isotonic regression of the positions less their rank times the gap. Where there
    is too little room, the gap shrinks.
    """
    n = len(wanted)
    gap = min(gap, (high - low) / max(1, n - 1))
    order = np.argsort(np.asarray(wanted, dtype=float), kind="stable")
    ranks = np.arange(n) * gap
    fitted = isotonic_regression(np.asarray(wanted, dtype=float)[order] - ranks).x
    placed = np.empty(n)
    placed[order] = np.clip(fitted, low, high - ranks[-1] if n else high) + ranks
    return [float(p) for p in placed]


def separated(points: np.ndarray, sizes: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Push the centres of boxes apart until they no longer overlap, each pair along the shorter way.

    Where the boxes do not all fit, some overlap is left.

    Args:
        points: `(n, 2)` centres.
        sizes: `(n, 2)` widths and heights.
        low: `(2,)` corner of the area to stay in.
        high: `(2,)` its opposite corner.

    Returns:
        Centres `(n, 2)`.
    """
    moved = np.array(points, dtype=float)
    for _ in range(_ROUNDS):
        clear = True
        moved = np.clip(moved, low + sizes / 2, np.maximum(high - sizes / 2, low + sizes / 2))
        for i, j in itertools.combinations(range(len(moved)), 2):
            apart = moved[j] - moved[i]
            overlap = (sizes[i] + sizes[j]) / 2 - np.abs(apart)
            if (overlap <= 1e-9).any():
                continue
            clear = False
            axis = int(np.argmin(overlap))
            shift = overlap[axis] / 2 * (1 if apart[axis] >= 0 else -1)
            moved[i, axis] -= shift
            moved[j, axis] += shift
        if clear:
            break
    return moved


@dataclass(frozen=True, eq=False)
class End:
    """A label for the end of a line."""

    text: str
    value: float
    colour: str
    bold: bool = False


def name_ends(axes: Axes, ends: Sequence[End], gap: float) -> None:
    """Write each end's label to the right of the axes, as near to its value as its neighbours allow."""
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    for end, y in zip(ends, spread([e.value for e in ends], gap, low, high), strict=True):
        axes.annotate(
            end.text,
            (right, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=FONT,
            color=end.colour,
            fontweight="bold" if end.bold else "normal",
            annotation_clip=False,
        )


def halo(text: Text) -> None:
    """Let a label stand out from what lies behind it; the page's style sheet draws the rim."""
    text.set_gid("halo")


def svg(figure: Figure, description: str) -> Markup:
    """The figure as inline SVG that takes its colours and its font from the page.

    Args:
        figure: made with `panel`.
        description: what it shows, for those who cannot see it.
    """
    source = standalone_svg(figure)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', source).groups()  # type: ignore[union-attr]
    body = source[source.index(">", source.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    prefix = f"fig{zlib.crc32(source.encode()):08x}"
    body = re.sub(r"<[^>]+>", lambda tag: _themed(tag[0], prefix), body)
    opening = f'<svg role="img" aria-label="{escape(description)}" viewBox="0 0 {width} {height}"'
    return Markup(f'{opening} style="--width: {float(width):.0f}px">{body}')


def _themed(tag: str, prefix: str) -> str:
    """One tag, without what a page does not need; text between tags, which may be anybody's, is never touched."""
    tag = re.sub(r'<g id="halo">', '<g class="halo">', tag)
    tag = re.sub(r'<g id="[^"]*">', "<g>", tag)
    tag = re.sub(r"font-family: [^;]*; ", "", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    tag = re.sub(r"(\d\.\d{2})\d+", r"\1", tag)
    tag = re.sub(r'\b(id="|url\(#|href="#)', rf"\1{prefix}", tag)
    for colour, name in VARIABLES.items():
        tag = tag.replace(colour, f"var(--{name})")
    return tag


def standalone_svg(figure: Figure) -> str:
    """The figure as an SVG file, in fixed colours."""
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # The reader's browser has the glyphs that the font used for measuring lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for text in figure.findobj(Text):
            assert isinstance(text, Text)
            text.set_parse_math(False)  # a dollar sign in a class name is a dollar sign
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    return buffer.getvalue()
