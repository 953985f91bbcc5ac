"""Domain-adversarial training (Ganin & Lempitsky, ICML 2015)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.adversarial import domain_accuracy, domain_loss, reverse_gradient
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Passes, Update


class DANN(Stepwise[Batch]):
    """Features that tell classes apart but not domains, by reversing a discriminator's gradient.

        E(θ_f, θ_y, θ_d) = L_y(θ_f, θ_y) − λ L_d(θ_f, θ_d)
        (θ_f, θ_y) = argmin E,   θ_d = argmax E

    With the gradient reversal layer R between features and discriminator, one descent step on L_y + L_d does both.
    λ reaches the features only; the discriminator always learns at full rate.

    The paper's networks have no batch norm. Where there is some, source and target are normalised apart, each by its
    own batch, without which the discriminator tells domains by their mere statistics; and the trained model takes
    the statistics of the target's training examples, so that it sees the target as it did in training.

    Source: Ganin & Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", ICML 2015, equations 1 to 9.
    """

    name: ClassVar[str] = "dann"
    title: ClassVar[str] = "DANN"
    paper: ClassVar[str] = "Ganin & Lempitsky, ICML 2015"
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "lr_schedule": "annealing",
        "batch_size": 64,
    }

    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1.")
    max_reversal: float = Field(1.0, ge=0, description="Largest λ, the weight of the reversed gradient.")
    domain_weight: float = Field(1.0, ge=0, description="Weight of L_d; the authors' code for Office photos has 0.1.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G_f, G_y and G_d."""
        return {
            **super().networks(architecture, num_classes),
            "discriminator": architecture.discriminator(),
        }

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on L_y + L_d with the reversed gradient."""
        reversal = self.max_reversal * reversal_ramp(batch.progress, self.ramp)
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)

        labels_loss = class_loss(nets["classifier"](source_features), batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])

        features = torch.cat([source_features, target_features])
        domains = nets["discriminator"](reverse_gradient(features, reversal)).split(len(source_features))
        domains_loss = self.domain_weight * domain_loss(*domains)

        yield Update(
            labels_loss + domains_loss,
            trains=("features", "classifier", "discriminator"),
            logs={
                "label_loss": labels_loss.detach(),
                "domain_loss": domains_loss.detach(),
                "domain_accuracy": domain_accuracy(*(d.detach() for d in domains)),
                "reversal": reversal,
            },
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
