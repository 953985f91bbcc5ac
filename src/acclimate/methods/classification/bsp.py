"""Batch spectral penalisation (Chen, Wang, Long & Wang, ICML 2019)."""

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
from acclimate.objectives.moments import spectral_penalty
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Passes, Update


class BSP(Stepwise[Batch]):
    """DANN whose features may not live in a few directions: there domains can be confused, but classes too.

        L = L_y + L_d∘R_λ + β Σ_{source, target} Σ_{i ≤ m} σ_i²,    σ the singular values of a batch's features

    R_λ reverses the gradient as in `dann`, with the same ramp. The paper adds the penalty to DANN and to CDAN; this
    is the former.

    Source: Chen, Wang, Long & Wang, "Transferability vs. Discriminability: Batch Spectral Penalization for
    Adversarial Domain Adaptation", ICML 2019; the authors' code, github.com/thuml/Batch-Spectral-Penalization,
    BSP+DANN.py.
    """

    name: ClassVar[str] = "bsp"
    title: ClassVar[str] = "BSP (on DANN)"
    paper: ClassVar[str] = "Chen et al., ICML 2019"
    batch_statistics: ClassVar[bool] = True
    # The authors' code for photos, without Nesterov's momentum. Its rate is that of new layers; pretrained ones learn
    # at a tenth.
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.003,
        "momentum": 0.9,
        "weight_decay": 1e-3,
        "lr_schedule": "annealing",
        "batch_size": 36,
    }

    penalty_weight: float = Field(1e-4, ge=0, description="β, weight of the penalty; the paper uses 0.0001.")
    largest: int = Field(1, ge=1, description="m, how many singular values are penalised; the paper uses 1.")
    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1.")
    max_reversal: float = Field(1.0, ge=0, description="Largest λ, the weight of the reversed gradient.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """DANN's three."""
        return {**super().networks(architecture, num_classes), "discriminator": architecture.discriminator()}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on all losses with the reversed gradient."""
        reversal = self.max_reversal * reversal_ramp(batch.progress, self.ramp)
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
        labels_loss = class_loss(nets["classifier"](source_features), batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        features = reverse_gradient(torch.cat([source_features, target_features]), reversal)
        domains = nets["discriminator"](features).split(len(source_features))
        domains_loss = domain_loss(*domains)
        penalty = spectral_penalty(source_features, self.largest) + spectral_penalty(target_features, self.largest)
        yield Update(
            labels_loss + domains_loss + self.penalty_weight * penalty,
            trains=("features", "classifier", "discriminator"),
            logs={
                "label_loss": labels_loss.detach(),
                "domain_loss": domains_loss.detach(),
                "domain_accuracy": domain_accuracy(*(d.detach() for d in domains)),
                "penalty": penalty.detach(),
            },
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
