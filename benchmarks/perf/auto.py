"""What choosing costs over training: `--method auto` against the same runs one by one.

    python benchmarks/perf/auto.py

The demo's digits, three candidates with two seeds each, 150 steps. One by one, each reads the data for itself, trains
without a baseline and writes no report; with `auto` they share what is read and the source alone, and evidence and
choice come on top. Its one report, where the command would write six for six runs, is timed by itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import interleaved, ratios, row, write

from acclimate.reports.page import write_report
from acclimate.running import adaptation, auto
from acclimate.running.comparison import Row
from acclimate.running.own_comparison import check_fit
from acclimate.runs.record import Run
from acclimate.runs.request import Request

ROUNDS = 3
METHODS = ("source-only", "mcc", "dann")
TASK = "demo"


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        kept = chosen(Path(place))
        work = {
            "auto": in_passing(chosen),
            "one by one": in_passing(one_by_one),
            "its report": lambda: write_report(kept),
        }
        taken = interleaved(work, ROUNDS, warm_up=0)
    rows = [row(name, "CPU s", values) for name, values in taken.items()]
    rows.append(row("auto over one by one", "×", ratios(taken["auto"], taken["one by one"]), at_most=1.15))
    whole = [a + b for a, b in zip(taken["auto"], taken["its report"], strict=True)]
    rows.append(row("auto and its report over one by one without any", "×", ratios(whole, taken["one by one"])))
    write("choosing between three methods, two seeds each, and training the same six runs", rows)


def request(method: str, seed: int | None = None) -> Request:
    training = {"steps": 150, "precision": "fp32", **({} if seed is None else {"seed": seed})}
    return Request(task=TASK, method=method, training=training)


def in_passing(work: Callable[[Path], object]) -> Callable[[], None]:
    """Work in a folder that is removed."""

    def done() -> None:
        with tempfile.TemporaryDirectory() as folder:
            work(Path(folder))

    return done


def chosen(folder: Path) -> Run:
    rows = [Row(name=name, request=request(name)) for name in METHODS]
    found = auto.candidates(rows, lambda name: rows[0], auto.USUAL, check_fit)
    plan = auto.AutoPlan(command="acclimate adapt -m auto", rows=found.rows, baseline=found.reference)
    return auto.begin(plan, folder / "run", found.tasks, auto.Telling())


def one_by_one(folder: Path) -> None:
    for name in METHODS:
        for seed in range(auto.SEEDS):
            alone = request(name, seed).model_copy(update={"baseline": False})
            adaptation.adapt(alone, folder / f"{name}-{seed}")


if __name__ == "__main__":
    main()
