"""Training on the source alone: the baseline under every method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from acclimate.methods.base import Networks, label_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.types import Batch, Update


class SourceOnly(Stepwise[Batch]):
    """No adaptation: fit the labelled source and hope.

    Minimise the cross-entropy of the source labels. Labelled target examples, if the user gave any, join in.
    """

    name: ClassVar[str] = "source-only"
    title: ClassVar[str] = "Source only"
    paper: ClassVar[str] = "baseline"
    learns_from: ClassVar[tuple[str, ...]] = ("source",)

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the label loss."""
        loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        yield Update(loss, trains=("features", "classifier"), logs={"label_loss": loss.detach()})
