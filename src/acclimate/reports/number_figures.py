"""Figures of numbers: answers against truth, and errors along the source's range."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from acclimate.reports.drawing import BLUE, FAINT, RULE, VERMILLION, axis_name, panel, svg, ticks, title
from acclimate.reports.numbers import Numbers, judged
from acclimate.reports.sections import Shown
from acclimate.reports.wording import number

_MOST = 1_000  # points of a figure


def numbers_section(found: Mapping[str, Numbers], method: str) -> list[Shown]:
    """Figures for the page: of the target where its numbers are known, and of held-out source examples."""
    target, source = judged(dict(found)), found.get("source_test")
    shown = []
    if target.scores:
        shown.append(_against_truth(target, f"{method}, target", VERMILLION))
    if source is not None and source.scores:
        shown.append(_against_truth(source, f"{method}, held-out source", BLUE))
        shown.append(_errors(source))
    return [*shown, _spread(found)]


def _against_truth(seen: Numbers, heading: str, colour: str) -> Shown:
    rows = _some(seen)
    truth, answers = seen.numbers[rows], seen.after[rows]
    figure, axes = panel(380, 320)
    ends = [min(truth.min(), answers.min()), max(truth.max(), answers.max())]
    axes.plot(ends, ends, color=RULE, linewidth=1)
    axes.plot(truth, answers, "o", color=colour, markersize=3, alpha=0.5, markeredgewidth=0)
    title(axes, f"{heading}: answer against truth")
    axis_name(axes, "true number")
    ticks(axes.xaxis, 6)
    ticks(axes.yaxis, 6)
    slope = float(np.polyfit(truth, answers, 1)[0]) if np.ptp(truth) > 0 else float("nan")
    finding = (
        f"Each point is an example; on the line an answer is right. Where the truth is larger by 1, answers are "
        f"larger by {number(slope)}. Mean absolute error {number(seen.scores['mae'])}."
    )
    return Shown(svg(figure, f"{heading}, answer against truth. {finding}"), finding)


def _errors(seen: Numbers) -> Shown:
    rows = _some(seen)
    figure, axes = panel(380, 320)
    errors = (seen.after - seen.numbers)[rows]
    axes.axhline(0, color=RULE, linewidth=1)
    axes.plot(seen.after[rows], errors, "o", color=BLUE, markersize=3, alpha=0.5, markeredgewidth=0)
    title(axes, "Held-out source: error (answer − truth) along the answers")
    axis_name(axes, "answer")
    ticks(axes.xaxis, 6)
    ticks(axes.yaxis, 6)
    finding = f"Errors on source examples that no step was trained on; {number(float(errors.mean()))} on average."
    return Shown(svg(figure, finding), finding)


def _spread(found: Mapping[str, Numbers]) -> Shown:
    """How answers are spread on both sides: a model that answers one number everywhere shows at once."""
    target, source = judged(dict(found)), found.get("source_test")
    sides = [("target", target.after, VERMILLION), *([("held-out source", source.after, BLUE)] if source else [])]
    figure = _histograms(sides)
    told = "; ".join(f"{name} {number(float(v.mean()))} ± {number(float(v.std()))}" for name, v, _ in sides)
    finding = f"Answers, mean ± standard deviation: {told}."
    return Shown(svg(figure, finding), finding)


def _histograms(sides: list[tuple[str, np.ndarray, str]]) -> Figure:
    figure, axes = panel(380, 320)
    edges = np.histogram_bin_edges(np.concatenate([values for _, values, _ in sides]), bins=30)
    for name, values, colour in sides:
        heights, _ = np.histogram(values, edges, density=True)
        axes.stairs(heights, edges, color=colour, label=name, linewidth=1.5)
    axes.legend(frameon=False, fontsize=9, labelcolor=FAINT)
    axes.set_yticks([])
    title(axes, "How answers are spread")
    axis_name(axes, "answer")
    ticks(axes.xaxis, 6)
    return figure


def _some(seen: Numbers) -> np.ndarray:
    """At most a thousand rows whose number is known, always the same."""
    rows = np.flatnonzero(seen.known)
    return rows if len(rows) <= _MOST else np.sort(np.random.default_rng(0).permutation(rows)[:_MOST])
