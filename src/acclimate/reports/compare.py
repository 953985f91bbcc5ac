"""Several methods side by side: a table, every seed as a point, and accuracy against numbers of target labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from acclimate.errors import RequestError
from acclimate.metrics.intervals import mean_ci95
from acclimate.reports.drawing import (
    BLUE,
    CLASS_COLOURS,
    FONT,
    INK,
    RULE,
    VERMILLION,
    End,
    axis_name,
    name_ends,
    panel,
    shortened,
    standalone_svg,
    svg,
    ticks,
    title,
)
from acclimate.reports.page import render
from acclimate.reports.wording import capital, duration
from acclimate.runs.files import write_text
from acclimate.runs.scores import ACCURACY

_PUBLISHED = "Published, %"
_BALANCED = "Balanced accuracy, %"
_NUMBERS = {1, 2, 3, 5}  # columns of `_headings`


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One method's results.

    Attributes:
        title: its name.
        accuracies: target accuracy of each seed, or what is `scored` instead, as fractions; at least one.
        wall_s: mean seconds per seed.
        published: the accuracy that others report, as a fraction, or None.
        published_source: who reports it.
        series: what rows that differ in nothing but the number of target labels are called together; empty for a row
            without such others.
        labels_per_class: labelled target examples a class, on average over classes; None where that is not known.
        balanced: mean recall of the target's classes for each seed, as fractions, where these differ in size; empty
            where they hardly do, or nobody recorded it.
        scored: what `accuracies` are, in words; the same for all rows of a table.
    """

    title: str
    accuracies: tuple[float, ...]
    wall_s: float
    published: float | None = None
    published_source: str = ""
    series: str = ""
    labels_per_class: float | None = None
    balanced: tuple[float, ...] = ()
    scored: str = ACCURACY

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
        return _mean_of(self.accuracies)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        published = "–" if self.published is None else f"{100 * self.published:.1f}"
        source = f" ({self.published_source})" if self.published_source else ""
        balanced = _mean_of(self.balanced) if self.balanced else "–"
        return self.title, self.score, balanced, str(len(self.accuracies)), published + source, duration(self.wall_s)


def _mean_of(values: Sequence[float]) -> str:
    half = mean_ci95(values)
    return f"{100 * float(np.mean(values)):.1f}" + ("" if math.isnan(half) else f" ± {100 * half:.1f}")


def _headings(rows: Sequence[ComparisonRow]) -> tuple[str, ...]:
    return "Method", f"{_scored(rows)}, %", _BALANCED, "Seeds", _PUBLISHED, "Time per seed"


def _scored(rows: Sequence[ComparisonRow]) -> str:
    return capital(rows[0].scored)


def _shown(rows: Sequence[ComparisonRow], left_out: Sequence[str] = ()) -> list[int]:
    """Which columns are shown: of scores in which classes count alike, only where a row has some."""
    hidden = {*left_out, *([] if any(row.balanced for row in rows) else [_BALANCED])}
    return [i for i, heading in enumerate(_headings(rows)) if heading not in hidden]


def markdown_table(rows: Sequence[ComparisonRow]) -> str:
    """The rows as a Markdown table: scores as mean ± half of Student's 95 % interval over seeds."""
    headings = _headings(rows)
    rules = tuple("--:" if i in _NUMBERS else "---" for i in range(len(headings)))
    lines, shown = [headings, rules, *(row.cells for row in rows)], _shown(rows)
    return "".join(f"| {' | '.join(_escaped(cells[i]) for i in shown)} |\n" for cells in lines)


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
    axis_name(axes, f"{rows[0].scored}, %")
    return figure


def label_series(rows: Sequence[ComparisonRow]) -> dict[str, list[ComparisonRow]]:
    """Rows of each series with several numbers of target labels, fewest labels first."""
    found: dict[str, list[ComparisonRow]] = {}
    for row in rows:
        if row.series and row.labels_per_class is not None:
            found.setdefault(row.series, []).append(row)
    return {
        name: sorted(members, key=_labels)
        for name, members in found.items()
        if len({_labels(row) for row in members}) > 1
    }


def _labels(row: ComparisonRow) -> float:
    assert row.labels_per_class is not None, "label_series leaves those out"
    return row.labels_per_class


