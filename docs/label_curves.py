"""Tables of what a few target labels are worth where both sides have the same features."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import numpy as np

from acclimate import discovery
from cells import ROOT, Result, gain_lines, table

WORTH = ROOT / "src" / "acclimate" / "reports" / "label_worth.json"
FAMILY = "few-labels"
DIGITS = ("usps-mnist", "mnist-usps")
OFFICE = "office_features-"
# What the source's labels give with and without those of the target; what these give alone; then the methods.
ORDER = ("source-only", "train-on-target", "fine-tune", "fine-tune-new-head", "mcc", "mme", "cdac")
NAMES = {"source-only": "source and labels", "train-on-target": "labels alone"}
# Of which the report of a run without target labels tells; one that adapts is told of the second.
TOLD = ("source-only", "mcc")
# Of fewer tasks nothing is told, nor tested.
_LEAST = 3

Pairs = Mapping[str, list[Result]]


def parted(task: str, rows: list[Result]) -> tuple[list[Result], list[Result]]:
    """A task's rows, and apart those whose name ends in a number of labels a class, where it is one of these."""
    if not (task.startswith(OFFICE) or task in DIGITS):
        return rows, []
    apart = [row for row in rows if _named(row) is not None]
    return [row for row in rows if _named(row) is None], apart


def _named(row: Result) -> tuple[str, int] | None:
    """A row's method and number of labels a class."""
    found = re.fullmatch(r"(.+)-(\d+)", row["method"])
    known = found and found[1] in discovery.methods() and row["method"] not in discovery.methods()
    return (found[1], int(found[2])) if found and known else None


def means_of(pairs: Pairs) -> dict[str, dict[tuple[str, int], float]]:
    """Each task's accuracy by method and number of labels a class."""
    return {
        task: {named: float(row["mean"]) for row in rows if (named := _named(row)) is not None}
        for task, rows in pairs.items()
    }


def curves(pairs: Pairs) -> dict[str, dict[str, dict[int, float]]]:
    """Accuracy by number of labels, by method: of the office pairs that have all numbers, and of each of digits."""
    means = means_of(pairs)
    numbers = sorted({n for own in means.values() for _, n in own})
    office = [task for task in means if task.startswith(OFFICE) and ("mme", numbers[-1]) in means[task]]
    groups = {f"office_features, mean of {len(office)} pairs": office} if office else {}
    groups |= {task: [task] for task in DIGITS if task in means}
    return {name: {m: _curve(means, tasks, m, numbers) for m in ORDER} for name, tasks in groups.items()}


def _curve(
    means: Mapping[str, Mapping[tuple[str, int], float]], tasks: list[str], method: str, numbers: list[int]
) -> dict[int, float]:
    """The mean over tasks by number of labels, where all of them have it."""
    found = {n: [means[task][method, n] for task in tasks if (method, n) in means[task]] for n in numbers}
    return {n: float(np.mean(values)) for n, values in found.items() if len(values) == len(tasks)}


def label_lines(pairs: Pairs) -> list[str]:
    """Accuracy by number of labels; and with three a class, what methods gain over the source and those labels."""
    found = curves(pairs)
    order = [m for m in ORDER if any(len(own[m]) > 1 for own in found.values())]
    body = [
        [f"`{name}`" if name in DIGITS else name, str(n), *(_cell(own[m].get(n)) for m in order)]
        for name, own in found.items()
        for n in sorted({n for m in order for n in own[m]})
    ]
    heads = ["task", "labels a class", *(NAMES.get(m, f"`{m}`") for m in order)]
    return ["Accuracy on the target without those labels, %:", "", *table(heads, body), "", *_three(pairs)]


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _three(pairs: Pairs) -> list[str]:
    """With three labels a class, on all office pairs: means, gains with a test, and whether a method is worth it."""
    means = {task: own for task, own in means_of(pairs).items() if task.startswith(OFFICE)}
    methods = [m for m in ORDER if means and all((m, 3) in own for own in means.values())]
    if "source-only" not in methods or len(methods) < 2 or len(means) < _LEAST:
        return []
    by_method = {m: [own[m, 3] for own in means.values()] for m in methods}
    cells = [f"{100 * float(np.mean(by_method[m])):.1f}" for m in methods]
    heads = [
        f"office_features, 3 labels a class, mean of {len(means)} pairs",
        *(NAMES.get(m, f"`{m}`") for m in methods),
    ]
    tests = gain_lines(by_method, "source-only")
    return [
        *table(heads, [["accuracy, %", *cells]]),
        "",
        "`source-only` has the same labels here. " + tests[0],
        *tests[1:],
    ]


def measured_labels(pairs: Pairs) -> str:
    """The same for a page of its own."""
    if not pairs:
        return "Not measured yet."
    seeds = sorted({len(row["seeds"]) for rows in pairs.values() for row in rows})
    words = "One seed" if seeds == [1] else f"{' or '.join(map(str, seeds))} seeds a cell"
    return "\n".join([*label_lines(pairs), "", f"{words}; how to replay it: [results](results.md#few-labels)."])


def lines_of(method: str, pairs: Pairs) -> list[list[str]]:
    """A method's lines for its page, one for each number of labels: of the office pairs, and of each of digits."""
    found: dict[tuple[str, int], list[Result]] = {}
    for task, rows in pairs.items():
        for row in rows:
            if (named := _named(row)) is not None and named[0] == method and named[1]:
                group = task if task in DIGITS else OFFICE.rstrip("-")
                found.setdefault((group, named[1]), []).append(row)
    return [
        [
            f"`{group}`, {n} label{'s' * (n > 1)} a class"
            + (f", mean of {len(rows)} pairs" if len(rows) > 1 else ""),
            f"{100 * float(np.mean([row['mean'] for row in rows])):.1f}",
            str(max(len(row["seeds"]) for row in rows)),
            "–",
        ]
        for (group, n), rows in sorted(found.items())
    ]


def worth_file(pairs: Pairs) -> str:
    """src/acclimate/reports/label_worth.json: by method and labels a class, the share of its errors that they took.

    Each is the smallest, the median and the largest over the tasks that have both, and how many there are.
    """
    means = means_of(pairs)
    told: dict[str, dict[str, dict[str, float]]] = {}
    for method in TOLD:
        for n in sorted({n for own in means.values() for m, n in own if m == method and n}):
            both = [own for own in means.values() if {(method, 0), (method, n)} <= own.keys() and own[method, 0] < 1]
            taken = [1 - (1 - own[method, n]) / (1 - own[method, 0]) for own in both]
            if len(taken) >= _LEAST:
                ends = {"low": min(taken), "median": float(np.median(taken)), "high": max(taken)}
                told.setdefault(method, {})[str(n)] = {k: round(v, 3) for k, v in ends.items()} | {
                    "tasks": len(taken)
                }
    return json.dumps(told, indent=1) + "\n"
