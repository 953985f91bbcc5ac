"""A network trained on the few labelled target examples alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks, label_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.projectors import Depth, Projectors, heads_and_projectors
from acclimate.types import DisjointBatch, Update


class NNt(Stepwise[DisjointBatch]):
    """The target's few labels and nothing else: what a heterogeneous method has to be better than.

    Minimise the cross-entropy of the labelled target examples. The network is the target's half of SSAN's and STN's.
    """

    name: ClassVar[str] = "nnt"
    title: ClassVar[str] = "Target labels alone (NNt)"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("few target labels",)
    recipe: ClassVar[Mapping[str, Any]] = {
        "steps": 300,
        "batch_size": 2**20,
        "optimizer": "adam",
        "lr": 1e-3,
        "normalisation": "rows",
        "row_space": True,
    }

    common: int = Field(256, ge=1, description="d, width of the hidden space.")
    depth: Depth = Field("double", description="Layers of the projector: 'single' or 'double'.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """A projector and a classifier; the source's projector is there, but nothing trains it."""
        nets = heads_and_projectors(architecture, num_classes, self.common, self.depth, None)
        nets["source_features"].requires_grad_(False)
        return {name: nets[name] for name in ("source_features", "target_features", "classifier")}

    def updates(self, nets: Networks, batch: DisjointBatch) -> Iterator[Update]:
        """One step on the labelled target's loss."""
        loss = label_loss(lambda x: self.logits(nets, x), batch.labelled_target)
        yield Update(loss, trains=("target_features", "classifier"), logs={"label_loss": loss.detach()})
