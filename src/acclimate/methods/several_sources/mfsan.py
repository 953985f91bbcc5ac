"""Multiple feature spaces adaptation network (Zhu, Zhuang & Wang, AAAI 2019)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from acclimate.methods.base import Networks, class_loss, take_target_statistics
from acclimate.methods.several_sources.common import classifiers, mixture, shares, shares_of
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.discrepancy import classifier_discrepancy
from acclimate.objectives.kernels import multi_kernel_mmd
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Passes, SeveralBatch, Update


class MFSAN(Stepwise[SeveralBatch]):
    """A space of features for each source, in which the target is aligned with that source alone.

        L = 1/m Σ_i [CE(C_i∘H_i∘G; source i) + λ(p) w MMD²(H_i∘G; source i, target)]
            + λ(p) v 2/(m (m − 1)) Σ_{i<j} |C_i∘H_i∘G − C_j∘H_j∘G|  on the target

    G is shared, H_i is the i-th source's own layer, C_i its classifier; the last term lets the classifiers agree on
    the target. λ rises with the ramp of DANN. The paper averages the classifiers' answers; here a source counts as
    near as it is.

    Source: Zhu, Zhuang & Wang, "Aligning Domain-specific Distribution and Classifier for Cross-domain Classification
    from Multiple Sources", AAAI 2019, equations 2 to 5; means over sources as in pykale.
    """

    name: ClassVar[str] = "mfsan"
    title: ClassVar[str] = "MFSAN"
    paper: ClassVar[str] = "Zhu et al., AAAI 2019"
    problem: ClassVar[str] = "several-sources"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "lr_schedule": "annealing",
        "batch_size": 32,
    }

    source_weights: tuple[NonNegativeFloat, ...] | None = Field(
        None,
        description="How much each source's answer counts, in their order. By default, its nearness to the target.",
    )
    mmd_weight: float = Field(1.0, ge=0, description="w, weight of the discrepancies of features; the paper has 1.")
    agreement_weight: float = Field(1.0, ge=0, description="v, weight of the classifiers' disagreement; likewise.")
    width: int = Field(256, ge=1, description="Features of each source's own space; the authors' code has 256.")
    factors: tuple[PositiveFloat, ...] = Field(
        (0.25, 0.5, 1.0, 2.0, 4.0),
        min_length=1,
        description="Kernel bandwidths as multiples of the mean squared distance in the batch.",
    )
    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G, and for each source H_i, C_i, and what it counts."""
        own = shares_of(self.source_weights)
        spaces = [
            nn.Sequential(nn.Linear(architecture.width, self.width), nn.BatchNorm1d(self.width), nn.ReLU())
            for _ in own.shares
        ]
        heads = [nn.Linear(self.width, num_classes) for _ in own.shares]
        return {
            "features": architecture.features(),
            "spaces": nn.ModuleList(spaces),
            "classifiers": nn.ModuleList(heads),
            "shares": own,
        }

    def updates(self, nets: Networks, batch: SeveralBatch) -> Iterator[Update]:
        """One step of all networks."""
        shared = nets["features"](batch.target.x)
        target = [space(shared) for space in _spaces(nets)]
        source = [
            space(nets["features"](examples.x)) for space, examples in zip(_spaces(nets), batch.sources, strict=True)
        ]
        own = zip(classifiers(nets), source, batch.sources, strict=True)
        labels_loss = torch.stack([class_loss(classifier(f), examples) for classifier, f, examples in own]).mean()
        for examples in batch.labelled[len(batch.sources) :]:
            labels_loss = labels_loss + class_loss(self.logits(nets, examples.x), examples)
        mmd = torch.stack([multi_kernel_mmd(s, t, self.factors) for s, t in zip(source, target, strict=True)]).mean()
        answers = [classifier(f) for classifier, f in zip(classifiers(nets), target, strict=True)]
        differ = [classifier_discrepancy(one, two) for one, two in itertools.combinations(answers, 2)]
        disagreement = torch.stack(differ).mean()
        aligned = self.mmd_weight * mmd + self.agreement_weight * disagreement
        yield Update(
            labels_loss + reversal_ramp(batch.progress, self.ramp) * aligned,
            trains=("features", "spaces", "classifiers"),
            logs={"label_loss": labels_loss.detach(), "mmd": mmd.detach(), "disagreement": disagreement.detach()},
        )

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Logarithm of the mixture of the sources' answers."""
        pairs = zip(_spaces(nets), classifiers(nets), strict=True)
        answers = [classifier(space(features)) for space, classifier in pairs]
        return mixture(answers, shares(nets))

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)


def _spaces(nets: Networks) -> list[nn.Module]:
    return list(nets["spaces"].children())
