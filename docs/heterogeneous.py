"""Tables of tasks whose sides have different features."""

from __future__ import annotations

import numpy as np

from acclimate.data.tasks import task_specs
from acclimate.metrics.intervals import mean_ci95, signed_rank_p
from cells import Result, family_means, oracle, score, table

TARGET_ONLY = ("svmt", "lrt", "label-spreading", "nnt")
OURS, PAPERS = "cgt", "ssan"


def heterogeneous_lines(pairs: dict[str, list[Result]]) -> list[str]:
    """A table of tasks by methods, and how the best of ours and the paper's compare with the rest."""
    found = {pair: {row["method"]: row for row in rows} for pair, rows in pairs.items()}
    names = {name for rows in found.values() for name in rows}
    order = [*(n for n in TARGET_ONLY if n in names), *sorted(names - {*TARGET_ONLY, OURS}), *({OURS} & names)]
    oracles = [name for name in order if any("oracle_best_step" in rows.get(name, {}) for rows in found.values())]
    matrix = table(
        ["task", *order, *(f"{name}, best step" for name in oracles)],
        [
            [
                f"`{pair}`",
                *(score(rows[name]) if name in rows else "–" for name in order),
                *(oracle(rows[name]) if name in rows else "–" for name in oracles),
            ]
            for pair, rows in found.items()
            if not pair.endswith(" labels")
        ],
    )
    gains = [float(np.mean(row["oracle_best_step"])) - row["mean"] for row in _with_oracle(found)]
    above = f"{100 * float(np.mean(gains)):.1f}" if gains else ""
    told = [
        "“Best step” is an oracle, for comparison with papers: of 25 points of the curve the one that the held-out "
        f"labels like best, {above} points above the last step on average. Nothing was chosen by it.",
        "",
    ]
    lines = [
        *matrix,
        "",
        *(told if gains else []),
        "Seeds: " + "; ".join(_seeds(name, found) for name in order) + ".",
        "",
    ]
    best = "the best of " + ", ".join(TARGET_ONLY)
    tests = [_gain(name, best, _over_best(found, name)) for name in (OURS, "stn", PAPERS) if name in names]
    tests += [_gain(OURS, name, _differences(found, OURS, name)) for name in order if name != OURS]
    others = (name for name in order if name not in (OURS, PAPERS))
    tests += [_gain(name, PAPERS, _differences(found, name, PAPERS)) for name in others]
    heading = ["", "gain, points", "worst task", "tasks better", "p"]
    words = (
        "Gains are paired by task and number of labels, over the partitions both have; p is of the two-sided "
        "Wilcoxon signed-rank test."
    )
    lines += [words, "", *table(heading, [test for test in tests if test]), ""]
    return [*lines, "By number of labelled target examples a class:", "", *label_lines(found)]


def _with_oracle(found: dict[str, dict[str, Result]]) -> list[Result]:
    return [row for rows in found.values() for row in rows.values() if "oracle_best_step" in row]


def _seeds(name: str, found: dict[str, dict[str, Result]]) -> str:
    counts = [len(rows[name]["seeds"]) for rows in found.values() if name in rows]
    return f"{name} {min(counts)}" + (f" to {max(counts)}" if min(counts) < max(counts) else "")


def _over_best(found: dict[str, dict[str, Result]], name: str) -> list[float]:
    compared = (name, *TARGET_ONLY)
    whole = [shared_means(rows, compared) for rows in found.values() if set(compared) <= rows.keys()]
    return [first - max(others) for first, *others in whole]


def _differences(found: dict[str, dict[str, Result]], one: str, other: str) -> list[float]:
    both = [shared_means(rows, (one, other)) for rows in found.values() if {one, other} <= rows.keys()]
    return [first - second for first, second in both]


def shared_means(rows: dict[str, Result], names: tuple[str, ...]) -> list[float]:
    """Each method's mean over the seeds, that is the partitions, that all of them have."""
    shared = set.intersection(*(set(rows[name]["seeds"]) for name in names))
    scores = (dict(zip(rows[n]["seeds"], rows[n]["target_accuracy"], strict=True)) for n in names)
    return [float(np.mean([by_seed[seed] for seed in sorted(shared)])) for by_seed in scores]


def _gain(one: str, other: str, gains: list[float]) -> list[str]:
    """A line on how much better one method is than another; empty without tasks that have both."""
    if len(gains) < 2:
        return []
    reach = f" ± {100 * mean_ci95(gains):.1f}"
    better = f"{sum(gain > 0 for gain in gains)} of {len(gains)}"
    p = f"{signed_rank_p(gains):.4f}"
    return [
        f"{one} over {other}",
        f"{100 * float(np.mean(gains)):+.1f}{reach}",
        f"{100 * min(gains):+.1f}",
        better,
        p,
    ]


def label_lines(found: dict[str, dict[str, Result]]) -> list[str]:
    """A table of accuracies by labelled target examples a class, where a method was run with several numbers.

    Args:
        found: rows by method, by task; a task with another number than its own is called `<task>, <n> labels`.
    """
    own = {spec.name.replace(":", "-"): spec.label_budget for spec in task_specs()}
    several: dict[tuple[str, str], dict[int, Result]] = {}
    for pair, rows in found.items():
        task, _, labels = pair.partition(", ")
        for name, row in rows.items():
            several.setdefault((task, name), {})[int(labels.split()[0] if labels else own[task])] = row
    several = {key: by_number for key, by_number in several.items() if len(by_number) > 1}
    numbers = sorted({number for by_number in several.values() for number in by_number})
    order = [*TARGET_ONLY, *sorted({name for _, name in several} - {*TARGET_ONLY, OURS}), OURS]
    return table(
        ["task", "method", *(f"{n} label{'s' if n > 1 else ''}" for n in numbers)],
        [
            [f"`{task}`", name, *(score(by_number[n]) if n in by_number else "–" for n in numbers)]
            for (task, name), by_number in sorted(several.items(), key=lambda kv: (kv[0][0], order.index(kv[0][1])))
        ],
    )


def heterogeneous_means(pairs: dict[str, list[Result]]) -> list[str]:
    """Means over the tasks whose sides have different features, of the methods that have been run on all of them."""
    means = family_means({pair: rows for pair, rows in pairs.items() if not pair.endswith(" labels")})
    order = [*(n for n in TARGET_ONLY if n in means), *(n for n in (PAPERS, "stn", OURS) if n in means)]
    tasks = len(next(iter(means.values()), []))
    cells = [f"{100 * float(np.mean(means[name])):.1f}" for name in order]
    return table(["", *order], [[f"mean of {tasks} tasks, %", *cells]])
