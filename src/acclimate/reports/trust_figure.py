"""The picture of all candidates: a score against estimated accuracy."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from acclimate.reports.drawing import (
    BLUE,
    FAINT,
    FONT,
    INK,
    PAPER,
    RULE,
    VERMILLION,
    axis_name,
    halo,
    panel,
    shortened,
    spread,
    ticks,
    title,
)
from acclimate.runs.chosen import Chosen, Weighed

_SCORE = "seed agreement"


def candidates_figure(chosen: Chosen) -> Figure:
    """Each candidate by its estimated accuracy, with its interval, and how often its seeds answer alike.

    Args:
        chosen: with at least one candidate that has an estimate.
    """
    told = [one for one in chosen.candidates if one.estimate]
    figure, axes = panel(430, 90 + 34 * len(told))
    axes.grid(axis="both", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    heights = _heights(told)
    for one, y in zip(told, heights, strict=True):
        colour = _colour(chosen, one)
        assert one.estimate is not None
        value, low, high = (100 * end for end in one.estimate.ends)
        axes.plot([low, high], [y, y], color=colour, linewidth=1.4, solid_capstyle="butt")
        marker = "D" if one.name == chosen.name else "o"
        axes.scatter(value, y, s=46, color=colour, marker=marker, zorder=3, edgecolors=PAPER, linewidths=0.8)
    low_y, high_y = min(heights), max(heights)
    pad = 0.18 * (high_y - low_y) or 1.0
    axes.set_ylim(low_y - pad, high_y + pad)
    axes.set_xlim(min(100 * one.estimate.low for one in told if one.estimate) - 2, 100.5)
    labels = spread(heights, 0.11 * (high_y - low_y + 2 * pad), low_y - pad / 2, high_y + pad / 2)
    for one, y in zip(told, labels, strict=True):
        label = axes.annotate(
            shortened(one.name, 20) + (" (used)" if one.name == chosen.name else ""),
            (100.5, y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=FONT,
            color=_colour(chosen, one),
            fontweight="bold" if one.name == chosen.name else "normal",
            annotation_clip=False,
        )
        halo(label)
    ticks(axes.xaxis, 5)
    ticks(axes.yaxis, 4)
    title(axes, "Answers that two seeds give alike, %")
    axis_name(axes, "estimated target accuracy and its interval, %")
    return figure


def _heights(told: list[Weighed]) -> list[float]:
    """Shares of answers that seeds give alike, in percent; where they cannot be told, the least of the others'."""
    known = [score for one in told if (score := one.scores.get(_SCORE)) is not None]
    least = min(known, default=0.0)
    return [100 * float(np.float64(least if (s := one.scores.get(_SCORE)) is None else s)) for one in told]


def _colour(chosen: Chosen, one: Weighed) -> str:
    if one.name == chosen.name:
        return VERMILLION
    return FAINT if one.name == chosen.baseline else BLUE if one.estimate else INK
