"""Domain-adversarial training for regression (after Ganin & Lempitsky, ICML 2015)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.facts import Reads
from acclimate.methods.regression.common import AnswersNumber, features_of_both, labelled_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.adversarial import domain_accuracy, domain_loss, reverse_gradient
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Update


class RegressionDANN(AnswersNumber, Stepwise[Batch]):
    """Features that tell numbers but not domains, by reversing a discriminator's gradient.

        L = MSE(source) + L_d(G_d(R_λ(G_f(x))))

    R_λ passes features on and multiplies their gradient by −λ, which grows from 0 as in the paper.

    Source: Ganin & Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", ICML 2015, equations 1 to 9, with
    the squared error in place of the cross-entropy.
    """

    name: ClassVar[str] = "regression-dann"
    title: ClassVar[str] = "DANN (regression)"
    paper: ClassVar[str] = "after Ganin & Lempitsky, ICML 2015"
    problem: ClassVar[str] = "regression"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-3, "batch_size": 64, "epochs": 60}

    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1.")
    max_reversal: float = Field(0.1, ge=0, description="Largest λ, the weight of the reversed gradient.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G_f, G_y and G_d."""
        return {**super().networks(architecture, num_classes), "discriminator": architecture.discriminator()}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses with the reversed gradient."""
        reversal = self.max_reversal * reversal_ramp(batch.progress, self.ramp)
        source, target = features_of_both(nets, batch)
        numbers = labelled_loss(nets, batch, source)
        domains = nets["discriminator"](reverse_gradient(torch.cat([source, target]), reversal)).split(len(source))
        domains_loss = domain_loss(*domains)
        yield Update(
            numbers + domains_loss,
            trains=("features", "regressor", "discriminator"),
            logs={
                "number_loss": numbers.detach(),
                "domain_loss": domains_loss.detach(),
                "domain_accuracy": domain_accuracy(*(d.detach() for d in domains)),
                "reversal": reversal,
            },
        )
