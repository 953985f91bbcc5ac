"""How soon commands answer: `acclimate --help`, and the first training step of `acclimate adapt` on cached MNIST.

    python benchmarks/perf/startup.py

CPU seconds are those of the command's process. The first step counts from the command's start to its row in
metrics.jsonl, so reading the data, building the networks, probing for bf16 and the first evaluation are included.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import row, write

ROUNDS = 9
TASK = ("--task", "mnist-usps-full", "--no-baseline", "--steps", "400", "--json")


def python(*words: str) -> subprocess.Popen[bytes]:
    """Start Python with one thread, silently."""
    return subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def whole(*words: str) -> list[float]:
    """CPU seconds of a command from its start to its end, in each round after one to warm up."""
    found = []
    for _ in range(1 + ROUNDS):
        _, _, usage = os.wait4(python(*words).pid, 0)
        found.append(usage.ru_utime + usage.ru_stime)
    return found[1:]


def first_step() -> tuple[float, float]:
    """Wall-clock and CPU seconds from the command to the first row of losses."""
    with tempfile.TemporaryDirectory() as folder:
        start, metrics = time.monotonic(), Path(folder) / "run" / "metrics.jsonl"
        process = python("-m", "acclimate", "adapt", *TASK, "--out", str(metrics.parent))
        while not (metrics.is_file() and '"losses"' in metrics.read_text(encoding="utf-8")):
            if process.poll() is not None:
                sys.exit("adapt ended before its first step; are MNIST and USPS here? See: acclimate data list")
            time.sleep(0.01)
        wall, cpu = time.monotonic() - start, cpu_seconds(process.pid)
        process.send_signal(signal.SIGINT)
        process.wait()
    return wall, cpu


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has spent so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    first_step()
    walls, cpus = zip(*(first_step() for _ in range(ROUNDS)), strict=True)
    rows = [
        row("`acclimate --help`", "CPU s", whole("-m", "acclimate", "--help"), at_most=0.3),
        row("first step of `acclimate adapt`, MCD, 55,000 MNIST images", "s", walls, at_most=3),
        row("the same, CPU seconds", "CPU s", cpus),
        row("of which `import torch`", "CPU s", whole("-c", "import torch")),
        row("with `torch._dynamo`, which torch's optimizers import", "CPU s", whole("-c", "import torch._dynamo")),
    ]
    write("from the command to its answer", rows, options=" ".join(TASK))


if __name__ == "__main__":
    main()
