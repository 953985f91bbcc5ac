"""Deep CORAL (Sun & Saenko, ECCV 2016 workshops)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.moments import coral
from acclimate.types import Batch, Passes, Update


class DeepCORAL(Stepwise[Batch]):
    """Source and target whose class scores have the same covariance.

        L = CE(source) + w ‖C_s − C_t‖²_F / (4 k²)

    The covariances are those of the last layer's outputs (k class scores), where the paper puts its loss.

    Source: Sun & Saenko, "Deep CORAL: Correlation Alignment for Deep Domain Adaptation", ECCV 2016 workshops.
    """

    name: ClassVar[str] = "coral"
    also: ClassVar[tuple[str, ...]] = ("CORAL",)
    title: ClassVar[str] = "Deep CORAL"
    paper: ClassVar[str] = "Sun & Saenko, ECCV workshops 2016"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "weight_decay": 5e-4, "batch_size": 128}

    weight: float = Field(
        1.0,
        ge=0,
        description="w. The paper sets it so that both losses end about equal.",
    )

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source_logits = self.logits(nets, batch.source.x)
        target_logits = self.logits(nets, batch.target.x)
        labels_loss = class_loss(source_logits, batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        distance = coral(source_logits, target_logits)
        yield Update(
            labels_loss + self.weight * distance,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "coral": distance.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
