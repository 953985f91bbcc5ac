"""Tables of tasks with several sources: each domain of a family as the target of all others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from acclimate.metrics.intervals import mean_ci95
from cells import Result, place, table

SEVERAL, _MARK = "several-sources", "-others-"
# What does not tell sources apart: all of them as one, the nearest alone, and the best method of one source.
PLAIN, _REFERENCE = ("source-only", "closest-source"), ("mcc",)
# By how many points a method has to be better than all sources as one, on average, to be called better.
_WORTH = 3.0


def several_of(task: str) -> tuple[str, str] | None:
    """The family of a task and its name in it; None for any other."""
    family, mark, target = task.partition(_MARK)
    return (SEVERAL, f"{family} → {target}") if mark else None


def several_lines(tasks: Mapping[str, list[Result]]) -> list[str]:
    """Methods by tasks, a table for each family of tasks, and whether a method is worth it."""
    lines: list[str] = []
    for family in dict.fromkeys(name.partition(" ")[0] for name in tasks):
        of_family = {name: rows for name, rows in tasks.items() if name.partition(" ")[0] == family}
        lines += _family(family, of_family)
    return lines[1:]


def measured_several(tasks: Mapping[str, list[Result]]) -> str:
    """The same for a page of its own."""
    if not tasks:
        return "Not measured yet."
    seeds = max(len(row["seeds"]) for rows in tasks.values() for row in rows)
    words = "One seed" if seeds == 1 else f"Means of up to {seeds} seeds"
    return "\n".join([*several_lines(tasks), "", f"{words}; how to replay it: [results](results.md)."])


def _family(family: str, tasks: Mapping[str, list[Result]]) -> list[str]:
    methods = sorted({row["method"] for rows in tasks.values() for row in rows}, key=_place)
    found = {
        m: [next((r["mean"] for r in rows if r["method"] == m), None) for rows in tasks.values()] for m in methods
    }
    cells = [[f"`{name.rpartition(' ')[2]}`", *(_cell(found[m][i]) for m in methods)] for i, name in enumerate(tasks)]
    means = {m: float(np.mean([x for x in xs if x is not None])) for m, xs in found.items() if None not in xs}
    last = ["mean", *(f"**{100 * means[m]:.1f}**" if m in means else "–" for m in methods)]
    head = f"`{family}`, the three other domains as sources, target accuracy, %:"
    return ["", head, "", *table(["target", *methods], [*cells, last]), "", _worth(found, means)]


def _place(method: str) -> tuple[int, tuple[int, str]]:
    known = (*PLAIN, *_REFERENCE)
    return known.index(method) if method in known else len(known), place({"method": method})


def _cell(mean: float | None) -> str:
    return "–" if mean is None else f"{100 * mean:.1f}"


def _worth(found: Mapping[str, list[float | None]], means: Mapping[str, float]) -> str:
    """Which method gains enough over all sources as one, with its interval over tasks; or that a plain one does."""
    baseline, own = PLAIN[0], [m for m in means if m not in (*PLAIN, *_REFERENCE)]
    if baseline not in means or not own:
        return "Not all of these are measured on all tasks yet."
    gains = {m: np.array(found[m], float) - np.array(found[baseline], float) for m in means if m != baseline}
    told = "; ".join(f"`{m}` {100 * g.mean():+.1f} ± {100 * mean_ci95(g.tolist()):.1f}" for m, g in gains.items())
    best = max(own, key=lambda m: means[m])
    gain, reach = 100 * gains[best].mean(), 100 * mean_ci95(gains[best].tolist())
    plain = max((m for m in (*PLAIN, *_REFERENCE) if m in means), key=lambda m: means[m])
    take = f"take `{best}`" if gain >= _WORTH and gain > reach and means[best] >= means[plain] else (
        f"take the plain one, `{plain}` on all sources as one" if plain != PLAIN[1] else f"take `{plain}`"
    )  # fmt: skip
    return f"Points over `{baseline}` on all sources as one, and 95 % interval over the tasks: {told}. So {take}."
