"""Several methods side by side: a table, and every seed as a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from acclimate.errors import RequestError
from acclimate.metrics.intervals import mean_ci95
from acclimate.reports.drawing import (
    BLUE,
    FONT,
    INK,
    RULE,
    VERMILLION,
    axis_name,
    panel,
    shortened,
    standalone_svg,
    svg,
    ticks,
)
from acclimate.reports.page import render
from acclimate.reports.wording import duration
from acclimate.runs.files import write_text

_PUBLISHED = "Published, %"
_HEADINGS = ("Method", "Target accuracy, %", "Seeds", _PUBLISHED, "Time per seed")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One method's results.

    Attributes:
        title: its name.
        accuracies: target accuracy of each seed, as fractions; at least one.
        wall_s: mean seconds per seed.
        published: the accuracy that others report, as a fraction, or None.
        published_source: who reports it.
    """

    title: str
    accuracies: tuple[float, ...]
    wall_s: float
    published: float | None = None
    published_source: str = ""

    @property
    def mean(self) -> float:
        """Mean accuracy over seeds."""
        return float(np.mean(self.accuracies))

    @property
    def ci95(self) -> float:
        """Half the width of Student's 95 % interval of the mean; NaN for a single seed."""
        return mean_ci95(self.accuracies)

    @property
    def score(self) -> str:
        """Mean ± half of the interval, in percent."""
        return f"{100 * self.mean:.1f}" + ("" if math.isnan(self.ci95) else f" ± {100 * self.ci95:.1f}")

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        published = "–" if self.published is None else f"{100 * self.published:.1f}"
        source = f" ({self.published_source})" if self.published_source else ""
        return self.title, self.score, str(len(self.accuracies)), published + source, duration(self.wall_s)


def markdown_table(rows: Sequence[ComparisonRow]) -> str:
    """The rows as a Markdown table: accuracy as mean ± half of Student's 95 % interval over seeds."""
    lines = [_HEADINGS, ("---", "--:", "--:", "---", "--:"), *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(_escaped(cell) for cell in cells)} |\n" for cells in lines)


def _escaped(cell: str) -> str:
    """A cell that cannot end its column or start a tag."""
    return " ".join(cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split())


def comparison_figure(rows: Sequence[ComparisonRow]) -> Figure:
    """A strip for each method: seeds as dots, the mean with its 95 % interval, published results as diamonds."""
    figure, axes = panel(420, 56 + 30 * len(rows))
    axes.grid(axis="x", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    for y, row in enumerate(rows):
        dots, mean = 100 * np.array(row.accuracies), 100 * row.mean
        reach = 0.0 if math.isnan(row.ci95) else 100 * row.ci95
        axes.errorbar(mean, y + 0.18, xerr=reach, fmt="|", color=INK, markersize=9, elinewidth=1.3)
        axes.scatter(dots, np.full(len(dots), y - 0.12), s=26, color=BLUE, alpha=0.6, linewidths=0)
        if row.published is not None:
            axes.scatter(100 * row.published, y - 0.12, s=30, marker="D", facecolors="none", edgecolors=VERMILLION)
        axes.annotate(
            row.score,
            (1, y),
            xycoords=axes.get_yaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=FONT,
            color=INK,
        )
    axes.set_yticks(range(len(rows)), [shortened(row.title, 22) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    ticks(axes.xaxis, 5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, colors=INK, labelsize=FONT)
    axis_name(axes, "target accuracy, %")
    return figure


def write_comparison(rows: Sequence[ComparisonRow], path: Path, title: str = "Comparison") -> Path:
    """Write the table and the figure, atomically.

    Args:
        rows: at least one, in the order to show.
        path: a name that ends in .html, for one self-contained page, or in .md, for a table that links to a figure
            of the same name written beside it as .svg.
        title: the heading.

    Returns:
        `path`.

    Raises:
        RequestError: if there are no rows, or the name ends otherwise.
    """
    if not rows:
        raise RequestError("rows", "must hold at least one method", "none", "Give one row for each method.")
    if path.suffix not in (".html", ".md"):
        raise RequestError("path", "must end in .html or .md", repr(str(path)), "For example: comparison.html")
    figure = comparison_figure(rows)
    if path.suffix == ".md":
        picture = path.with_suffix(".svg")
        write_text(picture, standalone_svg(figure))
        write_text(path, f"# {_escaped(title)}\n\n{markdown_table(rows)}\n![{_finding(rows)}]({picture.name})\n")
        return path
    published = any(row.published is not None for row in rows)
    shown = [i for i, heading in enumerate(_HEADINGS) if published or heading != _PUBLISHED]
    page = render(
        "comparison.html.j2",
        title=title,
        published=published,
        headings=[_HEADINGS[i] for i in shown],
        rows=[[row.cells[i] for i in shown] for row in rows],
        figure=svg(figure, _finding(rows)),
    )
    write_text(path, page)
    return path


def _finding(rows: Sequence[ComparisonRow]) -> str:
    """The figure in words."""
    return f"Target accuracy over seeds, %: {'; '.join(f'{row.title} {row.score}' for row in rows)}."
