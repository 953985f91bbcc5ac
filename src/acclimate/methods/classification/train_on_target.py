"""Training on the target's own labels: the ceiling above every method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from acclimate.methods.base import Networks, label_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.types import Batch, Update


class TrainOnTarget(Stepwise[Batch]):
    """The upper bound: fit the target's labels, which adaptation does without.

    Minimise the cross-entropy of the labelled target examples; the source is not used.
    """

    name: ClassVar[str] = "train-on-target"
    title: ClassVar[str] = "Train on target"
    paper: ClassVar[str] = "upper bound"
    learns_from: ClassVar[tuple[str, ...]] = ("target labels",)

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the target's label loss."""
        assert batch.labelled_target is not None, "the trainer grants target labels where a method needs them"
        loss = label_loss(lambda x: self.logits(nets, x), batch.labelled_target)
        yield Update(loss, trains=("features", "classifier"), logs={"label_loss": loss.detach()})
