"""Moment matching for several sources (Peng, Bai, Xia, Huang, Saenko & Wang, ICCV 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor, nn

from acclimate.methods.base import Networks, class_loss, take_target_statistics
from acclimate.methods.several_sources.common import classifiers, mixture, shares, shares_of
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.two_passes import two_passes
from acclimate.objectives.discrepancy import classifier_discrepancy
from acclimate.objectives.moments import moment_distance
from acclimate.types import Passes, SeveralBatch, Update


class M3SDA(Stepwise[SeveralBatch]):
    """Sources and target with the same moments of features, and a pair of classifiers for each source as in MCD.

    For every batch, with d_i the discrepancy of the i-th pair on the target:

        A   min over G, C of  1/m Σ_i CE_i + w · MD        fit each source, match moments
        B   min over C of     1/m Σ_i (CE_i − d_i)          find target examples far from the sources
        C   min over G of     1/m Σ_i d_i, n times          bring them back

    MD sums over the orders of the moments their mean distance between sources and target, and between sources.
    The answer is the mixture of all pairs' answers. The paper weighs a source by how often its classifier is right on
    the target, which takes target labels; here it counts as near as it is.

    Source: Peng et al., "Moment Matching for Multi-Source Domain Adaptation", ICCV 2019, section 3, M³SDA-β; sums
    over sources are means, as in Dassl.
    """

    name: ClassVar[str] = "m3sda"
    title: ClassVar[str] = "M³SDA"
    paper: ClassVar[str] = "Peng et al., ICCV 2019"
    problem: ClassVar[str] = "several-sources"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "weight_decay": 5e-4, "batch_size": 64}

    source_weights: tuple[NonNegativeFloat, ...] | None = Field(
        None,
        description="How much each source's pair counts, in their order. By default, its nearness to the target.",
    )
    moment_weight: float = Field(0.5, ge=0, description="w, weight of the moment distance; Dassl has 0.5.")
    orders: int = Field(2, ge=1, description="How many moments are matched; the paper uses two.")
    n: int = Field(4, ge=1, description="How often step C is repeated per batch.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G, two classifiers for each source, and what it counts."""
        own = shares_of(self.source_weights)
        pairs = (nn.ModuleList(architecture.classifier(num_classes) for _ in range(2)) for _ in own.shares)
        return {"features": architecture.features(), "classifiers": nn.ModuleList(pairs), "shares": own}

    def updates(self, nets: Networks, batch: SeveralBatch) -> Iterator[Update]:
        """Steps A, B and n times C."""
        features = [nets["features"](examples.x) for examples in batch.sources]
        moments = moment_distance(features, nets["features"](batch.target.x), self.orders)
        labels_loss = self._label_loss(nets, features, batch)
        yield Update(
            labels_loss + self.moment_weight * moments,
            trains=("features", "classifiers"),
            logs={"label_loss": labels_loss.detach(), "moment_distance": moments.detach()},
        )

        with torch.no_grad():
            features = [nets["features"](examples.x) for examples in batch.sources]
        target_features, target_features_again = two_passes(nets["features"], batch.target.x)
        discrepancy = _discrepancy(nets, target_features)
        yield Update(
            self._label_loss(nets, features, batch) - discrepancy,
            trains=("classifiers",),
            logs={"discrepancy_before": discrepancy.detach()},
        )

        for repetition in range(self.n):
            # B moved the classifiers only, so the first C starts from the features that B saw.
            seen = nets["features"](batch.target.x) if repetition else target_features_again()
            discrepancy = _discrepancy(nets, seen)
            yield Update(discrepancy, trains=("features",), logs={"discrepancy": discrepancy.detach()})

    def _label_loss(self, nets: Networks, features: Sequence[Tensor], batch: SeveralBatch) -> Tensor:
        """CE of both classifiers, a mean over sources; and of the mixture on labelled target examples."""
        own = [
            sum((class_loss(classifier(f), e) for classifier in _pair(pair)), f.new_zeros(()))
            for pair, f, e in zip(classifiers(nets), features, batch.sources, strict=True)
        ]
        loss = torch.stack(own).mean()
        for examples in batch.labelled[len(batch.sources) :]:
            loss = loss + class_loss(self.logits(nets, examples.x), examples)
        return loss

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Logarithm of the mixture of all classifiers' answers; both of a pair count alike."""
        answers = [classifier(features) for pair in classifiers(nets) for classifier in _pair(pair)]
        return mixture(answers, shares(nets).repeat_interleave(2) / 2)

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)


def _pair(pair: nn.Module) -> list[nn.Module]:
    return list(pair.children())


def _discrepancy(nets: Networks, features: Tensor) -> Tensor:
    """1/m Σ_i d_i of target features."""
    found = [classifier_discrepancy(*(classifier(features) for classifier in _pair(p))) for p in classifiers(nets)]
    return torch.stack(found).mean()
