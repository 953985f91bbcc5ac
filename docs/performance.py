"""docs/performance.md: every table of speed and memory."""

from __future__ import annotations

import json

import numpy as np

from acclimate.metrics.intervals import mean_ci95
from cells import NOTES, RESULTS, Result, table

# The questions of docs/performance.md in the order they are answered, by the script that asks them.
PERFORMANCE = {
    "trainer": "The training loop",
    "peers": "Beside other libraries",
    "input_stream": "Input",
    "startup": "Start",
    "memory": "Memory",
    "step_memory": "Memory: told beforehand, and taken",
    "out_of_core": "Training on large tables",
    "predict": "Predicting large tables",
    "auto": "Choosing between methods",
    "ssan": "Different features",
    "translation": "Translation",
    "texts": "Texts",
    "index": "The vector index",
    "serve": "The server",
    "serve_attack": "The server under attack",
    "export": "Exported models",
    "test_time": "Adapting while answering",
    "gpu": "On a GPU",
}
# Task and pairs of rows that differ in precision alone: (bf16, fp32).
PRECISION = ("mnist-usps", (("mcd", "mcd-fp32"), ("dann", "dann-fp32")))

_ATTACKED = (
    "Kills fall at random moments of reading, training, checkpoints, early stopping, answers, report, index, "
    "`compare`, `audit` and `predict --out`; weights, answers, metrics, vectors and labels are compared to the bit, "
    "texts but for times, and nothing may lie beside them."
)


def performance_page(measured: dict[str, list[Result]]) -> str:
    """docs/performance.md."""
    lines = [
        "# Speed and memory",
        "",
        "Measured by `make perf` on one thread of a machine that was doing other work too. CPU seconds are shown",
        "instead of wall-clock time wherever that is possible, contenders take turns round by round, and ratios are",
        "taken within a round. Each number is the median, with the smallest and the largest round beside it; `aim`",
        "is what the project asks of itself, met or not.",
    ]
    for name, title in PERFORMANCE.items():
        lines += ["", f"## {title}", ""]
        path = RESULTS / "perf" / f"{name}.json"
        if path.is_file():
            lines += performance_lines(json.loads(path.read_text(encoding="utf-8")))
            note = NOTES / "perf" / f"{name}.md"
            lines += ["", note.read_text(encoding="utf-8").strip()] if note.is_file() else []
        else:
            lines += [f"Not measured yet. Where there is what it needs: `python benchmarks/perf/{name}.py`."]
        if name == "peers":
            lines += ["", "## What bf16 costs", "", *precision_lines(measured)]
    lines += ["", "## Killed, and handed over by strangers", "", *attacked_lines()]
    return "\n".join(lines) + "\n"


def attacked_lines() -> list[str]:
    """Commands that were killed, and run folders of which one thing was changed."""
    kills, runs = (
        json.loads((RESULTS / "fuzz" / f"{name}.json").read_text(encoding="utf-8")) for name in ("kills", "runs")
    )
    went = runs["went"].items()
    read, refused, faults = (sum(n for what, n in went if what.endswith(end)) for end in ("read", "refused", "fault"))
    wrong = sum(kills[kind] for kind in ("lost", "beside", "different"))
    rows = [
        ["commands killed by SIGKILL, and resumed or typed again", f"{kills['cases']:,}"],
        ["kills, as every fourth was killed again while it went on", f"{kills['kills']:,}"],
        ["of the first ones, with a file half written", f"{kills['inside_a_write']:,}"],
        ["that ended otherwise than a command nobody killed, in any file", f"{wrong:,}"],
        ["run folders with one thing changed, each before one reader", f"{runs['cases']:,}"],
        ["of them read as something that makes sense", f"{read:,}"],
        ["refused in a sentence", f"{refused:,}"],
        ["that ended in a traceback", f"{faults:,}"],
    ]
    of = [f"`{found['command']}` on commit `{found['commit']}`" for found in (kills, runs)]
    return [*table(["", "number"], rows), "", f"Replay: {' and '.join(of)}. {_ATTACKED}"]


def performance_lines(found: Result) -> list[str]:
    """One question: what was measured, the table, the notes, how to replay."""
    rows = [[row["case"], f"{row['median']:,} {row['unit']}", spread(row), *aim_cells(row)] for row in found["rows"]]
    notes = [f"- {note}" for note in found.get("notes", ())]
    machine = f"{found['hardware']['cpu']}, torch {found['hardware']['torch']}, commit `{found['commit']}`"
    return [
        f"{found['what'][0].upper()}{found['what'][1:]}.",
        "",
        *table(["", "median", "range", "aim", "met"], rows),
        "",
        *notes,
        *([""] if notes else []),
        f"Replay: `{found['command']}`. Measured on {machine}.",
    ]


def spread(row: Result) -> str:
    """The smallest and the largest round, or a dash for a single one."""
    low, high = row["range"]
    return "–" if low == high else f"{low:,} to {high:,}"


def aim_cells(row: Result) -> list[str]:
    """The bar and whether the median passes it; dashes without one."""
    if row["aim"] is None:
        return ["–", "–"]
    ((kind, value),) = row["aim"].items()
    met = row["median"] <= value if kind == "at_most" else row["median"] >= value
    return [f"{'≤' if kind == 'at_most' else '≥'} {value:,}", "yes" if met else "**no**"]


def precision_lines(measured: dict[str, list[Result]]) -> list[str]:
    """Accuracy in bf16 and in fp32 over the seeds that both have, and the paired difference."""
    task, pairs = PRECISION
    by_name = {row["method"]: row for row in measured[task]}
    rows = []
    for names in pairs:
        if not all(name in by_name for name in names):
            continue
        found = [by_name[name] for name in names]
        assert [row["options"]["precision"] for row in found] == ["bf16", "fp32"]
        half, single = (dict(zip(row["seeds"], row["target_accuracy"], strict=True)) for row in found)
        seeds = sorted(half.keys() & single.keys())
        gains = [100 * (half[seed] - single[seed]) for seed in seeds]
        means = [f"{100 * float(np.mean([of[seed] for seed in seeds])):.1f}" for of in (half, single)]
        interval = f" ± {mean_ci95(gains):.1f}" if len(gains) > 1 else ""
        rows.append([names[0], str(len(seeds)), *means, f"{np.mean(gains):+.1f}{interval}"])
    return [
        f"Target accuracy on `{task}` in percent, the same seeds in both precisions; the difference is paired by",
        "seed, with its 95 % interval. Only training is in bf16: weights are float32, and so is every evaluation.",
        "",
        *(table(["method", "seeds", "bf16", "fp32", "bf16 − fp32, points"], rows) if rows else ["Not measured yet."]),
    ]
