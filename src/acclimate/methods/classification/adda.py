"""Adversarial discriminative domain adaptation (Tzeng, Hoffman, Saenko & Darrell, CVPR 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.adversarial import domain_accuracy, domain_loss
from acclimate.objectives.gan import generator_loss
from acclimate.types import Batch, Passes, Side, Update


class ADDA(Stepwise[Batch]):
    """A source model first; then a copy of its features that learns to be mistaken for them on the target.

        until `turn`:   min over M_s, C of  CE(C∘M_s)
        then:           min over D of       L_d(D(M_s(s)), D(M_t(t)))        D should say 0 for source, 1 for target
                        min over M_t of     −mean log(1 − σ(D(M_t(t))))      inverted labels

    M_t begins as M_s; from then on M_s and C stay as they are. The target is answered by C∘M_t, the source by C∘M_s.
    Target labels, if any were given, train M_t too.

    Source: Tzeng, Hoffman, Saenko & Darrell, "Adversarial Discriminative Domain Adaptation", CVPR 2017; the
    authors' code, github.com/erictzeng/adda, scripts/svhn-mnist.sh.
    """

    name: ClassVar[str] = "adda"
    title: ClassVar[str] = "ADDA"
    paper: ClassVar[str] = "Tzeng et al., CVPR 2017"
    # The paper has Adam at 2e-4 with β₁ = 0.5, and as many steps before the turn, at 1e-3 in its code, as after it.
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "momentum": 0.5, "batch_size": 128}

    turn: float = Field(0.5, gt=0, lt=1, description="Share of the steps that train the source model.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """M_t, C, M_s and D."""
        return {
            **super().networks(architecture, num_classes),
            "source_features": architecture.features(),
            "discriminator": architecture.discriminator(),
        }

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step of the source model, or one of D and one of M_t."""
        if batch.progress < self.turn:
            yield from self._source_model(nets, batch)
            return
        with torch.no_grad():
            source = nets["source_features"].eval()(batch.source.x)
        target = nets["features"](batch.target.x)
        domains = nets["discriminator"](source), nets["discriminator"](target.detach())
        domains_loss = domain_loss(*domains)
        logs = {
            "domain_loss": domains_loss.detach(),
            "domain_accuracy": domain_accuracy(*(d.detach() for d in domains)),
        }
        yield Update(domains_loss, trains=("discriminator",), logs=logs)

        mistaken = generator_loss(-nets["discriminator"](target))  # the source is what D calls 0
        given = label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        yield Update(mistaken + given, trains=("features",), logs={"mistaken_loss": mistaken.detach()})

    def _source_model(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the labels; both sides' features stay one."""
        loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        yield Update(loss, trains=("features", "classifier"), logs={"label_loss": loss.detach()})
        nets["source_features"].load_state_dict(nets["features"].state_dict())

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """M_s or M_t."""
        return nets["source_features" if side == "source" else "features"](x)  # type: ignore[no-any-return]

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics in M_t."""
        take_target_statistics(self, {"features": nets["features"], "classifier": nets["classifier"]}, passes)
