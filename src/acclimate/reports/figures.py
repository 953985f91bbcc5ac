"""The figures of a report. Each takes plain arrays and returns a matplotlib `Figure`; none keeps global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from acclimate.reports.answers import row_shares
from acclimate.reports.curves import ROLES, Curves, Line, PseudoCurves, smoothed
from acclimate.reports.drawing import (
    BLUE,
    CELL,
    FAINT,
    FONT,
    GREEN,
    INK,
    ON_CELL,
    ORANGE,
    PURPLE,
    RULE,
    SKY,
    SMALL,
    VERMILLION,
    End,
    axis_name,
    name_ends,
    panel,
    shortened,
    ticks,
    title,
)
from acclimate.reports.maps import FEW_CLASSES

NAMED_CLASSES = 25
# Smaller shares would read 0.
_EMPTY = 0.005
_ROLE_COLOURS = {
    "source": BLUE,
    "source_test": SKY,
    "target": VERMILLION,
    "target_test": VERMILLION,
    "target_shifted": ORANGE,
    "target_validation": PURPLE,
}


def accuracy_figure(curves: Curves) -> Figure:
    """Accuracies over epochs, each line named at its end; source-only's on the target dashed.

    Where weights of an earlier epoch were taken, a dot at that epoch has their accuracy.
    """
    figure, axes = panel(400, 265)
    ends = []
    for role, line in curves.accuracy.items():
        target = role == curves.target_role
        course = line if curves.taken is None else Line(line.x[:-1], line.y[:-1])
        _draw(axes, course, _ROLE_COLOURS[role], width=2.2 if target else 1.3)
        if curves.taken is not None:
            _draw(axes, Line(np.array([curves.taken]), line.y[-1:]), _ROLE_COLOURS[role], width=1.3)
        ends.append(End(f"{ROLES[role]} {100 * line.last:.1f}", 100 * line.last, _ROLE_COLOURS[role], bold=target))
    last = max([float(line.x[-1]) for line in curves.accuracy.values()], default=0.0) or 1.0
    if curves.baseline is not None:
        same = float(curves.baseline.x[-1]) <= last
        # A baseline of another length has no place on this axis; its end has.
        line = curves.baseline if same else Line(np.array([0, last]), np.full(2, curves.baseline.last))
        _draw(axes, line, VERMILLION, width=1.1, dashed=True)
        end = 100 * curves.baseline.last
        ends.append(End(f"without adaptation {end:.1f}", end, VERMILLION))
    axes.set(xlim=(-0.02 * last, 1.02 * last), ylim=(0, 100))
    ticks(axes.yaxis, 5)
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    ticks(axes.xaxis, 6, integer=last > 3)
    title(axes, "Accuracy, %")
    axis_name(axes, "epoch")
    name_ends(axes, ends, gap=6)
    return figure


def _draw(axes: Axes, line: Line, colour: str, *, width: float, dashed: bool = False) -> None:
    """A line in percent; a dot where there is a single point."""
    axes.plot(
        line.x,
        100 * line.y,
        color=colour,
        linewidth=width,
        linestyle=(0, (4, 2.5)) if dashed else "-",
        marker="o" if len(line.x) == 1 else "",
        markersize=5,
        clip_on=False,
    )


def loss_figure(name: str, line: Line) -> Figure:
    """One logged number over steps: every point faint, its moving average strong, its final value written out."""
    figure, axes = panel(300, 170)
    average = smoothed(line.y)
    axes.plot(line.x, line.y, color=SKY, linewidth=0.6, alpha=0.8, marker="o" if len(line.x) == 1 else "")
    axes.plot(line.x, average, color=BLUE, linewidth=1.6)
    ticks(axes.xaxis, 4, integer=True)
    ticks(axes.yaxis, 4)
    axes.margins(x=0.02)
    title(axes, spoken(name))
    axis_name(axes, "step")
    if np.isfinite(average[-1]):
        name_ends(axes, [End(f"{average[-1]:.3g}", float(average[-1]), BLUE)], gap=0)
    return figure


def domain_accuracy_figure(line: Line) -> Figure:
    """How often the domain discriminator is right, over steps, with chance at 50 %."""
    figure, axes = panel(300, 170)
    average = 100 * smoothed(line.y)
    axes.axhline(50, color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
    axes.plot(line.x, 100 * line.y, color=SKY, linewidth=0.6, alpha=0.8)
    axes.plot(line.x, average, color=BLUE, linewidth=1.6)
    axes.set_ylim(min(40.0, 100 * float(line.y.min())), 101)
    ticks(axes.xaxis, 4, integer=True)
    ticks(axes.yaxis, 4)
    axes.margins(x=0.02)
    title(axes, "Domain discriminator’s accuracy, %")
    axis_name(axes, "step")
    end = float(average[-1])
    name_ends(axes, [End(f"{end:.0f}", end, BLUE), End("chance", 50, FAINT)], gap=9)
    return figure


def pseudo_label_figure(curves: PseudoCurves) -> Figure:
    """Share of pseudo-labels kept, over steps, and the shares of all and of those kept that are right, if known."""
    figure, axes = panel(300, 190)
    average = Line(curves.kept.x, smoothed(curves.kept.y))
    axes.plot(curves.kept.x, 100 * curves.kept.y, color=SKY, linewidth=0.6, alpha=0.8)
    named = (
        ("kept", average, BLUE),
        ("right of all", curves.right, VERMILLION),
        ("right of kept", curves.right_of_kept, GREEN),
    )
    ends = []
    for name, line, colour in named:
        if line is None:
            continue
        # Dots at evaluation points: one between two gaps would be no line.
        dots = "" if line is average and len(line.x) > 1 else "o"
        axes.plot(line.x, 100 * line.y, color=colour, linewidth=1.6, marker=dots, markersize=2.5)
        if np.isfinite(line.last):
            ends.append(End(f"{name} {100 * line.last:.0f}", 100 * line.last, colour))
    axes.set_ylim(0, 101)
    ticks(axes.xaxis, 4, integer=True)
    ticks(axes.yaxis, 4)
    axes.margins(x=0.02)
    title(axes, "Pseudo-labels, %")
    axis_name(axes, "step")
    name_ends(axes, ends, gap=11)
    return figure


def monitored_figure(name: str, lines: Mapping[str, Line]) -> Figure:
    """A loss over steps on training examples, solid, and on unseen ones, dashed; both sides, named at their ends."""
    figure, axes = panel(400, 230)
    ends = []
    for role, line in lines.items():
        colour = _ROLE_COLOURS[role.removesuffix("_test")]
        unseen = role not in ("source", "target")
        axes.plot(
            line.x,
            line.y,
            color=colour,
            linewidth=1.2 if unseen else 1.8,
            linestyle=(0, (4, 2.5)) if unseen else "-",
            marker="o" if len(line.x) == 1 else "",
        )
        if np.isfinite(line.last):
            ends.append(End(f"{ROLES[role]} {line.last:.3g}", line.last, colour))
    ticks(axes.xaxis, 5, integer=True)
    ticks(axes.yaxis, 4)
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.margins(x=0.02)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if axes.get_ylim()[0] < 0 else 0.0)
    title(axes, spoken(name))
    axis_name(axes, "step")
    low, high = axes.get_ylim()
    name_ends(axes, ends, gap=0.08 * (high - low))
    return figure


def deletion_figure(
    deleted: Sequence[int], attended: Sequence[float], random: Sequence[float], heading: str
) -> Figure:
    """What deleting words does, in percent: the most attended ones, solid, beside random ones, dashed.

    Args:
        deleted: numbers of deleted words, rising.
        attended: what is left, as fractions, one for each.
        random: likewise.
        heading: the title.
    """
    figure, axes = panel(400, 230)
    ways = (("most attended", attended, VERMILLION, "o", "-"), ("random", random, FAINT, "s", (0, (4, 2.5))))
    for _, values, colour, marker, style in ways:
        y = 100 * np.asarray(values)
        axes.plot(deleted, y, color=colour, marker=marker, markersize=4, linewidth=1.6, linestyle=style)
    axes.set_xticks(deleted)
    ticks(axes.yaxis, 5)
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.margins(x=0.03, y=0.08)
    title(axes, heading)
    axis_name(axes, "deleted words")
    ends = [End(f"{name} {100 * values[-1]:.1f}", 100 * values[-1], colour) for name, values, colour, *_ in ways]
    low, high = axes.get_ylim()
    name_ends(axes, ends, gap=0.08 * (high - low))
    return figure


def spoken(name: str) -> str:
    """A logged name as words."""
    words = name.replace("_", " ")
    if words == "kl" or words.startswith("kl/"):  # a divergence that is named after two people
        return "KL" + words[2:]
    return words[:1].upper() + words[1:]


def confusion_figure(counts: np.ndarray, classes: Sequence[str], heading: str, rows: str, columns: str) -> Figure:
    """A matrix of counts, each row as shares of its sum; numbers in the cells where there are few classes.

    Args:
        counts: `(k, k)`.
        classes: k names.
        heading: the title.
        rows: what a row is.
        columns: what a column is.
    """
    return matrix_figure(row_shares(counts), classes, heading, rows, columns)


def matrix_figure(
    shares: np.ndarray, names: Sequence[str], heading: str, rows: str = "", columns: str = ""
) -> Figure:
    """A matrix of shares `(k, k)`, NaN where there is none; the rest as for `confusion_figure`."""
    k = len(names)
    figure, axes = panel(400, 420)
    if k <= FEW_CLASSES:
        _numbered_cells(axes, shares)
    else:
        _coloured_cells(axes, shares)
    axes.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5), aspect="equal")
    axes.tick_params(length=0)
    _name_classes(axes, names)
    title(axes, heading)
    axis_name(axes, columns)
    axes.set_ylabel(rows, fontsize=SMALL, color=FAINT)
    return figure


def _numbered_cells(axes: Axes, shares: np.ndarray) -> None:
    size = FONT if len(shares) <= 8 else SMALL
    axes.spines[:].set_visible(False)
    for (i, j), share in np.ndenumerate(shares):
        axes.add_patch(Rectangle((j - 0.48, i - 0.48), 0.96, 0.96, facecolor=RULE, alpha=0.25, linewidth=0))
        if np.isnan(share):
            continue
        axes.add_patch(Rectangle((j - 0.48, i - 0.48), 0.96, 0.96, facecolor=CELL, alpha=share, linewidth=0))
        if share > _EMPTY:
            colour = ON_CELL if share > 0.8 else INK
            axes.text(j, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=size, color=colour)


def _coloured_cells(axes: Axes, shares: np.ndarray) -> None:
    """Colours only. The square root lets rare mistakes show."""
    pixels = np.empty((*shares.shape, 4))
    pixels[..., :3] = to_rgba(CELL)[:3]
    pixels[..., 3] = np.sqrt(np.nan_to_num(shares))
    axes.imshow(pixels, interpolation="nearest")
    axes.spines[:].set(visible=True, color=RULE)


def _name_classes(axes: Axes, classes: Sequence[str]) -> None:
    """Names at the ticks while there is room, else every fifth or tenth class's number."""
    k = len(classes)
    if k > NAMED_CLASSES:
        every = 5 if k <= 100 else 10 * round(k / 100)
        ticks = range(0, k, every)
        axes.set_xticks(ticks, [str(i + 1) for i in ticks])
        axes.set_yticks(ticks, [str(i + 1) for i in ticks])
        return
    names = [shortened(name) for name in classes]
    upright = max(map(len, names)) <= (3 if k > FEW_CLASSES else 4)
    axes.set_xticks(range(k), names, rotation=0 if upright else 90)
    axes.set_yticks(range(k), names)


