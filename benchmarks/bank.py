"""A bank of many small runs, to learn from what a choice without target labels should look at, and to judge it by.

    python benchmarks/bank.py train bank       every candidate twice on every task of the bank, into runs/bank/
    python benchmarks/bank.py train fresh      the same of the tasks that had no part in making the rule
    python benchmarks/bank.py pack             what a choice may look at, small, into benchmarks/results/bank/

Training goes on where it was broken off. It reads public data where $ACCLIMATE_DATA says.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.runs.machine import machine
from acclimate.training.fitted import Fitted
from acclimate.training.planning import make_plan
from acclimate.training.session import fit
from bank_tasks import Sides, Task, as_domain, tasks

ROOT = Path(__file__).parent.parent
RUNS, RESULTS = ROOT / "runs" / "bank", Path(__file__).parent / "results" / "bank"
FLOOR, SEEDS = "source-only", (0, 1)
CANDIDATES: dict[str, tuple[str, dict[str, float]]] = {
    "source-only": ("source-only", {}),
    "adabn": ("adabn", {}),
    "sa": ("sa", {}),
    "coral": ("coral", {}),
    "dan": ("dan", {}),
    "dann": ("dann", {}),
    "mcd": ("mcd", {"n": 2}),
    "mcd-one-step": ("mcd-one-step", {}),
    "mcc": ("mcc", {}),
    "mcc weak": ("mcc", {"weight": 0.3}),
}
OPTIONS = {
    "steps": 200,
    "batch_size": 64,
    "optimizer": "adam",
    "lr": 1e-3,
    "weight_decay": 5e-4,
    "lr_schedule": "annealing",
    "normalisation": "none",
    "device": "cpu",
}
# Of the source, kept from training; how far a picture of it is moved; how much of the first is in a mixture.
HELD, STIR, MIXED = 0.2, 0.3, 0.55


def file_of(task: Task) -> str:
    """A task's name as that of a file."""
    return task.name.replace(" ", "_").replace(",", "").replace(">", "-")


def train(task: Task) -> None:
    """Every candidate on one task, into one file."""
    path = RUNS / task.part / f"{file_of(task)}.npz"
    if path.exists():
        return
    sides, began = task.sides(), time.process_time()
    held = int(len(sides.ys) * (1 - HELD))
    found: dict[str, np.ndarray] = {"labels": sides.yt, "source_labels": sides.ys[held:], "prior": sides.ys[:held]}
    seconds = []
    for name in CANDIDATES:
        for seed in SEEDS:
            start = time.process_time()
            found |= {f"{name}/{seed}/{what}": array for what, array in shown(sides, held, name, seed).items()}
            seconds.append(time.process_time() - start)
    found["seconds"] = np.array(seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, **found)
    path.with_suffix(".part").rename(path)
    print(f"{task.name}: {time.process_time() - began:.0f} s of a core", flush=True)


def shown(sides: Sides, held: int, name: str, seed: int) -> dict[str, np.ndarray]:
    """What one run shows: scores and features of held-out source and of target, and scores of changed targets."""
    method, settings = CANDIDATES[name]
    classes = tuple(str(label) for label in range(int(sides.ys.max()) + 1))
    source = as_domain(sides.xs[:held], sides.ys[:held], classes, "source")
    others = as_domain(sides.xs[held:], None, classes, "held out")
    target = as_domain(sides.xt, None, classes, "target")
    plan = make_plan(
        discovery.methods()[method].load()(**settings),
        source,
        target,
        network="mlp",
        options={**OPTIONS, "seed": seed},
    )
    fitted = fit(plan, source, target)
    own, other = fitted.outputs(others, "source"), fitted.outputs(target)
    rng = np.random.default_rng(0)
    stirred = sides.xt + STIR * rng.normal(size=sides.xt.shape) * sides.xt.std(axis=0)
    mixed = MIXED * sides.xt + (1 - MIXED) * sides.xt[rng.permutation(len(sides.xt))]
    return {
        "source_scores": own.logits,
        "target_scores": other.logits,
        "source_features": own.features.astype(np.float16),
        "target_features": other.features.astype(np.float16),
        "stirred": _scores(fitted, target, stirred),
        "mixed": _scores(fitted, target, mixed),
    }


def _scores(fitted: Fitted, target: Domain, inputs: np.ndarray) -> np.ndarray:
    moved = replace(target, inputs=inputs.astype(np.float32))
    return fitted.outputs(moved, keep_features=False).logits


def main() -> None:
    """Do what is asked for."""
    torch.set_num_threads(1)
    what, *parts = sys.argv[1:]
    if what == "train":
        for task in tasks():
            if task.part in parts:
                train(task)
        (RUNS / "machine.json").write_text(json.dumps(machine()), encoding="utf-8")


if __name__ == "__main__":
    main()
