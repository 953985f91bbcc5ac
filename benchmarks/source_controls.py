"""Does the source matter? CGT with the source as it is, with its labels permuted, and with noise in its place.

    python benchmarks/source_controls.py [partitions]

Writes a row for each of the two controls beside those of the recipes, with the same tasks and partitions.
"""

from __future__ import annotations

import shlex
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.data.tasks import find_task, load_task
from acclimate.metrics.classification import accuracy
from acclimate.metrics.intervals import mean_ci95
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_method, make_plan
from acclimate.runs.files import write_json
from acclimate.runs.machine import current_commit, machine

ROOT = Path(__file__).parent


def permuted(source: Domain, seed: int) -> Domain:
    """The source with its labels in another order."""
    return replace(source, labels=np.random.default_rng([seed, 1]).permutation(source.labels))


def noise(source: Domain, seed: int) -> Domain:
    """As many rows of noise, uniform in [0, 1], with the source's labels."""
    rng = np.random.default_rng([seed, 2])
    return replace(source, inputs=rng.random(source.inputs.shape, dtype=np.float32))


CONTROLS = {"cgt-permuted-source": permuted, "cgt-noise-source": noise}


def drawn(name: str, seed: int) -> Task:
    """A partition, as `acclimate adapt` draws it."""
    return load_task(name, seed).with_label_budget(find_task(name).label_budget, seed)


def measure(name: str, control: str, partitions: int) -> dict[str, object]:
    """The row of a control on a task."""
    scores, start = [], time.perf_counter()
    for seed in range(partitions):
        task = drawn(name, seed)
        source = CONTROLS[control](task.source, seed)
        fitted = fit(
            make_plan(make_method("cgt", {}), source, task.target, options={"seed": seed}), source, task.target
        )
        scores.append(accuracy(fitted.outputs(task.target).logits, task.hidden.target))
    return {
        "task": name.replace(":", "-"),
        "method": control,
        "protocol": "as cgt, with another source",
        "selection": "last",
        "seeds": list(range(partitions)),
        "target_accuracy": [round(score, 5) for score in scores],
        "mean": round(float(np.mean(scores)), 5),
        "ci95": mean_ci95(scores) if len(scores) > 1 else None,
        "published": None,
        "command": shlex.join(["python", "benchmarks/source_controls.py", *sys.argv[1:]]),
        "commit": current_commit(),
        "hardware": machine() | {"threads": 1},
        "wall_s": round((time.perf_counter() - start) / partitions, 1),
        "steps": 1,
        "options": {},
    }


def main() -> None:
    partitions = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for recipe in ("heterogeneous", "reuters"):
        for name in tomllib.loads((ROOT / "recipes" / f"{recipe}.toml").read_text(encoding="utf-8"))["task"]:
            for control in CONTROLS:
                row = measure(name, control, partitions)
                write_json(ROOT / "results" / str(row["task"]) / f"{control}.json", row)
                print(f"{name:45} {control:20} {100 * float(str(row['mean'])):.1f}", flush=True)


if __name__ == "__main__":
    main()
