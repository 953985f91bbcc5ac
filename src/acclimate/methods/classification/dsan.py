"""Deep subdomain adaptation network (Zhu, Zhuang, Wang et al., IEEE TNNLS 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, PositiveFloat

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.kernels import local_mmd
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Passes, Update


class DSAN(Stepwise[Batch]):
    """Source and target whose features match class by class (local maximum mean discrepancy, LMMD).

        L = CE(source) + λ w LMMD²(features),    λ(p) = 2 / (1 + exp(−γ p)) − 1

    The target's examples belong to each class as much as the classifier says. Kernels are averaged, where the
    authors' code adds up five of them and halves the sum.

    Source: Zhu, Zhuang, Wang et al., "Deep Subdomain Adaptation Network for Image Classification", IEEE TNNLS 2020.
    """

    name: ClassVar[str] = "dsan"
    also: ClassVar[tuple[str, ...]] = ("LMMD",)
    title: ClassVar[str] = "DSAN (LMMD)"
    paper: ClassVar[str] = "Zhu et al., IEEE TNNLS 2020"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "lr_schedule": "annealing",
        "batch_size": 32,
    }

    weight: float = Field(1.0, ge=0, description="w, largest weight of the discrepancy.")
    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ; the paper uses 10.")
    factors: tuple[PositiveFloat, ...] = Field(
        (0.25, 0.5, 1.0, 2.0, 4.0),
        min_length=1,
        description="Kernel bandwidths as multiples of the mean squared distance in the batch.",
    )

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
        labels_loss = class_loss(nets["classifier"](source_features), batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        answers = nets["classifier"](target_features).detach().softmax(dim=1)
        discrepancy = local_mmd(source_features, target_features, batch.source.y, answers, self.factors)
        yield Update(
            labels_loss + reversal_ramp(batch.progress, self.ramp) * self.weight * discrepancy,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "lmmd": discrepancy.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
