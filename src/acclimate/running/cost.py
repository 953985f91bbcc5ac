"""What a training will cost in time and memory, from a few examples and a few steps."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from acclimate.data.domain import Domain
from acclimate.data.free_memory import free_memory, resident_memory
from acclimate.data.task import Task
from acclimate.inputs.encode import encode
from acclimate.inputs.photo_features import PhotoFeatures
from acclimate.problems.fitting import make_trainer
from acclimate.running.begun import plan_for
from acclimate.running.memory import PROBES, Demand, examples_of, few, joined, traced
from acclimate.running.requests import encodes_photos
from acclimate.runs.request import Request
from acclimate.training.hooks import Hooks
from acclimate.training.plan import Plan
from acclimate.training.randomness import seeded
from acclimate.training.trainer import Trainer
from acclimate.types import UNLABELLED

# What libraries take that are loaded later: to look at answers, to draw, to write the report.
_LATER = 280 * 2**20
_SECONDS = 1.0  # a whole step that takes longer is not tried


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters by network, and floating-point operations, seconds and bytes.

    Attributes:
        demand: bytes in use while steps are taken.
        memory: bytes that the process holds at most, or on a GPU takes there.
        free: bytes that it could; None where nobody tells.
    """

    parameters: dict[str, int]
    steps: int
    flop_per_step: int
    seconds_per_step: float
    demand: Demand
    memory: int = 0
    free: int | None = None
    encoding_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """For the photos to be encoded and all steps, evaluation not counted."""
        return self.encoding_seconds + self.steps * self.seconds_per_step


def plan_and_cost(request: Request, task: Task) -> tuple[Plan, Cost]:
    """The plan of a request and what it would cost; nothing that takes long is done to find out."""
    if not encodes_photos(request, task):
        plan = plan_for(request, task)
        return plan, estimate_cost(plan, task.source, task.target)
    few = replace(task, source=_one_of_each(task.source), target=task.target.take(slice(PROBES[0])))
    plan = plan_for(request, few)
    cost = estimate_cost(plan, _stand_in(task.source, plan), _stand_in(task.target, plan))
    return plan, replace(cost, encoding_seconds=_encoding_seconds(plan, task))


def estimate_cost(plan: Plan, source: Domain, target: Domain) -> Cost:
    """Count and time steps on throwaway networks.

    Work on images grows with the examples of a batch, beside some that does not. So steps on two small numbers of
    them tell what a whole one takes, and only where that is short it is done as well.

    Args:
        plan: what would be trained.
        source: as for `fit`.
        target: likewise.
    """
    free = free_memory(plan.processes.device)
    held = resident_memory() if plan.processes.device.type == "cpu" else 0
    cost = _of_steps(plan, source, target)
    memory = cost.demand.of(*examples_of(plan, source, target)) + (held + _LATER if held else 0)
    return replace(cost, memory=memory, free=None if free is None else free + held)


def _of_steps(plan: Plan, source: Domain, target: Domain) -> Cost:
    batch = plan.options.batch_size
    if plan.preprocess.kind != "images" or plan.method.problem == "retrieval" or batch <= PROBES[1]:
        return _cost_of(make_trainer(plan, source, target, Hooks()))
    small, large = (_cost_of(_trainer_of(plan, n, source, target)) for n in PROBES)
    share = (batch - PROBES[0]) / (PROBES[1] - PROBES[0])
    seconds = small.seconds_per_step + max(0.0, large.seconds_per_step - small.seconds_per_step) * share
    if seconds < _SECONDS:
        return _cost_of(make_trainer(plan, source, target, Hooks()))
    return replace(
        small,
        steps=plan.steps(source, target),
        flop_per_step=round(batch / PROBES[0] * small.flop_per_step),
        seconds_per_step=seconds,
        demand=joined(small.demand, large.demand),
    )


def _trainer_of(plan: Plan, batch: int, source: Domain, target: Domain) -> Trainer:
    tried = replace(plan, options=plan.options.model_copy(update={"batch_size": batch}))
    return make_trainer(tried, few(source), few(target), Hooks())


def _cost_of(trainer: Trainer) -> Cost:
    """Of a step as the trainer takes it: one to count operations in, one to look at its memory, and one to time."""
    with seeded(trainer.options.seed, trainer.device):
        with FlopCounterMode(display=False) as counter:
            trainer.train_step()
        demand = traced(trainer)
        start = time.perf_counter()
        trainer.train_step()
        seconds = time.perf_counter() - start
    parameters = {name: sum(p.numel() for p in net.parameters()) for name, net in trainer.nets.items()}
    return Cost(parameters, trainer.steps, counter.get_total_flops(), seconds, demand)


def _one_of_each(source: Domain) -> Domain:
    """One example of the first few classes that have any."""
    classes, first = np.unique(source.labels, return_index=True)
    return source.take(first[classes != UNLABELLED][: PROBES[0]])


def _stand_in(photos: Domain, plan: Plan) -> Domain:
    """The domain with numbers in place of photos: a step's cost does not ask which."""
    numbers = np.random.default_rng(0).standard_normal((len(photos), plan.preprocess.of("target").inputs))
    return replace(photos, inputs=numbers.astype(np.float32))


def _encoding_seconds(plan: Plan, task: Task) -> float:
    """How long a frozen encoder takes for all photos of a task, from two of them."""
    assert isinstance(plan.preprocess, PhotoFeatures)
    photos = task.source.take(slice(PROBES[0]))
    start = time.perf_counter()
    encode(photos, encoder=plan.preprocess.network)
    return (time.perf_counter() - start) / len(photos) * sum(map(len, task.domains().values()))
