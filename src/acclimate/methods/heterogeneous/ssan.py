"""Simultaneous semantic alignment network (Li, Xie, Wu, Zhao, Liu & Ding, ACM MM 2020)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.base import Networks, class_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.projectors import Depth, Projectors, heads_and_projectors
from acclimate.objectives.adversarial import domain_accuracy, domain_loss, reverse_gradient
from acclimate.objectives.class_structure import (
    centroid_distance,
    class_means,
    class_sums,
    nearest_mean,
    one_hot,
    semantic_distillation,
)
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import UNLABELLED, DisjointBatch, Passes, PseudoLabels, Update

Refinement = Literal["cosine", "euclidean", "none"]


class SSAN(Stepwise[DisjointBatch]):
    """Aligns class similarities and class means in a common space, with the target's pseudo-labels refined.

        L = CE_s + (1 − α) CE_l + α L_soft + γ L_d + β L_centroids

    L_soft makes labelled target examples resemble classes as the source's do, L_centroids draws class means together,
    L_d is DANN's domain loss. An unlabelled target example counts for a class mean if the classifier and the nearest
    class mean agree on its label. Each side has a projector of its own; the classifier is shared.

    The published figures are of the best step on the test labels; here as everywhere the last step counts, and it is
    some four points lower.

    Source: Li et al., "Simultaneous Semantic Alignment Network for Heterogeneous Domain Adaptation", ACM MM 2020,
    arXiv 2008.01677, and the authors' code (BIT-DA/SSAN) for what the paper leaves open.
    """

    name: ClassVar[str] = "ssan"
    title: ClassVar[str] = "SSAN"
    paper: ClassVar[str] = "Li et al., ACM MM 2020"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "few target labels")
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar[Mapping[str, Any]] = {
        "steps": 3000,
        "batch_size": 2**20,
        "optimizer": "sgd",
        "lr": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 1e-3,
        "normalisation": "rows",
    }

    common: int = Field(256, ge=1, description="d, width of the common space.")
    depth: Depth = Field("double", description="Layers of each projector: 'single' or 'double'.")
    initial_deviation: float | None = Field(
        0.01, gt=0, description="Standard deviation of all initial weights; none for torch's own initialisation."
    )
    distillation: float = Field(0.1, ge=0, le=1, description="α, share of L_soft in the labelled target's loss.")
    temperature: float = Field(5.0, gt=0, description="T, softens the source's predictions in L_soft.")
    domain_weight: float = Field(0.1, ge=0, description="γ, weight of the domain loss.")
    centroid_weight: float = Field(0.004, ge=0, description="β, weight of the distances between class means.")
    triplet: bool = Field(True, description="Compare with the mean of both sides together too.")
    refinement: Refinement = Field(
        "cosine", description="Keep a pseudo-label if the nearest class mean agrees: by this distance, or 'none'."
    )
    least_similarity: float | None = Field(
        None, ge=-1, le=1, description="Cosine to the nearest class mean that a pseudo-label needs, if any."
    )

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """A projector for each side, a classifier and a domain discriminator."""
        nets = heads_and_projectors(architecture, num_classes, self.common, self.depth, self.initial_deviation)
        return nets if self.domain_weight else {name: net for name, net in nets.items() if name != "discriminator"}

    def updates(self, nets: Networks, batch: DisjointBatch) -> Iterator[Update]:
        """One step over all losses at once."""
        labelled = batch.labelled_target
        source = self.embed(nets, batch.source.x, "source")
        target = self.embed(nets, torch.cat([labelled.x, batch.target.x]), "target")
        source_logits, target_logits = nets["classifier"](source), nets["classifier"](target)
        few = len(labelled)

        k, kind = source_logits.shape[1], source_logits.dtype
        source_classes, known_classes = one_hot(batch.source.y, k, kind), one_hot(labelled.y, k, kind)
        source_loss = class_loss(source_logits, batch.source)
        target_loss = class_loss(target_logits[:few], labelled)
        soft_loss = semantic_distillation(
            source_logits, source_classes, target_logits[:few], known_classes, self.temperature
        )
        pseudo = target_logits[few:].argmax(dim=1)
        means = class_means(torch.cat([source, target[:few]]), torch.cat([source_classes, known_classes]))
        kept = self.trusts(target[few:], pseudo, means)
        weights = torch.cat([known_classes, one_hot(torch.where(kept, pseudo, UNLABELLED), k, kind)])
        centroids = centroid_distance(source, source_classes, target, weights, triplet=self.triplet)
        loss = (
            source_loss
            + (1 - self.distillation) * target_loss
            + self.distillation * soft_loss
            + self.centroid_weight * centroids
        )
        logs = {
            "source_loss": source_loss.detach(),
            "target_loss": target_loss.detach(),
            "soft_loss": soft_loss.detach(),
            "centroid_distance": centroids.detach(),
            "pseudo_labels_kept": kept.float().mean(),
        }
        trains: tuple[str, ...] = ("source_features", "target_features", "classifier")
        if self.domain_weight:
            both = reverse_gradient(torch.cat([source, target]), reversal_ramp(batch.progress))
            domains = nets["discriminator"](both).split([len(source), len(target)])
            domains_loss = domain_loss(*domains)
            loss = loss + self.domain_weight * domains_loss
            logs |= {
                "domain_loss": domains_loss.detach(),
                "domain_accuracy": domain_accuracy(*(d.detach() for d in domains)),
            }
            trains = (*trains, "discriminator")
        yield Update(loss, trains=trains, logs=logs)

    @torch.no_grad()
    def trusts(self, features: Tensor, labels: Tensor, means: Tensor) -> Tensor:
        """Which pseudo-labels to keep, `(n,)` bool.

        Args:
            features: `(n, d)` of unlabelled target examples.
            labels: `(n,)`, the classifier's answers on them.
            means: `(k, d)` class means of the source and the labelled target together.
        """
        if self.refinement == "none":
            return torch.ones_like(labels, dtype=torch.bool)
        kept = nearest_mean(features, means, self.refinement) == labels
        if self.least_similarity is not None:
            similarity = (F.normalize(features) * F.normalize(means)[labels]).sum(dim=1)
            kept &= similarity >= self.least_similarity
        return kept

    def pseudo_labels(self, nets: Networks, passes: Passes) -> PseudoLabels:
        """The classifier's answers on the target, and which of them the class means of all known labels confirm."""
        means = self._known_means(nets, passes)
        labels, kept = [], []
        for examples in passes.target():
            features = self.embed(nets, examples.x)
            answers = self.classify(nets, features).argmax(dim=1)
            labels.append(answers)
            kept.append(self.trusts(features, answers, means))
        return PseudoLabels(torch.cat(labels).cpu().numpy(), torch.cat(kept).cpu().numpy())

    def _known_means(self, nets: Networks, passes: Passes) -> Tensor:
        """Class means `(k, d)` of the source and the labelled target together, summed batch by batch."""
        embedded = itertools.chain(
            ((self.embed(nets, examples.x, "source"), examples.y) for examples in passes.source()),
            ((self.embed(nets, examples.x, "target"), examples.y) for examples in passes.target()),
        )
        sums, counts = torch.zeros(()), torch.zeros(())
        for features, labels in embedded:
            k = self.classify(nets, features).shape[1]
            own_sums, own_counts = class_sums(features, one_hot(labels, k, features.dtype))
            sums, counts = sums + own_sums, counts + own_counts
        return sums / counts.clamp_min(1)
