"""Deep joint distribution optimal transport (Damodaran, Kellenberger, Flamary, Tuia & Courty, ECCV 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.transport import joint_transport
from acclimate.types import Batch, Passes, Update


class DeepJDOT(Stepwise[Batch]):
    """Target examples that are brought to the source examples they are matched with, and take their labels.

        L = CE(source) + min over γ of Σ_ij γ_ij (α ‖f(s_i) − f(t_j)‖² + λ CE(y_i, p(t_j)))

    γ is the optimal transport between the two batches; with as many examples on either side it matches them one to
    one. The released code begins with a source model, draws as many source examples of each class, and finds γ with
    a squared difference in place of the second cross-entropy; here training begins anew, with batches as they come.

    Source: Damodaran, Kellenberger, Flamary, Tuia & Courty, "DeepJDOT: Deep Joint Distribution Optimal Transport for
    Unsupervised Domain Adaptation", ECCV 2018.
    """

    name: ClassVar[str] = "deepjdot"
    title: ClassVar[str] = "DeepJDOT"
    paper: ClassVar[str] = "Damodaran et al., ECCV 2018"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "batch_size": 500}

    distance: float = Field(1e-3, ge=0, description="α, weight of the features' distance; 0.001 for digits.")
    disagreement: float = Field(1e-4, ge=0, description="λ, weight of the matched labels; 0.0001 for digits.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
        labels_loss = class_loss(nets["classifier"](source_features), batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        transport = joint_transport(
            (source_features, target_features),
            batch.source.y,
            nets["classifier"](target_features),
            self.distance,
            self.disagreement,
        )
        yield Update(
            labels_loss + transport,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "transport": transport.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
