"""The source alone, of several that which is nearest to the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, NonNegativeFloat
from torch import nn

from acclimate.methods.base import Networks, label_loss
from acclimate.methods.several_sources.common import shares, shares_of
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.types import SeveralBatch, Update


class ClosestSource(Stepwise[SeveralBatch]):
    """No adaptation, and of several sources the nearest alone: fit it and hope.

    Nearest is the source for whose the target's inputs would be taken, by a classifier that tells the sources apart;
    no target label has a say. What it gives beside all sources together tells whether more sources help at all.
    """

    name: ClassVar[str] = "closest-source"
    title: ClassVar[str] = "Closest source"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "several-sources"

    source_weights: tuple[NonNegativeFloat, ...] | None = Field(
        None,
        description="How much each source counts, in their order; the largest is taken. By default, its nearness.",
    )

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """One feature extractor, one classifier, and what each source counts."""
        return {**super().networks(architecture, num_classes), "shares": shares_of(self.source_weights)}

    def updates(self, nets: Networks, batch: SeveralBatch) -> Iterator[Update]:
        """One step on the labels of the nearest source, and of the target where some are granted."""
        nearest = batch.sources[int(shares(nets).argmax())]
        loss = label_loss(lambda x: self.logits(nets, x), nearest, *batch.labelled[len(batch.sources) :])
        yield Update(loss, trains=("features", "classifier"), logs={"label_loss": loss.detach()})