@dataclass(frozen=True, eq=False)
class Shares:
    """Class shares to compare, each `(k,)`; None where unknown."""

    source: np.ndarray
    after: np.ndarray
    before: np.ndarray | None = None
    truth: np.ndarray | None = None


def shares_figure(shares: Shares, classes: Sequence[str], shown: Sequence[int]) -> Figure:
    """One row per class: its share among source labels, among predictions and, where known, in truth.

    Args:
        shares: what to draw.
        classes: all names.
        shown: the classes to draw, in order.
    """
    figure, axes = panel(400, 52 + 21 * len(shown))
    rows = np.arange(len(shown))
    axes.grid(axis="x", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    source, after = 100 * shares.source[shown], 100 * shares.after[shown]
    axes.hlines(rows, source, after, color=RULE, linewidth=1.5, zorder=1)
    axes.scatter(source, rows, s=34, facecolors="none", edgecolors=BLUE, linewidths=1.4, clip_on=False)
    if shares.before is not None:
        axes.scatter(100 * shares.before[shown], rows, s=30, color=FAINT, marker="x", linewidths=1.1, clip_on=False)
    axes.scatter(after, rows, s=34, color=VERMILLION, linewidths=0, clip_on=False)
    if shares.truth is not None:
        axes.scatter(100 * shares.truth[shown], rows, s=90, color=INK, marker="|", linewidths=1.6, clip_on=False)
    axes.set_yticks(rows, [shortened(classes[c], 20) for c in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, colors=INK)
    axis_name(axes, "share of examples, %")
    return figure
