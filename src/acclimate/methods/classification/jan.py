"""Joint adaptation network (Long, Zhu, Wang & Jordan, ICML 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, PositiveFloat

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.kernels import joint_mmd
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Passes, Update


class JAN(Stepwise[Batch]):
    """Source and target whose features and predictions match together, in the product of two kernel embeddings.

        L = CE(source) + λ w JMMD²(features, predictions),    λ(p) = 2 / (1 + exp(−γ p)) − 1

    The kernel of the features is a mean of Gaussians around the batch's mean pairwise distance, that of the
    predictions one Gaussian of fixed width. w = 1 is the paper's, whose kernels are single Gaussians. The authors'
    code adds up five where a mean is taken here, with weights of 0.3 (Caffe) and 1 (PyTorch): w of 1.5 and 5.

    Source: Long, Zhu, Wang & Jordan, "Deep Transfer Learning with Joint Adaptation Networks", ICML 2017; the
    authors' code, github.com/thuml/Xlearn, pytorch/src/loss.py and caffe/models/JAN.
    """

    name: ClassVar[str] = "jan"
    title: ClassVar[str] = "JAN"
    paper: ClassVar[str] = "Long et al., ICML 2017"
    batch_statistics: ClassVar[bool] = True
    # Rate, momentum and annealing are the paper's; decay and batch are its code's.
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "lr_schedule": "annealing",
        "batch_size": 36,
    }

    weight: float = Field(1.0, ge=0, description="w, largest weight of the discrepancy.")
    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ; the paper uses 10.")
    factors: tuple[PositiveFloat, ...] = Field(
        (0.25, 0.5, 1.0, 2.0, 4.0),
        min_length=1,
        description="Bandwidths for the features, as multiples of the mean squared distance in the batch.",
    )
    bandwidth: float = Field(1.68, gt=0, description="Squared bandwidth for the predictions, of the authors' code.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
        source_logits, target_logits = (nets["classifier"](f) for f in (source_features, target_features))

        labels_loss = class_loss(source_logits, batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        discrepancy = joint_mmd(
            (source_features, target_features),
            (source_logits.softmax(dim=1), target_logits.softmax(dim=1)),
            self.factors,
            self.bandwidth,
        )
        yield Update(
            labels_loss + reversal_ramp(batch.progress, self.ramp) * self.weight * discrepancy,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "jmmd": discrepancy.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
