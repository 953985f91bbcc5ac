"""Tables of tasks whose sides have different classes: partial and open-set."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from acclimate.metrics.intervals import mean_ci95
from cells import Result, place, table

# Families of tasks by how their names end; what a pair has to beat stands first in each table.
ENDINGS = {"-partial": "partial", "-open": "open-set"}
FLOORS = {"partial": ("source-only", "dann"), "open-set": ("threshold",)}
_PARTS = ("os_star", "unk")
# By how many points a method has to be better than each of its baselines on average to be called better.
_WORTH = 3.0


def family_of(task: str) -> tuple[str, str] | None:
    """The family of a task and its name in it; None for any other."""
    for ending, family in ENDINGS.items():
        if task.endswith(ending):
            return family, task.removesuffix(ending)
    return None


def set_lines(family: str, pairs: Mapping[str, list[Result]]) -> list[str]:
    """The table of a family: methods by tasks, then the mean, and whether a method is worth it."""
    methods = sorted({row["method"] for rows in pairs.values() for row in rows}, key=lambda m: _place(family, m))
    found = {m: [_score(family, rows, m) for rows in pairs.values()] for m in methods}
    cells = [[f"`{pair}`", *(_cell(family, rows, m) for m in methods)] for pair, rows in pairs.items()]
    complete = {m: np.array([s for s in found[m] if s is not None]) for m in methods if None not in found[m]}
    means = ["mean", *(f"**{100 * complete[m].mean():.1f}**" if m in complete else "–" for m in methods)]
    what = "Target accuracy, %" if family == "partial" else "H-score, % (OS* / UNK)"
    return [f"{what}:", "", *table(["task", *methods], [*cells, means]), "", _worth(family, complete)]


def measured_sets(family: str, pairs: Mapping[str, list[Result]]) -> str:
    """The same for a page of its own."""
    if not pairs:
        return "Not measured yet."
    seeds = max(len(row["seeds"]) for rows in pairs.values() for row in rows)
    words = "One seed" if seeds == 1 else f"Means of {seeds} seeds"
    after = "; after ±, half of the 95 % interval over seeds" * (seeds > 1)
    return "\n".join([*set_lines(family, pairs), "", f"{words}{after}; how to replay it: [results](results.md)."])


def _place(family: str, method: str) -> tuple[int, tuple[int, str]]:
    baselines = FLOORS[family]
    return baselines.index(method) if method in baselines else len(baselines), place({"method": method})


def _rows_of(rows: list[Result], method: str) -> Result | None:
    return next((row for row in rows if row["method"] == method), None)


def _scored(row: Result, name: str) -> list[float]:
    """A score of each seed, of held-out examples where there are some."""
    role = "target_test" if f"target_test_{name}" in row["scores"][0] else "target"
    return [float(scores[f"{role}_{name}"]) for scores in row["scores"]]


def _score(family: str, rows: list[Result], method: str) -> float | None:
    row = _rows_of(rows, method)
    if row is None:
        return None
    return float(np.mean(_scored(row, "accuracy" if family == "partial" else "h_score")))


def _cell(family: str, rows: list[Result], method: str) -> str:
    row = _rows_of(rows, method)
    if row is None:
        return "–"
    if family == "partial":
        return _with_interval(_scored(row, "accuracy"))
    own, unknown = (100 * float(np.mean(_scored(row, name))) for name in _PARTS)
    return f"{_with_interval(_scored(row, 'h_score'))} ({own:.0f} / {unknown:.0f})"


def _with_interval(values: list[float]) -> str:
    half = mean_ci95(values)
    return f"{100 * float(np.mean(values)):.1f}" + ("" if math.isnan(half) else f" ± {100 * half:.1f}")


def _worth(family: str, scores: Mapping[str, np.ndarray]) -> str:
    """What methods gain over the better baseline, task by task, and which is worth taking."""
    baselines = [m for m in FLOORS[family] if m in scores]
    gains = _gains(family, scores, max(baselines, key=lambda m: scores[m].mean())) if baselines else {}
    if not gains:
        return "Not all of these are measured on all tasks yet."
    best = max(gains, key=lambda m: gains[m].mean())
    told = "; ".join(f"`{m}` {gain.mean():+.1f} ± {mean_ci95(gain):.1f}" for m, gain in sorted(gains.items()))
    over = "the better of " * (len(baselines) > 1) + " and ".join(f"`{m}`" for m in FLOORS[family])
    mattered = f"on average over {len(gains[best])} tasks, with the 95 % interval over tasks"
    return f"Points over {over}, {mattered}: {told}. {_verdict(best, gains[best])}"


def _verdict(method: str, gain: np.ndarray) -> str:
    if gain.mean() < _WORTH:
        return "So take the plain one."
    return f"So take `{method}`." if mean_ci95(gain) < gain.mean() else "More tasks have to tell whether that lasts."


def _gains(family: str, scores: Mapping[str, np.ndarray], baseline: str) -> dict[str, np.ndarray]:
    """Points over a baseline, of each task."""
    return {m: 100 * (found - scores[baseline]) for m, found in scores.items() if m not in FLOORS[family]}
