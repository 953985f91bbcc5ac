"""Partial adversarial domain adaptation (Cao, Ma, Long & Wang, ECCV 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks, both_sides, class_loss, label_loss
from acclimate.methods.partial.common import class_weights, evenly, weigh_classes
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.class_weights import ClassWeights
from acclimate.objectives.adversarial import reverse_gradient
from acclimate.objectives.partial import partial_domain_loss, weighted_domain_accuracy
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Passes, Update


class PADA(Stepwise[Batch]):
    """DANN in which source classes that the target does not seem to have count for little.

        E(θ_f, θ_y, θ_d) = (1/n_s) Σ_i γ_{y_i} L_y(x_i, y_i) − λ L_d,   source examples of L_d weighted by γ_{y_i}
        γ ∝ (1/n_t) Σ_j p(x_j),   p the answers on the whole target, asked anew in each of `rounds` rounds

    γ is scaled to 1 on average over the source's examples (the paper: to a maximum of 1), so that the learning rate
    means the same however many classes are left. Both sides pass through batch norm together: normalised by their own
    batches, sides of other classes would be moved apart.

    Source: Cao, Ma, Long & Wang, "Partial Adversarial Domain Adaptation", ECCV 2018, equations 4 and 5.
    """

    name: ClassVar[str] = "pada"
    title: ClassVar[str] = "PADA"
    paper: ClassVar[str] = "Cao et al., ECCV 2018"
    problem: ClassVar[str] = "partial"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "all at once")
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "lr_schedule": "annealing",
        "batch_size": 64,
    }

    rounds: int = Field(20, ge=1, le=10_000, description="How often classes are weighed, evenly over the training.")
    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1.")
    max_reversal: float = Field(1.0, ge=0, description="Largest λ, the weight of the reversed gradient.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G_f, G_y, G_d, and the classes' weights."""
        return {
            **super().networks(architecture, num_classes),
            "discriminator": architecture.discriminator(),
            "class_weights": ClassWeights(num_classes),
        }

    @property
    def between_steps_at(self) -> tuple[float, ...]:
        """Evenly spaced, the first before the first step."""
        return evenly(self.rounds)

    def between_steps(self, nets: Networks, passes: Passes) -> None:
        """Weigh the classes by the answers on the target."""
        weigh_classes(self, nets, passes)

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on L_y + L_d with the reversed gradient."""
        reversal = self.max_reversal * reversal_ramp(batch.progress, self.ramp)
        gamma = class_weights(nets)
        features = nets["features"](both_sides(batch))
        ours = len(batch.source)

        labels_loss = class_loss(nets["classifier"](features[:ours]), gamma.weighed(batch.source))
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])

        domains = nets["discriminator"](reverse_gradient(features, reversal))
        source_domains, target_domains = domains[:ours], domains[ours:]
        weights = gamma.of(batch.source.y)
        domains_loss = partial_domain_loss(source_domains, target_domains, weights)
        told = weighted_domain_accuracy(source_domains.detach(), target_domains.detach(), weights)

        yield Update(
            labels_loss + domains_loss,
            trains=("features", "classifier", "discriminator"),
            logs={
                "label_loss": labels_loss.detach(),
                "domain_loss": domains_loss.detach(),
                "domain_accuracy": told,
                "reversal": reversal,
            },
        )
