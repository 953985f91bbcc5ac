"""What a training will cost, from a few examples and two or three steps."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.runs.request import Request
from acclimate.training.begun import plan_for
from acclimate.training.encode import encode
from acclimate.training.hooks import Hooks
from acclimate.training.photo_features import PhotoFeatures
from acclimate.training.plan import Plan
from acclimate.training.randomness import seeded
from acclimate.training.requests import encodes_photos
from acclimate.training.session import make_trainer
from acclimate.training.trainer import Trainer
from acclimate.types import UNLABELLED

_PROBE = 2  # images a side of the step that is tried first
_SECONDS = 1.0  # a whole step that takes longer is not tried


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters by network, and floating-point operations and seconds."""

    parameters: dict[str, int]
    steps: int
    flop_per_step: int
    seconds_per_step: float
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
    few = replace(task, source=_one_of_each(task.source), target=task.target.take(slice(_PROBE)))
    plan = plan_for(request, few)
    cost = estimate_cost(plan, _stand_in(task.source, plan), _stand_in(task.target, plan))
    return plan, replace(cost, encoding_seconds=_encoding_seconds(plan, task))


def estimate_cost(plan: Plan, source: Domain, target: Domain) -> Cost:
    """Count and time steps on throwaway networks.

    Work on images grows with the examples of a batch. So two steps on very few of them, one to warm up and to count
    operations in and one to time, tell what a whole one takes, and only where that is short it is done as well.

    Args:
        plan: what would be trained.
        source: as for `fit`.
        target: likewise.
    """
    batch = plan.options.batch_size
    if plan.preprocess.kind != "images" or plan.method.problem == "retrieval" or batch <= _PROBE:
        return _cost_of(make_trainer(plan, source, target, Hooks()))
    few = replace(plan, options=plan.options.model_copy(update={"batch_size": _PROBE}))
    probe = _cost_of(make_trainer(few, _few(source), _few(target), Hooks()))
    times = batch / _PROBE
    if times * probe.seconds_per_step < _SECONDS:
        return _cost_of(make_trainer(plan, source, target, Hooks()))
    return replace(
        probe,
        steps=plan.steps(source, target),
        flop_per_step=round(times * probe.flop_per_step),
        seconds_per_step=times * probe.seconds_per_step,
    )


def _cost_of(trainer: Trainer) -> Cost:
    """Of a step as the trainer takes it: one to warm up and to count operations in, and one to time."""
    with seeded(trainer.options.seed, trainer.device):
        with FlopCounterMode(display=False) as counter:
            trainer.train_step()
        start = time.perf_counter()
        trainer.train_step()
        seconds = time.perf_counter() - start
    parameters = {name: sum(p.numel() for p in net.parameters()) for name, net in trainer.nets.items()}
    return Cost(parameters, trainer.steps, counter.get_total_flops(), seconds)


def _one_of_each(source: Domain) -> Domain:
    """One example of the first few classes that have any."""
    classes, first = np.unique(source.labels, return_index=True)
    return source.take(first[classes != UNLABELLED][:_PROBE])


def _few(domain: Domain) -> Domain:
    """Enough examples for a step of the probe, with and without a label where there are both."""
    labelled = domain.labels != UNLABELLED
    kept = np.concatenate([np.flatnonzero(labelled)[: 2 * _PROBE], np.flatnonzero(~labelled)[: 2 * _PROBE]])
    return domain.take(kept)


def _stand_in(photos: Domain, plan: Plan) -> Domain:
    """The domain with numbers in place of photos: a step's cost does not ask which."""
    numbers = np.random.default_rng(0).standard_normal((len(photos), plan.preprocess.of("target").inputs))
    return replace(photos, inputs=numbers.astype(np.float32))


def _encoding_seconds(plan: Plan, task: Task) -> float:
    """How long a frozen encoder takes for all photos of a task, from two of them."""
    assert isinstance(plan.preprocess, PhotoFeatures)
    photos = task.source.take(slice(_PROBE))
    start = time.perf_counter()
    encode(photos, encoder=plan.preprocess.network)
    return (time.perf_counter() - start) / len(photos) * sum(map(len, task.domains().values()))
