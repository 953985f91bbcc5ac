"""Conditional domain-adversarial networks (Long, Cao, Wang & Jordan, NeurIPS 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Method, Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.conditioning import Multilinear
from acclimate.objectives.adversarial import domain_accuracy, domain_loss, reverse_gradient, weighted_domain_loss
from acclimate.objectives.entropy import certainty
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Passes, Update

# Rate, momentum and annealing are the paper's; decay and batch, of which it says nothing, are its code's.
_RECIPE = {
    "optimizer": "sgd",
    "lr": 0.01,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "lr_schedule": "annealing",
    "batch_size": 36,
}
_TRAINED = ("features", "classifier", "discriminator")


class CDAN(Stepwise[Batch]):
    """Features that do not tell domains even beside the predicted class: DANN with a conditional discriminator.

        E(F, G, D) = L_y(G∘F) − λ L_d(D(T(f, g))),    T(f, g) = f ⊗ g,    f = F(x), g = softmax(G(f))
        (F, G) = argmin E,   D = argmax E

    The discriminator sees every product of a feature and a class probability, or, where they are more than 4,096,
    1,024 random sums of them. As in the authors' code, no gradient reaches the classifier through g. λ rises as in
    DANN, and reaches the features only.

    Where there is batch norm, each side is normalised by its own batch, and the trained model takes the target's
    statistics, as for DANN.

    Source: Long, Cao, Wang & Jordan, "Conditional Adversarial Domain Adaptation", NeurIPS 2018; the
    authors' code, github.com/thuml/CDAN, pytorch/loss.py.
    """

    name: ClassVar[str] = "cdan"
    title: ClassVar[str] = "CDAN"
    paper: ClassVar[str] = "Long et al., NeurIPS 2018"
    recipe: ClassVar = _RECIPE

    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1; the paper uses 10.")
    max_reversal: float = Field(1.0, ge=0, description="Largest λ, the weight of the reversed gradient.")
    domain_weight: float = Field(1.0, ge=0, description="Weight of L_d; the paper uses 1.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """F, G, T and D."""
        return {**super().networks(architecture, num_classes), **_conditional(architecture, num_classes)}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on L_y + L_d with the reversed gradient."""
        reversal = self.max_reversal * reversal_ramp(batch.progress, self.ramp)
        seen = _seen(self, nets, batch, reversal)
        domains_loss = self.domain_weight * domain_loss(*seen.domains)
        yield Update(seen.labels_loss + domains_loss, _TRAINED, seen.logs(domains_loss, reversal))

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)


class CDANE(Stepwise[Batch]):
    """CDAN whose discriminator listens to certain predictions most.

        L_d = ½ Σ_{source, target} Σ_i w_i BCE_i / Σ_i w_i,    w = 1 + exp(−H(g))

    All else is as in `cdan`. The weights are constants: no gradient makes predictions certain or uncertain for the
    discriminator's sake, as one does in the authors' code.

    Source: Long, Cao, Wang & Jordan, "Conditional Adversarial Domain Adaptation", NeurIPS 2018 (CDAN+E);
    the authors' code, github.com/thuml/CDAN, pytorch/loss.py.
    """

    name: ClassVar[str] = "cdan-e"
    title: ClassVar[str] = "CDAN-E"
    paper: ClassVar[str] = "Long et al., NeurIPS 2018"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = _RECIPE

    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1; the paper uses 10.")
    max_reversal: float = Field(1.0, ge=0, description="Largest λ, the weight of the reversed gradient.")
    domain_weight: float = Field(1.0, ge=0, description="Weight of L_d; the paper uses 1.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """F, G, T and D."""
        return {**super().networks(architecture, num_classes), **_conditional(architecture, num_classes)}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on L_y + L_d with the reversed gradient."""
        reversal = self.max_reversal * reversal_ramp(batch.progress, self.ramp)
        seen = _seen(self, nets, batch, reversal)
        weights = (certainty(g) for g in seen.predictions)
        domains_loss = self.domain_weight * weighted_domain_loss(*seen.domains, *weights)
        yield Update(seen.labels_loss + domains_loss, _TRAINED, seen.logs(domains_loss, reversal))

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)


def _conditional(architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
    """T and D."""
    conditioning = Multilinear(architecture.width, num_classes)
    return {"conditioning": conditioning, "discriminator": architecture.discriminator(conditioning.outputs)}


class _Seen(NamedTuple):
    """What one step computes of a batch; of two tensors the source's comes first."""

    labels_loss: Tensor
    predictions: tuple[Tensor, Tensor]
    domains: tuple[Tensor, Tensor]

    def logs(self, domains_loss: Tensor, reversal: float) -> dict[str, Tensor | float]:
        """What is recorded of the step."""
        return {
            "label_loss": self.labels_loss.detach(),
            "domain_loss": domains_loss.detach(),
            "domain_accuracy": domain_accuracy(*(d.detach() for d in self.domains)),
            "reversal": reversal,
        }


def _seen(method: Method, nets: Networks, batch: Batch, reversal: float) -> _Seen:
    source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
    source_logits, target_logits = nets["classifier"](source_features), nets["classifier"](target_features)
    labels_loss = class_loss(source_logits, batch.source)
    labels_loss = labels_loss + label_loss(lambda x: method.logits(nets, x), *batch.labelled[1:])

    features = reverse_gradient(torch.cat([source_features, target_features]), reversal)
    predictions = torch.cat([source_logits, target_logits]).detach().softmax(dim=1)
    domains = nets["discriminator"](nets["conditioning"](features, predictions))
    split = len(source_features)
    return _Seen(labels_loss, (predictions[:split], predictions[split:]), (domains[:split], domains[split:]))
