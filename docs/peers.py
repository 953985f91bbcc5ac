"""What methods of other libraries reach on our tasks of vectors, beside the best of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cells import RESULTS, Result, table

SETS = ("office_features", "office_surf", "amazon_bow")
LIBRARIES = ("skada", "adapt")
_FLOOR = "source-only"
# Points: what gains less is no gain to compare with.
_LEAST = 1.0

Means = dict[str, dict[str, float]]


def peer_lines(families: dict[str, dict[str, list[Result]]], results: Path = RESULTS) -> list[str]:
    """For each set of tasks, the method of each library that is best on average; nothing where none was measured."""
    paths = {library: results / "checks" / f"peers-{library}.json" for library in LIBRARIES}
    found = {library: json.loads(path.read_text("utf-8")) for library, path in paths.items() if path.is_file()}
    rows = [_row(name, families.get(name, {}), found) for name in SETS]
    body = [row for row in rows if row]
    if not body:
        return []
    libraries = [f"{library} {about['version']}" for library, about in found.items()]
    heads = ["tasks", "how many", "`source-only`", "acclimate", *libraries, "ratio of gains"]
    return [
        "",
        "## What they reach on our tasks",
        "",
        "The method of each library that is best on average over the tasks, which only their labels can tell, and "
        "its gain over our `source-only`, in points. All were given the same examples, normalised as our networks "
        "get them; other libraries' methods have their defaults, and logistic regression after them or in them "
        "(`base` is that alone). Their networks are left out. The last column is our gain over the greatest of "
        "theirs, where that is a point or more.",
        "",
        *table(heads, body),
        "",
        *_given_up(found),
        "Replay it with `python benchmarks/peers/vectors.py skada TASK…`, in an environment with `skada`.",
    ]


def _row(name: str, pairs: dict[str, list[Result]], found: dict[str, Any]) -> list[str]:
    theirs = {library: _of_peer(about["tasks"], name) for library, about in found.items()}
    tasks = set.intersection(set(pairs), *(set(of_tasks) for of_tasks in theirs.values())) if theirs else set()
    own = {pair: {row["method"]: row["mean"] for row in pairs[pair]} for pair in sorted(tasks)}
    own = {pair: means for pair, means in own.items() if _FLOOR in means}
    if not own:
        return []
    baseline = float(np.mean([means[_FLOOR] for means in own.values()]))
    bests = [_best({pair: of_tasks[pair] for pair in own}) for of_tasks in (own, *theirs.values())]
    gains = [100 * (mean - baseline) for _, mean in bests]
    cells = [f"`{method}` {100 * mean:.1f} ({gain:+.1f})" for (method, mean), gain in zip(bests, gains, strict=True)]
    ratio = f"{gains[0] / max(gains[1:]):.1f}" if max(gains[1:]) >= _LEAST else "–"
    return [f"`{name}`", str(len(own)), f"{100 * baseline:.1f}", *cells, ratio]


def _of_peer(tasks: dict[str, Any], name: str) -> Means:
    """Accuracies by pair and method."""
    most = max((len(rows) for rows in tasks.values()), default=0)  # a task with fewer is not done yet
    mine = {
        task.removeprefix(f"{name}-"): rows
        for task, rows in tasks.items()
        if task.startswith(f"{name}-") and len(rows) == most
    }
    return {
        pair: {method: row["accuracy"] for method, row in rows.items() if "accuracy" in row}
        for pair, rows in mine.items()
    }


def _best(means: Means) -> tuple[str, float]:
    """The method with the highest mean, of those that have all tasks."""
    methods = set.intersection(*(set(of_task) for of_task in means.values()))
    whole = {method: float(np.mean([of_task[method] for of_task in means.values()])) for method in methods}
    return max(sorted(whole.items()), key=lambda item: item[1])


def _given_up(found: dict[str, Any]) -> list[str]:
    """What was measured nowhere, as it failed or took too long."""
    failed = {
        f"`{method}` ({library})"
        for library, about in found.items()
        for rows in about["tasks"].values()
        for method, row in rows.items()
        if "failed" in row
    }
    return [f"Failed, or took too long, on some task: {', '.join(sorted(failed))}.", ""] if failed else []
