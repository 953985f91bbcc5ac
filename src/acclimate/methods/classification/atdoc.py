"""Auxiliary target domain-oriented classifier (Liang, Hu & Feng, CVPR 2021), by nearest centroids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.centroids import Centroids
from acclimate.types import Batch, Passes, PseudoLabels, Update


class ATDOC(Stepwise[Batch]):
    """Target examples labelled by the nearest centroid of the target's own features, not by the source's classifier.

        L = CE(source) + p λ CE(target, ŷ),    ŷ(t) = argmax_k cos(f(t), c_k)
        c_k ← (1 − γ) c_k + γ mean of the batch's f(t) that the classifier says are k,  after every step

    p is how far training has come. A class that no target example was yet said to be of has no centroid, and one that
    the batch does not name keeps the one it has.

    This is the form with nearest centroids (ATDOC-NC), whose memory is one vector a class. The paper's other form
    (ATDOC-NA) keeps every target example's features and averages the answers of the nearest five; it is not here.

    Source: Liang, Hu & Feng, "Domain Adaptation with Auxiliary Target Domain-Oriented Classifier", CVPR 2021.
    """

    name: ClassVar[str] = "atdoc"
    also: ClassVar[tuple[str, ...]] = ("ATDOCNC",)
    title: ClassVar[str] = "ATDOC (nearest centroid)"
    paper: ClassVar[str] = "Liang, Hu & Feng, CVPR 2021"
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 1e-3,
        "lr_schedule": "annealing",
        "batch_size": 36,
    }

    weight: float = Field(1.0, ge=0, description="λ, largest weight of the target's loss; the authors' code uses 1.")
    momentum_of_centroids: float = Field(0.1, gt=0, le=1, description="γ; the authors' code uses 0.1.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """The usual two, and a memory of centroids."""
        nets = super().networks(architecture, num_classes)
        return {**nets, "centroids": Centroids(num_classes, architecture.width)}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses; then the centroids follow."""
        labels_loss = class_loss(self.logits(nets, batch.source.x), batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        features = nets["features"](batch.target.x).flatten(1)
        own = self._own_loss(nets, features)
        yield Update(
            labels_loss + batch.progress * self.weight * own,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "own_loss": own.detach()},
        )
        self._follow(nets, batch.target.x)

    def _own_loss(self, nets: Networks, features: Tensor) -> Tensor:
        """Cross-entropy with the nearest centroids' classes; 0 while there are none."""
        centroids = _memory(nets)
        losses = F.cross_entropy(nets["classifier"](features), centroids(features.detach()).argmax(dim=1))
        return losses * centroids.present.any()

    @torch.no_grad()
    def _follow(self, nets: Networks, x: Tensor) -> None:
        """Move each centroid towards the mean of the batch's features that are said to be of its class."""
        features = nets["features"].eval()(x).flatten(1).float()
        centroids = _memory(nets)
        said = F.one_hot(nets["classifier"].eval()(features).argmax(dim=1), len(centroids.vectors)).to(features)
        counts = said.sum(dim=0)
        means = said.T @ features / counts.clamp(min=1)[:, None]
        rate = self.momentum_of_centroids * (counts > 0)[:, None]
        centroids.set(torch.lerp(centroids.vectors, means, rate.to(means)), centroids.present | (counts > 0))

    def pseudo_labels(self, nets: Networks, passes: Passes) -> PseudoLabels | None:
        """What steps take for labels; none before the first."""
        centroids = _memory(nets)
        if not centroids.present.any():
            return None
        found = [centroids(nets["features"](examples.x).flatten(1)).argmax(dim=1) for examples in passes.target()]
        labels = torch.cat(found).cpu().numpy()
        return PseudoLabels(labels, labels >= 0)

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)


def _memory(nets: Networks) -> Centroids:
    centroids = nets["centroids"]
    assert isinstance(centroids, Centroids)
    return centroids
