"""`acclimate predict` of tables of 20 columns: seconds and memory, read in parts and read whole.

    python benchmarks/perf/predict.py [--rows 10000,100000,1000000]

Both are timed in turns, each in a process of its own that also loads torch and the run; read whole is what small
tables always are. Memory is the peak resident set of that process.
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

COLUMNS = 20
MANY = 1_000_000  # rows, of which one round has to do
_PROGRAM = """
import resource, sys, time
from acclimate.cli import main, streaming
streaming.LARGE = float(sys.argv[1])
sys.argv = ["acclimate", "predict", *sys.argv[2:]]
start = time.process_time()
try:
    main.main()
finally:
    print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
"""


def table(rows: int, seed: int) -> pl.DataFrame:
    """Two classes apart in every column."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    columns = {f"x{i}": (rng.normal(size=rows) + y).round(4) for i in range(COLUMNS)}
    return pl.DataFrame(columns | {"kind": np.array(["a", "b"])[y]})


def spent(folder: Path, file: str, large: float) -> tuple[float, float]:
    """CPU seconds and peak bytes of one `acclimate predict`."""
    (folder / "answers.csv").unlink(missing_ok=True)
    words = ["run", file, "--out", "answers.csv", "--json"]
    program = [sys.executable, "-c", _PROGRAM, str(large), *words]
    alone = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    said = subprocess.run(program, cwd=folder, env=alone, capture_output=True, text=True, check=True)
    seconds, peak = said.stderr.split()[-2:]
    return float(seconds), float(peak)


def findings(folder: Path, rows: int) -> list[Row]:
    """Of one size."""
    table(rows, 2).drop("kind").write_csv(folder / "large.csv")
    parts, whole = [], []
    for _ in range(1 if rows >= MANY else 2):
        parts.append(spent(folder, "large.csv", 0))
        whole.append(spent(folder, "large.csv", float("inf")))
    (folder / "large.csv").unlink()
    found = []
    for name, values in (("in parts", parts), ("whole", whole)):
        found.append(row(f"{rows:,} rows, read {name}: CPU time", "s", [seconds for seconds, _ in values]))
        found.append(row(f"{rows:,} rows, read {name}: peak memory", "MB", [peak / 1e6 for _, peak in values]))
    ratios = [a[0] / b[0] for a, b in zip(parts, whole, strict=True)]
    found.append(row(f"{rows:,} rows: time in parts beside that of the whole", "×", ratios, at_most=1.2))
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="10000,100000,1000000")
    sizes = [int(size) for size in parser.parse_args().rows.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, side in enumerate(("source", "target")):
            table(2_000, seed).write_csv(folder / f"{side}.csv")
        sides = ["--source", "source.csv", "--target", "target.csv", "--label-column", "kind"]
        quick = ["--method", "source-only", "--steps", "50", "--no-baseline", "--out", "run"]
        subprocess.run([sys.executable, "-m", "acclimate", "adapt", *sides, *quick], cwd=folder, check=True)
        rows = [found for size in sizes for found in findings(folder, size)]
    write("What does it take to predict a large table?", rows)


if __name__ == "__main__":
    main()
