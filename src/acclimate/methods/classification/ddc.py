"""Deep domain confusion (Tzeng, Hoffman, Zhang, Saenko & Darrell, 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.moments import mean_distance
from acclimate.types import Batch, Passes, Update


class DDC(Stepwise[Batch]):
    """Source and target whose features have the same mean.

        L = CE(source) + λ ‖E φ(source) − E φ(target)‖²

    φ are the features that the classifier reads. The paper puts a narrow layer there, as wide as makes the distance
    small; the networks here have a width of their own. They also have dropout there, by which the means of two small
    batches are far apart even where the domains are one. The distance is therefore estimated without bias
    (`mean_distance`); the distance of the two batches' means, which the paper has, would shrink the features of both
    sides to no purpose.

    Source: Tzeng, Hoffman, Zhang, Saenko & Darrell, "Deep Domain Confusion: Maximizing for Domain Invariance", 2014
    (arXiv 1412.3474), equations 1 and 2.
    """

    name: ClassVar[str] = "ddc"
    title: ClassVar[str] = "DDC"
    paper: ClassVar[str] = "Tzeng et al., 2014"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "weight_decay": 5e-4, "batch_size": 128}

    weight: float = Field(0.25, ge=0, description="λ, weight of the distance; the paper uses 0.25.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
        labels_loss = class_loss(nets["classifier"](source_features), batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        distance = mean_distance(source_features, target_features)
        yield Update(
            labels_loss + self.weight * distance,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "distance": distance.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
