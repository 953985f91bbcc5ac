"""How long word vectors should be for AMN, asked of source texts that are held out.

    python benchmarks/word_vector_scale.py [task …]

AMN with its recipe, but eight epochs only, on the source without 1,000 texts, which then give loss and accuracy. No
target label is read. Rows that are in benchmarks/results/word_vector_scale.json are kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from acclimate.data.tasks import load_task
from acclimate.inputs import word_vectors
from acclimate.metrics.classification import accuracy
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_method, make_plan
from acclimate.runs.files import write_json
from acclimate.runs.machine import machine

OUT = Path(__file__).parent / "results" / "word_vector_scale.json"
TASKS = ["amazon:books-electronics", "amazon:kitchen-books"]
SPREADS = [0.15, 0.25, 0.5, 1.0]
HELD_OUT, STEPS = 1_000, 720


def measure(task: str, spread: float) -> dict[str, Any]:
    loaded = load_task(task, 0)
    order = np.random.default_rng(0).permutation(len(loaded.source))
    held_out, source = (loaded.source.take(np.sort(part)) for part in (order[:HELD_OUT], order[HELD_OUT:]))
    word_vectors.SPREAD = spread
    plan = make_plan(make_method("amn", {}), source, loaded.target, options={"steps": STEPS, "seed": 0})
    logits = fit(plan, source, loaded.target).outputs(held_out, "source").logits
    loss = F.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(held_out.labels).long())
    return {
        "task": task,
        "spread": spread,
        "steps": STEPS,
        "source_loss": round(float(loss), 4),
        "source_accuracy": round(accuracy(logits, held_out.labels), 4),
        "hardware": machine(),
    }


def main() -> None:
    rows = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else []
    for task in sys.argv[1:] or TASKS:
        for spread in SPREADS:
            if not any(row["task"] == task and row["spread"] == spread for row in rows):
                rows.append(measure(task, spread))
                write_json(OUT, rows)
                print({k: v for k, v in rows[-1].items() if k != "hardware"}, flush=True)


if __name__ == "__main__":
    main()
