"""Adaptive batch normalisation (Li, Wang, Shi, Liu & Hou, 2016)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from torch import nn

from acclimate.errors import RequestError
from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.batch_norm import batch_norm_layers
from acclimate.types import Batch, Passes, Update


class AdaBN(Stepwise[Batch]):
    """The source's weights with the target's batch-norm statistics; nothing is trained on the target.

    Train on the source alone; then, in every batch-norm layer, replace the running mean and variance by those of the
    target's training examples (averaged over its batches, dropout off). Much of what a source-trained network lacks
    on another domain is this, so it is the bar that any method must beat.

    Source: Li et al., "Revisiting Batch Normalization For Practical Domain Adaptation", 2016.
    """

    name: ClassVar[str] = "adabn"
    title: ClassVar[str] = "AdaBN"
    paper: ClassVar[str] = "Li et al., 2016"

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """As for source only; the network must have batch norm."""
        nets = super().networks(architecture, num_classes)
        if not batch_norm_layers(nets):
            raise RequestError(
                "network",
                "must have batch-norm layers for the method 'adabn'",
                "one without any",
                "Choose another network, such as 'mcd-usps' or one whose name ends in -bn.",
            )
        return nets

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the source's label loss."""
        loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        yield Update(loss, trains=("features", "classifier"), logs={"label_loss": loss.detach()})

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """Take the batch-norm statistics from the target's training examples."""
        take_target_statistics(self, nets, passes)
