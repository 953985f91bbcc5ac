"""What each example of the gallery prints on real data, and how long it takes.

    python benchmarks/gallery.py                  # all of them
    python benchmarks/gallery.py months sensors   # or some

Writes benchmarks/results/gallery/<example>.json, of which docs/gallery.md is made. The SHA-256 of the script stands
beside what it printed: a script that was changed has to be run again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from acclimate.runs.files import write_json
from acclimate.runs.machine import current_commit, machine

ROOT = Path(__file__).parents[1]
EXAMPLES, RESULTS = ROOT / "examples" / "gallery", ROOT / "benchmarks" / "results" / "gallery"


def run(script: Path) -> None:
    """Run one of them with one thread, and write down what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    said = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{script.name} failed")
    found = {
        "command": f"python {script.relative_to(ROOT)}",
        "script": hashlib.sha256(script.read_bytes()).hexdigest(),
        "commit": current_commit(),
        "hardware": {**machine(), "threads": 1},
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "said": said,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"{script.stem}.json", found)
    print(f"{script.stem}: {found['cpu_s']} CPU s", *said, sep="\n  ")


def main() -> None:
    """Run those that were named, or all."""
    for name in sys.argv[1:] or sorted(path.stem for path in EXAMPLES.glob("*.py")):
        run(EXAMPLES / f"{name}.py")


if __name__ == "__main__":
    main()
