"""`Plan`: everything that a method, a network, options and two domains decide, before the first step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.methods.base import Method
from acclimate.networks.architecture import Architecture
from acclimate.networks.backbone_names import FROZEN
from acclimate.networks.row_space import in_row_space
from acclimate.runs.options import TrainingOptions
from acclimate.training.calendar import Calendar
from acclimate.training.precision import choose_precision
from acclimate.training.processes import Processes
from acclimate.training.randomness import seeded


@dataclass(frozen=True)
class Plan:
    """Everything decided before the first step.

    Attributes:
        method: what to do with a batch.
        network: name of the architecture, or `"custom"`.
        architecture: builds the networks.
        preprocess: turns inputs into tensors.
        options: with nothing left open, once `planning.make_plan` gives the plan out.
        classes: names of the classes a model will tell apart.
        notes: what the user should know about how it was decided.
    """

    method: Method
    network: str
    architecture: Architecture
    preprocess: AnyPreprocess
    options: TrainingOptions
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def processes(self) -> Processes:
        """This process's device, and its place among others."""
        return Processes(self.options.device)

    def networks(self) -> dict[str, nn.Module]:
        """Fresh networks with the weights that the seed gives."""
        with seeded(self.options.seed, torch.device("cpu")):
            nets = self.method.networks(self.architecture, len(self.classes))
        ranks = {side: self.preprocess.of(side).rank for side in ("source", "target")}
        spans = {f"{side}_features": rank for side, rank in ranks.items() if rank}
        return {name: in_row_space(net, spans[name]) if name in spans else net for name, net in nets.items()}

    def steps(self, source: Domain, target: Domain) -> int:
        """Training steps in all."""
        return Calendar.of(self.options, source.num_labelled, len(target)).steps

    def settled(self) -> Plan:
        """The plan with the number format decided, the same in every process."""
        seen = "features" if self.network == FROZEN else self.preprocess.of("source").kind
        precision = choose_precision(self.options.precision, seen, self.processes)
        return replace(self, options=self.options.model_copy(update={"precision": precision}))
