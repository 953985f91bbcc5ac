"""Distribution-weighted combination (Mansour, Mohri & Rostamizadeh, NIPS 2008)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.base import Networks, class_loss
from acclimate.methods.several_sources.common import classifiers, mixture, shares, shares_of
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.memory import together
from acclimate.types import Examples, SeveralBatch, Update


class SourceCombination(Stepwise[SeveralBatch]):
    """A classifier for each source, each asked as much as an example looks like its source.

        p(y|x) = Σ_i w_i(x) p_i(y|x),    w_i(x) = λ_i q(i|x) / Σ_j λ_j q(j|x)
        L = 1/m Σ_i CE(C_i∘G; source i) + CE(Q∘G; which source)

    λ is the mixture of sources that the target's inputs look like. Q, whose odds q stand for the densities of the
    paper, is linear in features that it does not move; batches hold as many examples of each source. Features are
    trained by all sources and aligned with none: nothing here is drawn towards the target.

    Source: Mansour, Mohri & Rostamizadeh, "Domain Adaptation with Multiple Sources", NIPS 2008, section 3; a
    classifier's odds in place of densities as in Hoffman, Mohri & Zhang, "Algorithms and Theory for Multiple-Source
    Adaptation", NeurIPS 2018.
    """

    name: ClassVar[str] = "source-combination"
    title: ClassVar[str] = "Combination of sources"
    paper: ClassVar[str] = "Mansour et al., NIPS 2008"
    problem: ClassVar[str] = "several-sources"

    source_weights: tuple[NonNegativeFloat, ...] | None = Field(
        None, description="λ, how much each source counts, in their order. By default, its nearness to the target."
    )

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G, C_i for each source, Q, and λ."""
        own = shares_of(self.source_weights)
        count = len(own.shares)
        return {
            "features": architecture.features(),
            "classifiers": nn.ModuleList(architecture.classifier(num_classes) for _ in range(count)),
            "origin": architecture.classifier(count),
            "shares": own,
        }

    def updates(self, nets: Networks, batch: SeveralBatch) -> Iterator[Update]:
        """One step of all networks; sources go through batch norm together, as one source does."""
        sizes = [len(examples) for examples in batch.sources]
        parts = nets["features"](_as_one(batch.sources)).split(sizes)
        own = [class_loss(c(f), e) for c, f, e in zip(classifiers(nets), parts, batch.sources, strict=True)]
        labels_loss = torch.stack(own).mean()
        for examples in batch.labelled[len(batch.sources) :]:
            labels_loss = labels_loss + class_loss(self.logits(nets, examples.x), examples)
        which = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes)).to(batch.target.y.device)
        origin_loss = F.cross_entropy(nets["origin"](torch.cat(parts).detach()), which)
        yield Update(
            labels_loss + origin_loss,
            trains=("features", "classifiers", "origin"),
            logs={"label_loss": labels_loss.detach(), "origin_loss": origin_loss.detach()},
        )

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Logarithm of the mixture p."""
        odds = nets["origin"](features).softmax(dim=1) * shares(nets)
        weights = odds / odds.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return mixture([classifier(features) for classifier in classifiers(nets)], weights)


def _as_one(sets: tuple[Examples, ...]) -> Tensor:
    """The inputs of all sets, one after the other."""
    inputs = [examples.x for examples in sets]
    return torch.cat(inputs) if inputs[0].is_floating_point() else together(*inputs)
