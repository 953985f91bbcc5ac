"""What the trainer costs over a loop written by hand, and what a step of MCD costs in operations.

    python benchmarks/perf/trainer.py

Every loop draws its own batches of 128 + 128 random images, in fp32, in the same memory layout and with the same
fused optimizers. MCD by hand computes no gradient in vain, but the features of the first C anew; the trainer is
compared with it on a network that hides its layers, so that it has to do the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import loops
import numpy as np
import torch
from measure import gflop, interleaved, ratios, row, write
from torch import Tensor, nn

from acclimate.data.domain import Domain
from acclimate.methods.base import Method
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.mcd import MCD
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.training.allocator import keep_freed_memory
from acclimate.training.hooks import Hooks
from acclimate.training.plan import Plan
from acclimate.training.trainer import Interrupted, Trainer

BATCH, N = 128, 4
# Network, side and channels of its images, rounds, and steps in a round.
SMALL = {"dann": ("dann-mnist", 28, 1, 15, 8), "mcd": ("mcd-usps", 28, 1, 15, 3)}
LARGE = {"dann": ("dann-svhn", 32, 3, 7, 1), "mcd": ("mcd-svhn", 32, 3, 7, 1)}


class Opaque(nn.Module):
    """Hides the layers of a network, so that MCD computes its features anew."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """What it does."""
        return self.net(x)


def domains(side: int, channels: int) -> tuple[Domain, Domain]:
    """Random bytes, labelled and not."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 2_000, side, side, channels), dtype=np.uint8)
    classes = tuple("0123456789")
    return Domain(images[0], rng.integers(0, 10, 2_000), classes), Domain(images[1], classes=classes)


def plan_of(method: Method, network: str, source: Domain, target: Domain) -> Plan:
    options = {"precision": "fp32", "batch_size": BATCH, "steps": 100_000, "device": "cpu"}
    return make_plan(method, source, target, network=network, options=options)


def trainer_loop(plan: Plan, source: Domain, target: Domain, steps: int) -> tuple[Trainer, Callable[[], None]]:
    """The trainer's own loop, stopped after so many steps each time it is called."""
    trainer = make_trainer(plan, source, target, Hooks())
    torch.manual_seed(0)

    def run() -> None:
        end = trainer.step + steps
        trainer.hooks.stop = lambda: trainer.step == end
        try:
            trainer.train()
        except Interrupted:
            return

    return trainer, run


def by_hand(step: Callable[..., None], plan: Plan, source: Domain, target: Domain, steps: int) -> Callable[[], None]:
    """A loop over `step`, on networks and optimizers of its own that are made as the trainer makes its."""
    trainer = make_trainer(plan, source, target, Hooks())
    draw = loops.batches(source.inputs, source.labels, target.inputs, BATCH)
    last = N if isinstance(plan.method, MCD) else 0.5

    def run() -> None:
        for _ in range(steps):
            step(trainer.nets, trainer.optimizers, draw, last)

    return run


def measured(method: Method, network: str, side: int, channels: int, rounds: int, steps: int) -> list[dict]:
    """One method on one network: the ratio, the seconds and, for MCD, the operations."""
    source, target = domains(side, channels)
    plan = plan_of(method, network, source, target)
    make = functools.partial(by_hand, plan=plan, source=source, target=target, steps=steps)
    contenders = {"trainer": trainer_loop(plan, source, target, steps)[1]}
    name = f"{method.title}, {network}"
    if isinstance(method, MCD):
        opaque, run = trainer_loop(plan, source, target, steps)
        opaque.nets["features"] = Opaque(opaque.nets["features"])
        contenders |= {"opaque": run, "naive": make(loops.naive_mcd_step), "hand": make(loops.mcd_step)}
    else:
        contenders["hand"] = make(loops.dann_step)
    taken = interleaved(contenders, rounds)
    same = "opaque" if "opaque" in contenders else "trainer"
    rows = [
        row(
            f"{name}: trainer over a bare loop of the same schedule",
            "×",
            ratios(taken[same], taken["hand"]),
            at_most=1.05,
        ),
        row(f"{name}: a step", "CPU s", [t / steps for t in taken["trainer"]]),
        row(f"{name}: a step by hand", "CPU s", [t / steps for t in taken["hand"]]),
    ]
    if isinstance(method, MCD):
        rows.append(row(f"{name}: trainer over the authors' schedule", "×", ratios(taken["trainer"], taken["naive"])))
    if network == "mcd-svhn":
        counts = {key: [gflop(contenders[key])] for key in ("naive", "opaque", "trainer")}
        rows += [
            row(f"{name}: a step of the authors' schedule", "GFLOP", counts["naive"], digits=4),
            row(f"{name}: without discarded gradients", "GFLOP", counts["opaque"], digits=4, at_most=345),
            row(
                f"{name}: and with B's target features in the first C",
                "GFLOP",
                counts["trainer"],
                digits=4,
                at_most=327,
            ),
        ]
    return rows


def main() -> None:
    keep_freed_memory()  # as every command does
    rows = []
    for cases in (SMALL, LARGE):
        rows += measured(DANN(), *cases["dann"]) + measured(MCD(n=N), *cases["mcd"])
    write(f"training steps of {BATCH} + {BATCH} images, fp32", rows)


if __name__ == "__main__":
    main()
