"""How measured rows are written: their cells, their tables, and what one method gains over another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from acclimate.metrics.intervals import holm, mean_ci95, signed_rank_p

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NOTES = ROOT / "benchmarks" / "notes"
# The order of rows in every table: baselines first, ceilings last, methods between by name.
FIRST, LAST = ("source-only", "adabn"), ("train-on-target",)

Result = dict[str, Any]


def place(row: Result) -> tuple[int, str]:
    """Sorts rows in the order of every table."""
    name = row["method"]
    return (FIRST.index(name) if name in FIRST else 9 if name in LAST else 5, name)


def score(row: Result) -> str:
    """`93.1 ± 0.4`, in percent."""
    interval = "" if row["ci95"] is None else f" ± {100 * row['ci95']:.1f}"
    return f"{100 * row['mean']:.1f}{interval}"


def oracle(row: Result) -> str:
    """The mean over seeds at the step that the held-out labels would choose, in percent."""
    best = row.get("oracle_best_step")
    return f"{100 * float(np.mean(best)):.1f}" if best else "–"


def published(row: Result) -> str:
    """Somebody else's number for the same protocol, in percent."""
    return f"{100 * row['published']['value']:.1f}" if row["published"] else "–"


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; all columns but the first to the right."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (headings, rule, *rows)]


def left_table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table of words: all columns to the left."""
    return ["| " + " | ".join(cells) + " |" for cells in (headings, ["---"] * len(headings), *rows)]


def family_means(pairs: dict[str, list[Result]]) -> dict[str, list[float]]:
    """Each method's mean over seeds on every pair, for methods that have all pairs."""
    means: dict[str, list[float]] = {}
    for rows in pairs.values():
        for row in rows:
            means.setdefault(row["method"], []).append(row["mean"])
    return {method: found for method, found in means.items() if len(found) == len(pairs)}


def gain_lines(means: dict[str, list[float]], baseline: str) -> list[str]:
    """What each method gains over another by pair of domains, with a paired test.

    Args:
        means: each method's accuracies on the same pairs.
        baseline: the method to compare with.
    """
    gains = {name: np.array(values) - np.array(means[baseline]) for name, values in means.items() if name != baseline}
    corrected = holm([signed_rank_p(gain.tolist()) for gain in gains.values()])
    tests = table(
        ["method", f"gain over {baseline}, points", "pairs better", "p (Holm)"],
        [
            [
                name,
                f"{100 * gain.mean():+.1f} ± {100 * mean_ci95(gain.tolist()):.1f}",
                f"{int((gain > 0).sum())} of {len(gain)}",
                f"{p:.4f}",
            ]
            for (name, gain), p in zip(gains.items(), corrected, strict=True)
        ],
    )
    words = (
        "Gains are paired by pair of domains, each the mean over its seeds: mean ± 95 % interval, and the two-sided "
        f"Wilcoxon signed-rank test over {len(means[baseline])} pairs, corrected by Holm for {len(gains)} methods "
        "compared."
    )
    return [words, "", *tests]


def hardware(rows: list[Result]) -> str:
    """What the rows were measured on, once."""
    seen = {
        f"{r['hardware']['cpu']}, {r['hardware']['threads']} thread(s) a run, torch {r['hardware']['torch']}"
        for r in rows
    }
    return "; ".join(sorted(seen))
