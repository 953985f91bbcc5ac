"""Measuring on a machine that does other work too.

Times are CPU seconds of one thread, contenders take turns round by round, and what is compared are ratios within a
round. A result file holds one row for each finding:

    case, unit, median, range [smallest, largest], aim {"at_most": …} or {"at_least": …} or None
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from acclimate.runs.files import write_json
from acclimate.runs.machine import current_commit, machine

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "perf"
Row = dict[str, Any]


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    """CPU seconds that this thread spends on it; what the system does for it is included.

    Where libraries start threads of their own, `time.process_time` as clock counts those too.
    """
    start = clock()
    work()
    return clock() - start


def interleaved(
    contenders: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2
) -> dict[str, list[float]]:
    """CPU seconds of each contender in each round.

    The order turns round by round, so that none is always the one that finds the caches warm.

    Args:
        contenders: what to time, by name.
        rounds: how often each is timed.
        warm_up: how often each runs before.
    """
    torch.set_num_threads(1)
    names = list(contenders)
    for name in names * warm_up:
        contenders[name]()
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            taken[name].append(seconds(contenders[name]))
        names = [*names[1:], names[0]]
    return taken


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Round by round."""
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def gflop(work: Callable[[], object]) -> float:
    """Floating-point operations of matrix products and convolutions, in 10⁹, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops()) / 1e9


def row(case: str, unit: str, values: Sequence[float], *, digits: int = 3, **aim: float) -> Row:
    """A finding: its median and range over rounds.

    Args:
        case: what was measured, in words.
        unit: of the values; "×" for a ratio.
        values: one for each round.
        digits: significant digits to keep.
        aim: `at_most` or `at_least`, if there is one.
    """
    median, low, high = (_rounded(v, digits) for v in (statistics.median(values), min(values), max(values)))
    return {"case": case, "unit": unit, "median": median, "range": [low, high], "aim": aim or None}


def _rounded(value: float, digits: int) -> float:
    shown = float(f"{value:.{digits}g}")
    return int(shown) if shown == int(shown) else shown


def write(what: str, rows: Sequence[Row], **facts: object) -> None:
    """Write `benchmarks/results/perf/<script>.json` and print the rows.

    Args:
        what: the question, in words.
        rows: the answers.
        facts: anything else a reader needs.
    """
    script = Path(sys.argv[0]).resolve()
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {
        "what": what,
        "command": f"python {script.relative_to(ROOT)}",
        "commit": current_commit(),
        "hardware": {**machine(), "threads": 1},
        "rows": list(rows),
        **facts,
    }
    write_json(RESULTS / f"{script.stem}.json", found)
    for found_row in rows:
        low, high = found_row["range"]
        print(f"{found_row['case']}: {found_row['median']} {found_row['unit']} ({low} to {high})")
