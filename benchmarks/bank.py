"""A bank of many small runs, to learn from what a choice without target labels should look at, and to judge it by.

    python benchmarks/bank.py train bank       every candidate twice on every task of the bank, into runs/bank/
    python benchmarks/bank.py train fresh      the same of tasks that had no part in the first rule, and in the second
    python benchmarks/bank.py train second     of tasks that had no part in either, what `auto` tries; so `third`
    python benchmarks/bank.py fit              how wide intervals are, into src/acclimate/selection/constants.json
    python benchmarks/bank.py pack bank fresh  scores and accuracies of these, into benchmarks/results/bank/

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
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.runs.machine import machine
from acclimate.selection.estimates import CONFIDENCE, room
from acclimate.training.fitted import Fitted
from bank_scores import Arrays, row_of
from bank_tasks import Sides, Task, as_domain, changed, tasks

ROOT = Path(__file__).parent.parent
# Parts that the rule of today and the intervals were made on.
FITTED = ("bank", "fresh", "second")
RUNS, RESULTS = ROOT / "runs" / "bank", Path(__file__).parent / "results" / "bank"
CONSTANTS = ROOT / "src" / "acclimate" / "selection" / "constants.json"
SEEDS = (0, 1)
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
    "linear-monge": ("linear-monge", {}),
}
_FIRST = tuple(name for name in CANDIDATES if name != "linear-monge")
# What `auto` tries of vectors: enough to judge the rule by, at two thirds of the cost.
_USUAL = ("source-only", "mcd", "mcc", "dan", "coral", "dann")
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
# Share of the source that is kept from training; how far targets are moved; how much of the first is in a mixture.
HELD, STIR, MIXED = 0.2, 0.3, 0.55


def file_of(task: Task) -> str:
    """A task's name as that of a file."""
    return task.name.replace(" ", "_").replace(",", "").replace(">", "-")


def tried(task: Task) -> tuple[str, ...]:
    """Names of the candidates on a task."""
    return {"second": _USUAL, "third": (*_USUAL, "linear-monge")}.get(task.part, _FIRST)


def train(task: Task) -> None:
    """Every candidate on one task, into one file."""
    path = RUNS / task.part / f"{file_of(task)}.npz"
    if path.exists():
        return
    sides, began = task.sides(), time.process_time()
    held = int(len(sides.ys) * (1 - HELD))
    found: Arrays = {"labels": sides.yt, "source_labels": sides.ys[held:], "prior": sides.ys[:held]}
    seconds = []
    for name in tried(task):
        for seed in SEEDS:
            start = time.process_time()
            found |= {f"{name}/{seed}/{what}": array for what, array in shown(sides, held, name, seed).items()}
            seconds.append(time.process_time() - start)
    found |= {"seconds": np.array(seconds), "partners": changed(sides.xt)[1]}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, **found)
    path.with_suffix(".part").rename(path)
    print(f"{task.name}: {time.process_time() - began:.0f} s of a core", flush=True)


def shown(sides: Sides, held: int, name: str, seed: int) -> Arrays:
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
    noise, partners = changed(sides.xt)
    stirred = sides.xt + STIR * noise * sides.xt.std(axis=0)
    mixed = MIXED * sides.xt + (1 - MIXED) * sides.xt[partners]
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


def pack(part: str) -> None:
    """Scores and accuracies of every task that was trained, one a line; those that stand there already are kept."""
    written = RESULTS / f"{part}.json"
    known = json.loads(written.read_text(encoding="utf-8"))["rows"] if written.exists() else []
    rows = {row["task"]: row for row in known}
    RESULTS.mkdir(exist_ok=True)
    for task in [task for task in tasks() if task.part == part and task.name not in rows]:
        path = RUNS / part / f"{file_of(task)}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as found:
                rows[task.name] = row_of(task, dict(found), tried(task), SEEDS)
            lines = ",\n  ".join(json.dumps(row) for row in rows.values())
            text = f'{{"machine": {json.dumps(machine())}, "rows": [\n  {lines}\n]}}\n'
            written.write_text(text, encoding="utf-8")
            print(task.name, flush=True)


def fit_constants() -> None:
    """How far estimates lie above and below the truth, at the quantiles that hold for one task more."""
    parts = [json.loads((RESULTS / f"{part}.json").read_text(encoding="utf-8"))["rows"] for part in FITTED]
    rows = [row for part in parts for row in part]
    far: dict[str, list[float]] = {}
    for row in rows:
        for name in _USUAL:
            for form, value in row["estimates"][name].items():
                far.setdefault(form, []).append((value - row["right"][name]) / room(value))
            pairs = row["by_class"][name]
            far.setdefault("class", []).extend((value - right) / room(value) for value, right in pairs)
    level = min(np.ceil((len(rows) + 1) * (1 + CONFIDENCE) / 2) / len(rows), 1.0)
    spread = {form: [_at(np.array(off), level), _at(-np.array(off), level)] for form, off in far.items()}
    content = {"spread": spread, "tasks": [row["task"] for row in rows]}
    CONSTANTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _at(values: np.ndarray, level: float) -> float:
    return max(round(float(np.quantile(values, level, method="higher")), 3), 0.0)


def main() -> None:
    """Do what is asked for."""
    torch.set_num_threads(1)
    what, *parts = sys.argv[1:]
    if what == "train":
        asked = [task for task in tasks() if task.part in parts]
        for place in np.random.default_rng(0).permutation(len(asked)):  # so that some of them are a fair sample
            train(asked[place])
    if what == "fit":
        fit_constants()
    if what == "pack":
        for part in parts:
            pack(part)


if __name__ == "__main__":
    main()
