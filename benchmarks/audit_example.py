"""The example of docs/audit.md: handwritten digits audited by somebody who knows them.

    python benchmarks/audit_example.py FOLDER     an empty folder for the run

Writes benchmarks/results/audits/example.json: the commands, what they printed, and what all labels say.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl

from acclimate.runs.answer_sheet import write_sheet
from acclimate.runs.audits import asked_of, codes
from acclimate.runs.record import Run

RESULT = Path(__file__).parent / "results" / "audits" / "example.json"
ADAPT = (
    "acclimate adapt --task demo --method mcc --epochs 2 --batch-size 128 --set optimizer=adam --lr 1e-3 "
    "--set evaluations=1 --out runs/digits"
)
ASK = "acclimate audit runs/digits --items 40 --out to_label.csv"
ANSWER = "acclimate audit runs/digits --answers to_label.csv"


def typed(command: str, folder: Path) -> list[str]:
    """What a command prints, as lines."""
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, env=_environment())
    return done.stdout.rstrip().splitlines()


def _environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "110"}


def main() -> None:
    """Train, ask, label, tell."""
    folder = Path(sys.argv[1])
    if not (folder / "runs" / "digits" / "summary.json").is_file():
        typed(ADAPT, folder)
    run = Run(folder / "runs" / "digits")
    (folder / "to_label.csv").unlink(missing_ok=True)
    asked = typed(ASK, folder)
    audit = asked_of(run, codes(run)[-1])
    tables = {name: _answers(one, audit.split) for name, one in (("after", run), ("before", run.baseline)) if one}
    truth = tables["after"]["label"]
    write_sheet(folder / "to_label.csv", audit, {item.name: truth[item.row] for item in audit.items})
    told = typed(ANSWER, folder)
    content = {
        "commands": [ADAPT, ASK, ANSWER],
        "asked": asked,
        "told": told,
        "truth": {name: float((table["predicted"] == table["label"]).mean()) for name, table in tables.items()},
        "examples": audit.examples,
    }
    RESULT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _answers(run: Run, split: str) -> pl.DataFrame:
    return pl.read_parquet(run.predictions_path).filter(pl.col("split") == split).sort("row")


if __name__ == "__main__":
    main()
