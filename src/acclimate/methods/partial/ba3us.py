"""Balanced and uncertainty-aware partial adaptation (Liang, Wang, Hu, He & Feng, ECCV 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, both_sides, class_loss, label_loss
from acclimate.methods.partial.common import class_weights, evenly, weigh_classes
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.class_weights import ClassWeights
from acclimate.objectives.adversarial import reverse_gradient, weighted_domain_loss
from acclimate.objectives.entropy import answer_entropy, certainty
from acclimate.objectives.partial import complement_entropy, weighted_domain_accuracy
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Passes, Update


class BA3US(Stepwise[Batch]):
    """PADA with source examples lent to the target's side, fewer by and by, and doubt kept off absent classes.

        L = L_y + L_d + μ_c · L_c + μ_e · H(p(x_t))
        L_y: cross-entropy, weighted by γ as in PADA;   L_c: complement entropy of source answers, likewise
        L_d: domain loss weighted by γ_{y_i} (1 + e^(−H_i)), with n(t) source examples of the batch as targets, too

    Both sides of L_d have nearly the same classes at first: n(t) = `lent` · (1 − t) · b falls to 0 as γ becomes
    reliable. L_c spreads what is left of an answer evenly over the other classes, so that no absent one attracts.
    Batch norm sees both sides together, as in PADA.

    Source: Liang, Wang, Hu, He & Feng, "A Balanced and Uncertainty-aware Approach for Partial Domain Adaptation",
    ECCV 2020, section 3; weights of the terms from the authors' code.
    """

    name: ClassVar[str] = "ba3us"
    title: ClassVar[str] = "BA³US"
    paper: ClassVar[str] = "Liang et al., ECCV 2020"
    problem: ClassVar[str] = "partial"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "all at once")
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "lr_schedule": "annealing",
        "batch_size": 64,
    }

    rounds: int = Field(20, ge=1, le=10_000, description="How often classes are weighed, evenly over the training.")
    lent: float = Field(0.25, ge=0, le=1, description="Share of a batch's source examples lent at first.")
    complement_weight: float = Field(
        1.0, ge=0, description="μ_c, weight of the complement entropy; the authors' code has 1, for Office 5."
    )
    entropy_weight: float = Field(0.1, ge=0, description="μ_e, weight of the target's entropy.")
    ramp: float = Field(10.0, ge=0, description="Steepness of λ(p) = 2 / (1 + exp(−ramp · p)) − 1.")

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
        """One step on all four losses, with the reversed gradient."""
        gamma, labels = class_weights(nets), batch.source.y
        features = nets["features"](both_sides(batch))
        source, target = nets["classifier"](features).split([len(labels), len(batch.target)])

        labels_loss = class_loss(source, gamma.weighed(batch.source))
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        complement = complement_entropy(source, labels, gamma.of(labels))
        entropy = answer_entropy(target).mean()

        reversal = reversal_ramp(batch.progress, self.ramp)
        domains = nets["discriminator"](reverse_gradient(features, reversal))
        ours, others = domains[: len(labels)], domains[len(labels) :]
        own, theirs = gamma.of(labels) * certainty(source.softmax(dim=1)), certainty(target.softmax(dim=1))
        domains_loss = self._domain_loss(ours, others, own, theirs, batch.progress)
        told = weighted_domain_accuracy(ours.detach(), others.detach(), gamma.of(labels))

        yield Update(
            labels_loss + domains_loss + self.complement_weight * complement + self.entropy_weight * entropy,
            trains=("features", "classifier", "discriminator"),
            logs={
                "label_loss": labels_loss.detach(),
                "domain_loss": domains_loss.detach(),
                "complement_entropy": complement.detach(),
                "target_entropy": entropy.detach(),
                "domain_accuracy": told,
                "reversal": reversal,
            },
        )

    def _domain_loss(self, source: Tensor, target: Tensor, own: Tensor, theirs: Tensor, progress: float) -> Tensor:
        """L_d with the first of the batch's source examples lent to the target."""
        lent = round(self.lent * (1 - progress) * len(source))
        target, theirs = torch.cat([target, source[:lent]]), torch.cat([theirs, own[:lent]])
        return weighted_domain_loss(source, target, own, theirs)
