"""One step of SSAN: class by class and example by example, in matrices, in the space of the rows, and in bf16.

    python benchmarks/perf/ssan.py

SURF of amazon to DeCAF6 of webcam: 958 source rows of 800 features and 295 target rows of 4096. The loops are those
that tests/methods/test_ssan.py holds the method against.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

import torch
from measure import ROOT, interleaved, ratios, row, write

from acclimate.data.tasks import load_task
from acclimate.methods.heterogeneous.ssan import SSAN
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.training.allocator import keep_freed_memory
from acclimate.training.hooks import Hooks

ROUNDS = 7
FORMS = {
    "in matrices": {"row_space": False, "precision": "fp32"},
    "and in the rows' space": {"precision": "fp32"},
    "and in bf16": {"precision": "bf16"},
}


def main() -> None:
    keep_freed_memory()
    torch.set_num_threads(1)
    task = load_task("office:surf_amazon-decaf_webcam").with_label_budget(3)
    steps: dict[str, Callable[[], object]] = {"by loops": by_loops(task)}
    for name, options in FORMS.items():
        plan = make_plan(SSAN(), task.source, task.target, options=options)
        steps[name] = make_trainer(plan, task.source, task.target, Hooks()).train_step
    taken = interleaved(steps, ROUNDS)
    rows = [row(f"a step {name}", "CPU s", values) for name, values in taken.items()]
    for name in FORMS:
        aim = {"at_least": 8} if name == "and in bf16" else {}
        rows.append(row(f"by loops over {name}", "×", ratios(taken["by loops"], taken[name]), **aim))
    write("one step of SSAN, 958 rows of 800 features and 295 of 4096", rows)


def by_loops(task: object) -> Callable[[], object]:
    """A step of the loops, on the features themselves."""
    spec = importlib.util.spec_from_file_location("loops", ROOT / "tests" / "methods" / "test_ssan.py")
    assert spec is not None
    assert spec.loader is not None
    loops = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loops
    spec.loader.exec_module(loops)
    plan = make_plan(SSAN(), task.source, task.target, options=FORMS["in matrices"])  # type: ignore[attr-defined]
    trainer = make_trainer(plan, task.source, task.target, Hooks())  # type: ignore[attr-defined]
    batch, nets, options = trainer.streams.batch(0.0, torch.device("cpu")), trainer.nets, plan.options
    given, parameters = batch.labelled_target, [p for net in nets.values() for p in net.parameters()]
    optimizer = torch.optim.SGD(
        parameters, options.lr, options.momentum, nesterov=True, weight_decay=options.weight_decay
    )

    def step() -> None:
        optimizer.zero_grad()
        x, y = batch.source.x, batch.source.y
        loops.loss_by_loops(nets, x, y, given.x, given.y, batch.target.x, 0.0).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
