"""What somebody does who has just installed acclimate and nothing else; `make dist` runs it.

    python tests/installed.py

It needs what acclimate itself brings, no pytest, and is run outside of the repository, so that the installed package
is the one that answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

COMMAND = Path(sys.executable).parent / "acclimate"


def main() -> None:
    """Adapt between two tables, predict, and report; any failure is an exception."""
    with tempfile.TemporaryDirectory() as folder:
        run(folder, "--version")
        found = json.loads(run(folder, "doctor", "--json"))
        write_tables(Path(folder))
        sides = ("--source", "a.csv", "--target", "b.csv", "--label-column", "kind")
        run(folder, "adapt", *sides, "--method", "dann", "--steps", "20", "--out", "run")
        run(folder, "predict", "run", "b.csv", "--out", "answers.csv")
        assert len((Path(folder) / "answers.csv").read_text(encoding="utf-8").splitlines()) == 61
        assert (Path(folder) / "run" / "report.html").stat().st_size > 10_000
    versions = [f"{name} {found[name]}" for name in ("acclimate", "python", "torch", "numpy", "polars", "pydantic")]
    print("It works alone:", ", ".join(versions))


def run(folder: str, *words: str) -> str:
    """What a command prints."""
    done = subprocess.run([COMMAND, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"acclimate {' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def write_tables(folder: Path) -> None:
    """A labelled source and a target that has moved, with a column of words and some gaps."""
    rng = np.random.default_rng(0)
    for name, moved in (("a.csv", 0.0), ("b.csv", 1.0)):
        rows = ["size,colour,count,kind"]
        for kind in rng.integers(0, 2, 60):
            size, colour, count = 4 * kind + moved + rng.normal(), rng.choice(["red", "blue"]), rng.integers(9) or ""
            rows.append(f"{size:.3f},{colour},{count},{'yes' if kind else 'no'}")
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
