"""Cross-domain adaptive clustering (Li, Li, Shi & Yu, CVPR 2021)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from acclimate.data.views import slightly, strongly
from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.few_labels.common import with_prototypes
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.adversarial import reverse_gradient
from acclimate.objectives.clustering import pairwise_agreement_loss, same_top_features
from acclimate.objectives.self_training import confident_cross_entropy
from acclimate.types import Batch, Passes, Update


class CDAC(Stepwise[Batch]):
    """Target examples with the same strongest features answered alike, views of one taught by its certain answer.

        L = CE(source) + CE(labelled target) + L_pl + w(t) ‖p(t′) − p(t″)‖²
        A = −1/b² Σ_ij [s_ij log p_iᵀ p′_j + (1 − s_ij) log(1 − p_iᵀ p′_j)],   s_ij: the same 5 strongest features
        θ_F = argmin L + A,     θ_C = argmin L − A,     w(t) = ν e^(−5 (1 − t)²)

    t′ and t″ are two strong views of the target and p answers to a slight one, whose certain ones L_pl teaches for t′
    as FixMatch does. C works against A as in MME, by cosines to prototypes. Views are those of `data.views`: bent
    images, features or words left out; the authors' are of photos.

    Source: Li, Li, Shi & Yu, "Cross-Domain Adaptive Clustering for Semi-Supervised Domain Adaptation", CVPR 2021,
    equations 2 to 9.
    """

    name: ClassVar[str] = "cdac"
    title: ClassVar[str] = "CDAC"
    paper: ClassVar[str] = "Li et al., CVPR 2021"
    problem: ClassVar[str] = "few-labels"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "few target labels")
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
        "lr_schedule": "annealing",
        "batch_size": 32,
    }

    threshold: float = Field(
        0.95, ge=0, le=1, description="Least confidence of an answer that teaches; as the paper."
    )
    top: int = Field(5, ge=1, le=10_000, description="How many of the strongest features are compared; as the paper.")
    consistency: float = Field(
        30.0, ge=0, description="ν, largest weight of two views' difference; the paper uses 30."
    )
    temperature: float = Field(0.05, gt=0, description="T of the cosines; the paper uses 0.05.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """F and C."""
        return with_prototypes(architecture, num_classes, self.temperature)

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """By cosines to the prototypes."""
        return nets["cosine_classifier"](features)  # type: ignore[no-any-return]

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on all four losses."""
        labels_loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        slight, strong, again = (nets["features"](view(batch.target.x)) for view in (slightly, strongly, strongly))
        clusters = self._clusters(nets, slight, strong)
        logits = self.classify(nets, strong)
        taught, certain = confident_cross_entropy(logits, self.classify(nets, slight), self.threshold)
        views = (logits.softmax(dim=1) - self.classify(nets, again).softmax(dim=1)).square().mean()
        ramp = self.consistency * math.exp(-5 * (1 - batch.progress) ** 2)
        yield Update(
            labels_loss - clusters + taught + ramp * views,
            trains=("features", "cosine_classifier"),
            logs={
                "label_loss": labels_loss.detach(),
                "clustering": clusters.detach(),
                "pseudo_label_loss": taught.detach(),
                "consistency": views.detach(),
                "certain": certain,
            },
        )

    def _clusters(self, nets: Networks, slight: Tensor, strong: Tensor) -> Tensor:
        """A, whose gradient is reversed between C and F."""
        p, other = (self.classify(nets, reverse_gradient(f)).softmax(dim=1) for f in (slight, strong))
        return pairwise_agreement_loss(p, other, same_top_features(slight, self.top))

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
