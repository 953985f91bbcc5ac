"""What a training will cost, from two steps of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from torch.utils.flop_counter import FlopCounterMode

from acclimate.data.domain import Domain
from acclimate.training.hooks import Hooks
from acclimate.training.randomness import seeded
from acclimate.training.session import Plan, make_trainer


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters by network, and floating-point operations and seconds."""

    parameters: dict[str, int]
    steps: int
    flop_per_step: int
    seconds_per_step: float

    @property
    def seconds(self) -> float:
        """For all steps, evaluation not counted."""
        return self.steps * self.seconds_per_step


def estimate_cost(plan: Plan, source: Domain, target: Domain) -> Cost:
    """Run three steps on throwaway networks: one to warm up, one to count operations, one to time.

    Args:
        plan: what would be trained.
        source: as for `fit`.
        target: likewise.
    """
    trainer = make_trainer(plan, source, target, Hooks())
    with seeded(plan.options.seed, trainer.device):
        trainer.train_step()
        with FlopCounterMode(display=False) as counter:
            trainer.train_step()
        start = time.perf_counter()
        trainer.train_step()
        seconds = time.perf_counter() - start
    parameters = {name: sum(p.numel() for p in net.parameters()) for name, net in trainer.nets.items()}
    return Cost(parameters, trainer.steps, counter.get_total_flops(), seconds)
