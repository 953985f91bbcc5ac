"""Minimum class confusion (Jin, Wang, Long & Wang, ECCV 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.entropy import class_confusion
from acclimate.types import Batch, Passes, Update


class MCC(Stepwise[Batch]):
    """Target predictions that do not hesitate between classes; no alignment of domains at all.

        L = CE(source) + w · MCC(target logits)

    Source: Jin et al., "Minimum Class Confusion for Versatile Domain Adaptation", ECCV 2020, equation 8.
    """

    name: ClassVar[str] = "mcc"
    title: ClassVar[str] = "MCC"
    paper: ClassVar[str] = "Jin et al., ECCV 2020"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "weight_decay": 5e-4, "batch_size": 128}

    weight: float = Field(1.0, ge=0, description="w, weight of the class confusion; the paper uses 1.")
    temperature: float = Field(2.5, gt=0, description="T, which softens target predictions; the paper uses 2.5.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        labels_loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        confusion = class_confusion(self.logits(nets, batch.target.x), self.temperature)
        yield Update(
            labels_loss + self.weight * confusion,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "class_confusion": confusion.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