def labels_figure(series: Mapping[str, Sequence[ComparisonRow]]) -> Figure:
    """Mean accuracy with its 95 % interval against labelled target examples a class, a line for each series.

    Args:
        series: from `label_series`, at least one.
    """
    figure, axes = panel(420, 265)
    ends: list[End] = []
    edges: list[float] = []
    for i, (name, rows) in enumerate(series.items()):
        colour = CLASS_COLOURS[i % len(CLASS_COLOURS)]
        # A little to the side, so that intervals at the same number of labels do not hide each other.
        beside = offset_copy(axes.transData, figure, x=3 * (i - (len(series) - 1) / 2), units="dots")
        labels, means = [_labels(row) for row in rows], [100 * row.mean for row in rows]
        reach = [0.0 if math.isnan(row.ci95) else 100 * row.ci95 for row in rows]
        edges += [mean + side * r for mean, r in zip(means, reach, strict=True) for side in (-1, 1)]
        style: Any = {"color": colour, "markersize": 4, "linewidth": 1.6, "elinewidth": 1, "transform": beside}
        axes.errorbar(labels, means, yerr=reach, fmt="-o", **style)
        ends.append(End(f"{shortened(name, 18)} {means[-1]:.1f}", means[-1], colour))
    counts = sorted({_labels(row) for rows in series.values() for row in rows})
    # Logarithmic, as each further label is worth less; of 1 + x, as there may be none.
    axes.set_xscale("function", functions=(np.log1p, np.expm1))
    axes.set_xlim(*np.expm1(_padded(np.log1p(counts[0]), np.log1p(counts[-1]))))
    axes.set_xticks(counts, [f"{count:.3g}" for count in counts])
    # The interval of two seeds can reach far beyond what an accuracy can be.
    low, high = _padded(max(0.0, min(edges)), min(100.0, max(edges)))
    axes.set_ylim(low, high)
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    ticks(axes.yaxis, 5)
    title(axes, f"{_scored(next(iter(series.values())))}, %")
    axis_name(axes, "labelled target examples a class")
    name_ends(axes, ends, gap=0.065 * (high - low))
    return figure


def _padded(low: float, high: float) -> tuple[float, float]:
    """A little more than from `low` to `high`, which may be the same."""
    pad = 0.05 * (high - low) or 1.0
    return low - pad, high + pad


def write_comparison(rows: Sequence[ComparisonRow], path: Path, heading: str = "Comparison") -> Path:
    """Write the table, the figure and, where rows differ in their number of target labels, another, atomically.

    Args:
        rows: at least one, in the order to show.
        path: a name that ends in .html, for one self-contained page, or in .md, for a table that links to a figure
            of the same name written beside it as .svg, and to the other as -labels.svg.
        heading: what the page is called.

    Returns:
        `path`.

    Raises:
        RequestError: if there are no rows, or the name ends otherwise.
    """
    if not rows:
        raise RequestError("rows", "must hold at least one method", "none", "Give one row for each method.")
    if path.suffix not in (".html", ".md"):
        raise RequestError("path", "must end in .html or .md", repr(str(path)), "For example: comparison.html")
    figures = {path.with_suffix(".svg"): (comparison_figure(rows), finding_of(rows))}
    if series := label_series(rows):
        figures[path.with_name(f"{path.stem}-labels.svg")] = labels_figure(series), _labels_finding(series)
    if path.suffix == ".md":
        for picture, (figure, _) in figures.items():
            write_text(picture, standalone_svg(figure))
        links = "".join(f"\n![{finding}]({picture.name})\n" for picture, (_, finding) in figures.items())
        write_text(path, f"# {_escaped(heading)}\n\n{markdown_table(rows)}{links}")
        return path
    published = any(row.published is not None for row in rows)
    shown = _shown(rows, [] if published else [_PUBLISHED])
    page = render(
        "comparison.html.j2",
        title=heading,
        published=published,
        scored=_scored(rows),
        headings=[_headings(rows)[i] for i in shown],
        rows=[[row.cells[i] for i in shown] for row in rows],
        figures=[svg(*figure) for figure in figures.values()],
    )
    write_text(path, page)
    return path


def finding_of(rows: Sequence[ComparisonRow]) -> str:
    """The figure of accuracies in words."""
    return f"{_scored(rows)} over seeds, %: {'; '.join(f'{row.title} {row.score}' for row in rows)}."


def _labels_finding(series: Mapping[str, Sequence[ComparisonRow]]) -> str:
    """The other figure in words."""
    courses = (
        f"{name} {', '.join(f'{row.score} with {_labels(row):.3g}' for row in rows)}" for name, rows in series.items()
    )
    return f"{_scored(next(iter(series.values())))} by labelled target examples a class, %: {'; '.join(courses)}."
