"""Deep adaptation network (Long, Cao, Wang & Jordan, ICML 2015)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, PositiveFloat

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.kernels import multi_kernel_mmd
from acclimate.types import Batch, Passes, Update


class DAN(Stepwise[Batch]):
    """Source and target whose task-specific layers match in a kernel embedding.

        L = CE(source) + w Σ_l MMD²_k(source, target; layer l)

    The adapted layers l are the features and the class scores; k is a mean of Gaussian kernels around the batch's
    mean pairwise distance. The paper also learns the kernels' mixing weights; here they are equal, as in the
    authors' later code.

    Source: Long et al., "Learning Transferable Features with Deep Adaptation Networks", ICML 2015, equation 3.
    """

    name: ClassVar[str] = "dan"
    title: ClassVar[str] = "DAN"
    paper: ClassVar[str] = "Long et al., ICML 2015"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "weight_decay": 5e-4, "batch_size": 128}

    weight: float = Field(1.0, ge=0, description="w, weight of the discrepancy.")
    factors: tuple[PositiveFloat, ...] = Field(
        (0.25, 0.5, 1.0, 2.0, 4.0),
        min_length=1,
        description="Kernel bandwidths as multiples of the mean squared distance in the batch.",
    )

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
        source_logits, target_logits = (nets["classifier"](f) for f in (source_features, target_features))

        labels_loss = class_loss(source_logits, batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        discrepancy = multi_kernel_mmd(source_features, target_features, self.factors)
        discrepancy = discrepancy + multi_kernel_mmd(source_logits, target_logits, self.factors)

        yield Update(
            labels_loss + self.weight * discrepancy,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "mmd": discrepancy.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
