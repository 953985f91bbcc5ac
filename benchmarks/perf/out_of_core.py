"""Training on tables of 20 columns that stay on disk, beside the same tables in memory: memory and CPU time.

    python benchmarks/perf/out_of_core.py [--rows 500000] [--steps 400] [--formats csv,parquet]

Source and target have as many rows each, in eight files. Both ways of training take turns, each in a process of its
own with one thread: DANN on the default network, 128 rows a side, no baseline. Memory is the peak resident set of
that process, libraries included; `--memory` is 64 MB for what stays on disk. The time of a step is that of the
training loop alone, and what is left is reading, statistics, scores and the page.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from measure import Row, row, write

COLUMNS, FILES = 20, 8
WAYS = {"on disk": "64MB", "in memory": "1TB"}
_PROGRAM = """
import resource, sys, time
from acclimate.cli import main
from acclimate.training.trainer import Trainer
train, spent = Trainer.train, []
def timed(trainer):
    start = time.process_time()
    train(trainer)
    spent.append((time.process_time() - start) / trainer.step)
Trainer.train = timed
sys.argv = ["acclimate", *sys.argv[1:]]
try:
    main.main()
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(*spent, time.process_time(), peak, file=sys.stderr)
"""


def make_tables(folder: Path, rows: int, suffix: str) -> None:
    """Two classes apart in every column, and a target that is shifted."""
    for side, shift in (("source", 0.0), ("target", 0.4)):
        (folder / side).mkdir()
        for number in range(FILES):
            rng = np.random.default_rng([number, int(shift > 0)])
            n = rows // FILES
            y = rng.integers(0, 2, n)
            columns = {f"x{i}": (rng.normal(size=n) + y + shift).round(4) for i in range(COLUMNS)}
            frame = pl.DataFrame(columns | {"kind": np.array(["a", "b"])[y]})
            path = folder / side / f"{number}.{suffix}"
            frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)


def spent(folder: Path, way: str, steps: int) -> tuple[float, float, float]:
    """CPU seconds of a step, of the whole command, and peak bytes of one `acclimate adapt`."""
    sides = ["--source", "source", "--target", "target", "--label-column", "kind"]
    how = ["--method", "dann", "--steps", str(steps), "--set", "evaluations=1", "--no-baseline"]
    words = ["adapt", *sides, *how, "--memory", WAYS[way], "--out", f"run-{way.replace(' ', '-')}", "--json"]
    alone = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "ACCLIMATE_CACHE": str(folder / "cache")}
    program = [sys.executable, "-c", _PROGRAM, *words]
    said = subprocess.run(program, cwd=folder, env=os.environ | alone, capture_output=True, text=True, check=True)
    step, whole, peak = map(float, said.stderr.split()[-3:])
    return step, whole, peak


def findings(rows: int, suffix: str, steps: int) -> list[Row]:
    """Of tables of one size and kind."""
    with tempfile.TemporaryDirectory() as name:
        make_tables(Path(name), rows, suffix)
        seen = {way: spent(Path(name), way, steps) for way in WAYS}
    case, found = f"{rows:,} + {rows:,} rows, {suffix}", []
    for way, (step, whole, peak) in seen.items():
        found.append(row(f"{case}, {way}: a step", "ms", [step * 1e3]))
        found.append(row(f"{case}, {way}: reading, statistics, scores, page", "CPU s", [whole - step * steps]))
        aim = {"at_most": 2000.0} if way == "on disk" else {}
        found.append(row(f"{case}, {way}: peak memory", "MB", [peak / 1e6], **aim))
    found.append(row(f"{case}: a step on disk beside one in memory", "×", [seen["on disk"][0] / seen["in memory"][0]],
                     at_most=1.2))  # fmt: skip
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="500000")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--formats", default="csv,parquet")
    given = parser.parse_args()
    sizes = [int(size) for size in given.rows.split(",")]
    rows = [r for suffix in given.formats.split(",") for size in sizes for r in findings(size, suffix, given.steps)]
    write("What does training on tables take that stay on disk?", rows)


if __name__ == "__main__":
    main()
