"""Source hypothesis transfer (Liang, Hu & Feng, ICML 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.base import Networks
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.centroids import Centroids
from acclimate.objectives.information import information_maximisation
from acclimate.objectives.self_training import class_centroids
from acclimate.types import Passes, PseudoLabels, TargetBatch, Update


class SHOT(Stepwise[TargetBatch]):
    """The model's classifier stays; its features learn to be certain, of all classes, and of their own neighbours.

        min over F:   (1/b) Σ_i H(p_i) − H((1/b) Σ_i p_i)  +  β · CE(p, ŷ),      p = softmax(C(F(x)))
        ŷ(x) = argmax_k cos([F₀(x), 1], c_k)

    C is the source's and never moves. F₀ and the centroids c_k are those of the last of `rounds` looks at the whole
    target: first means weighted by the answers, then the means of what these attract.

    The paper trains its source model with smoothed labels and normalised weights in the last layer; here any model
    with one feature extractor and one classifier will do. Pseudo-labels are of inputs as they come, augmented or not.

    Source: Liang, Hu & Feng, "Do We Really Need to Access the Source Data? Source Hypothesis Transfer for
    Unsupervised Domain Adaptation", ICML 2020, equations 3 to 7.
    """

    name: ClassVar[str] = "shot"
    title: ClassVar[str] = "SHOT"
    paper: ClassVar[str] = "Liang, Hu & Feng, ICML 2020"
    problem: ClassVar[str] = "source-free"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "all at once")
    weighs_classes: ClassVar[bool] = False
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 1e-2,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 1e-3,
        "lr_schedule": "annealing",
        "batch_size": 64,
        "epochs": 15,
    }

    weight: float = Field(
        0.3, ge=0, description="β, weight of the pseudo-labels; the paper uses 0.3, for digits 0.1."
    )
    rounds: int = Field(15, ge=1, le=10_000, description="How often pseudo-labels are made; the paper's epochs.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """The model's two, a feature extractor that keeps still between two rounds, and the classes' centroids."""
        still = architecture.features()
        still.requires_grad_(False)
        return {
            "features": architecture.features(),
            "classifier": architecture.classifier(num_classes),
            "still_features": still,
            "centroids": Centroids(num_classes, architecture.width + 1),
        }

    @property
    def between_steps_at(self) -> tuple[float, ...]:
        """Evenly spaced, the first before the first step."""
        return tuple(i / self.rounds for i in range(self.rounds))

    def between_steps(self, nets: Networks, passes: Passes) -> None:
        """Take the features of this moment, and the centroids of all target examples in them."""
        nets["still_features"].load_state_dict(nets["features"].state_dict())
        parts = [nets["features"](examples.x).flatten(1) for examples in passes.target()]
        features = torch.cat(parts).float()
        answers = torch.cat([nets["classifier"](part) for part in parts]).float().softmax(dim=1)
        centroids = nets["centroids"]
        assert isinstance(centroids, Centroids)
        centroids.set(*class_centroids(_with_one(features), answers))

    def updates(self, nets: Networks, batch: TargetBatch) -> Iterator[Update]:
        """One step on both losses."""
        labels = self._pseudo_labels(nets, batch.target.x)
        logits = self.logits(nets, batch.target.x)
        certainty = information_maximisation(logits)
        own = F.cross_entropy(logits, labels)
        yield Update(
            certainty + self.weight * own,
            trains=("features",),
            logs={"information_loss": certainty.detach(), "pseudo_label_loss": own.detach()},
        )

    @torch.no_grad()
    def _pseudo_labels(self, nets: Networks, x: Tensor) -> Tensor:
        """The classes `(b,)` of the nearest centroids."""
        features = nets["still_features"].eval()(x).flatten(1)
        cosines: Tensor = nets["centroids"](_with_one(features.float()))
        return cosines.argmax(dim=1)

    def pseudo_labels(self, nets: Networks, passes: Passes) -> PseudoLabels | None:
        """What steps take for labels; none before the first round."""
        centroids = nets["centroids"]
        assert isinstance(centroids, Centroids)
        if not centroids.present.any():
            return None
        labels = torch.cat([self._pseudo_labels(nets, examples.x) for examples in passes.target()]).cpu().numpy()
        return PseudoLabels(labels, labels >= 0)


def _with_one(features: Tensor) -> Tensor:
    """Features `(n, d)` with a 1 beside them, at length 1."""
    return F.normalize(torch.cat([features, torch.ones_like(features[:, :1])], dim=1), dim=1)
