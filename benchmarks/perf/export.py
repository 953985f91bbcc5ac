"""How long an export takes, and how fast what was exported answers one example beside the run itself.

    python benchmarks/perf/export.py

CPU seconds of an export are those of the command's process, imports and the check on all of the target included.
Examples come alone and have been read. Models are trained for three steps: answers cost the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ratios, row, seconds, write

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from acclimate.data.domain import Domain
from acclimate.export.forms import FORMS
from acclimate.running.adaptation import load
from acclimate.running.requests import task_of_run
from acclimate.runs.record import Run
from exporting import KINDS, exits_of, run_of

ROUNDS, CALLS = 15, 20


def export_seconds(run: Path, out: Path) -> float:
    """CPU seconds of `acclimate export`."""
    words = [sys.executable, "-m", "acclimate", "export", str(run), str(out), "--json"]
    started = subprocess.Popen(words, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    _, status, usage = os.wait4(started.pid, 0)
    assert status == 0, words
    return usage.ru_utime + usage.ru_stime


def answer_seconds(run: Run, out: Path) -> tuple[list[float], list[float]]:
    """CPU milliseconds of one example's answer by the run and by ONNX, round by round."""
    fitted, one = load(run.folder), exits_of(run)[0]
    example: Domain = task_of_run(run).target.take(slice(1))
    answer, raw = FORMS["onnx"].runner(out / f"{one.name}.onnx"), next(one.examples())[:1]
    contenders = {"run": lambda: fitted.outputs(example, one.side, keep_features=False), "onnx": lambda: answer(raw)}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS + 2):
        for name, work in contenders.items():
            spent = seconds(lambda work=work: [work() for _ in range(CALLS)], time.process_time)
            if number > 1:
                taken[name].append(1000 * spent / CALLS)
    return taken["run"], taken["onnx"]


def main() -> None:
    rows = []
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            run = run_of(kind, Path(folder) / "made")
            rows.append(
                row(f"{name}: export", "CPU s", [export_seconds(run.folder, Path(folder) / "out")], at_most=30)
            )
            own, exported = answer_seconds(run, Path(folder) / "out")
        rows.append(row(f"{name}: one example, ONNX", "ms", exported))
        rows.append(row(f"{name}: the run's time over ONNX's", "×", ratios(own, exported), at_least=1.5))
    write("what an exported model costs", rows)


if __name__ == "__main__":
    main()
