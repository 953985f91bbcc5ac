"""End-to-end adversarial memory network (Li, Zhang, Wei, Wu & Yang, IJCAI 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks, class_loss, label_loss
from acclimate.methods.facts import Reads
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.memory import Memory, together
from acclimate.objectives.adversarial import domain_accuracy, domain_loss, reverse_gradient
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Update


class AMN(Stepwise[Batch]):
    """A memory network that attends to words which tell the sentiment but not the domain.

        L = L_sen + L_dom + ρ L_reg
        L_sen = mean cross-entropy of softmax(W v + b) over labelled source texts
        L_dom = mean cross-entropy of the domain, from Q_λ(v), over source and target texts
        L_reg = ½ (‖W‖² + ‖b‖² + ‖W_d‖² + ‖b_d‖²)

    v is a text's vector from the memory network (`networks.memory`), the same for both losses: the paper's two memory
    networks share all of it. Q_λ is the gradient reversal layer. The attention that makes v shows which words carried
    the decision.

    Each step's source texts serve both losses, where the authors' later code draws them twice; λ is capped as in that
    code, which is to be found in the repository of HATN (AAAI 2018). There, SGD with momentum takes 18 to 42 epochs
    to its lowest validation loss; Adam takes four to six here, so it is the default. That code also adds normal noise
    of deviation 0.001 to the gradients throughout, clipped before; the default adds none, and leaves out words at
    random instead. Its training is `optimizer=sgd lr=0.005 lr_schedule=annealing lr_floor=0.002 gradient_noise=1e-6
    gradient_noise_decay=0 epochs=100 patience=5 word_dropout=0`.

    Source: Li, Zhang, Wei, Wu & Yang, "End-to-End Adversarial Memory Network for Cross-domain Sentiment
    Classification", IJCAI 2017, section 3.
    """

    name: ClassVar[str] = "amn"
    title: ClassVar[str] = "AMN"
    paper: ClassVar[str] = "Li, Zhang, Wei, Wu & Yang, IJCAI 2017"
    reads: ClassVar[Reads] = {"text": {}}
    recipe: ClassVar = {
        "optimizer": "adam",
        "lr": 1e-3,
        "batch_size": 50,
        "clip_norm": 40.0,
        "epochs": 30,
        "patience": 4,
        "word_dropout": 0.15,
    }

    hops: int = Field(1, ge=1, le=16, description="How often the memory is asked; the paper's is deep, HATN's has 1.")
    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1.")
    max_reversal: float = Field(0.1, ge=0, description="Cap on λ, the weight of the reversed gradient.")
    penalty: float = Field(0.005, ge=0, description="ρ, weight of the classifiers' squared norms.")

    def networks(self, architecture: Memory, num_classes: int) -> dict[str, nn.Module]:
        """The memory network, the sentiment classifier and the domain classifier."""
        deep = replace(architecture, hops=self.hops)
        return {**super().networks(deep, num_classes), "discriminator": deep.discriminator()}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on L_sen + L_dom + ρ L_reg with the reversed gradient."""
        reversal = min(reversal_ramp(batch.progress, self.ramp), self.max_reversal)
        texts = nets["features"](together(batch.source.x, batch.target.x))
        source = texts[: len(batch.source)]

        sentiment = class_loss(nets["classifier"](source), batch.source)
        sentiment = sentiment + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])

        domains = nets["discriminator"](reverse_gradient(texts, reversal)).split(len(source))
        domain = domain_loss(*domains)

        norms = [p.square().sum() / 2 for name in ("classifier", "discriminator") for p in nets[name].parameters()]
        penalty = self.penalty * torch.stack(norms).sum()

        yield Update(
            sentiment + domain + penalty,
            trains=("features", "classifier", "discriminator"),
            logs={
                "label_loss": sentiment.detach(),
                "domain_loss": domain.detach(),
                "penalty": penalty.detach(),
                "domain_accuracy": domain_accuracy(*(d.detach() for d in domains)),
                "reversal": reversal,
            },
        )
