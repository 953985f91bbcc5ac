"""How often the health checks speak where adaptation harms, and where it helps: worlds of which that is known.

    python benchmarks/checks.py

Worlds of `other_proportions`: class proportions that differ between the sides, a target that is moved, and both; with
them `shifted_blobs`. The held-out labels only tell afterwards whether a method did harm. Writes
benchmarks/results/checks/proportions.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acclimate import discovery
from acclimate.data.synthetic import other_proportions, shifted_blobs
from acclimate.data.task import Task
from acclimate.metrics.classification import accuracy
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.runs.files import write_json
from acclimate.runs.findings import findings
from acclimate.runs.machine import current_commit
from acclimate.training.hooks import Hooks
from acclimate.training.proportions import Baseline

METHODS = ("adabn", "coral", "dann", "mcc", "sa")
OPTIONS = {"steps": 200, "batch_size": 64, "precision": "fp32"}
DIFFERENT = (
    ((0.9, 0.1), (0.1, 0.9)),
    ((0.54, 0.46), (0.05, 0.95)),
    ((0.8, 0.2), (0.4, 0.6)),
    ((0.6, 0.3, 0.1), (0.1, 0.3, 0.6)),
    ((0.25,) * 4, (0.7, 0.1, 0.1, 0.1)),
    ((0.2,) * 5, (0.34, 0.33, 0.33, 0.0, 0.0)),
)
EQUAL = ((0.5, 0.5), (0.7, 0.3), (0.9, 0.1), (0.5, 0.3, 0.2), (0.25,) * 4)
# A change of accuracy worth the name.
CLEAR = 0.02


def worlds() -> dict[str, Task]:
    """Every world by its name."""
    found = {
        f"{source} and {target}, moved by {move}": other_proportions(source, target, move=move, seed=1)
        for source, target in DIFFERENT
        for move in (0.0, 0.5)
    }
    found |= {
        f"{shares} on both sides, moved by {move}": other_proportions(shares, shares, move=move, seed=1)
        for shares in EQUAL
        for move in (0.0, 1.5, 2.5)
    }
    return found | {f"blobs, moved by {shift}": shifted_blobs(400, shift=shift, seed=1) for shift in (2.0, 3.0, 4.0)}


def train(name: str, task: Task, baseline: Baseline | None) -> tuple[Baseline, float, list[str]]:
    """The answers on the target, their accuracy, and what the checks found, each with its severity."""
    method = discovery.methods()[name].load()()
    plan = make_plan(method, task.source, task.target, options=OPTIONS)
    held_out = plan.preprocess.of("source").fit(task.source_test)  # type: ignore[arg-type]
    rows: list[Any] = []
    fitted = fit(plan, task.source, task.target, Hooks(record=rows.append, held_out=held_out, baseline=baseline))
    logits = fitted.outputs(task.target, keep_features=False).logits
    found = [finding for finding in findings(rows) if finding.until is None]
    made = Baseline(logits.argmax(axis=1), any(finding.kind == "proportions" for finding in found))
    labels = task.hidden.target  # type: ignore[union-attr]
    return made, accuracy(logits, labels), [f"{finding.kind} ({finding.severity})" for finding in found]


def outcome(change: float) -> str:
    """What adaptation did."""
    return "helped" if change > CLEAR else "harmed" if change < -CLEAR else "no clear change"


def loudest(found: list[str]) -> str:
    """The most severe of what was found."""
    return next((level for level in ("warning", "question") if any(level in text for text in found)), "silent")


def main() -> None:
    """Run every world and write what was found."""
    rows: list[dict[str, Any]] = []
    counts: dict[str, dict[str, int]] = {}
    for world, task in worlds().items():
        baseline, before, found = train("source-only", task, None)
        rows.append({"world": world, "method": "source-only", "accuracy": round(before, 4), "found": found})
        for name in METHODS:
            _, after, found = train(name, task, baseline)
            rows.append({"world": world, "method": name, "accuracy": round(after, 4), "found": found})
            of_kind = counts.setdefault(outcome(after - before), {"warning": 0, "question": 0, "silent": 0})
            of_kind[loudest(found)] += 1
        print(world, counts, flush=True)
    path = Path(__file__).parent / "results" / "checks" / "proportions.json"
    write_json(path, {"commit": current_commit(), "options": OPTIONS, "runs": counts, "rows": rows})


if __name__ == "__main__":
    main()
