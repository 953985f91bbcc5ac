"""Minimax entropy (Saito, Kim, Sclaroff, Darrell & Saenko, ICCV 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.few_labels.common import with_prototypes
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.adversarial import reverse_gradient
from acclimate.objectives.entropy import answer_entropy
from acclimate.types import Batch, Passes, Update


class MME(Stepwise[Batch]):
    """Prototypes drawn towards the unlabelled target by its entropy, and features that gather around them.

        L = CE(source) + CE(labelled target),     H = mean entropy of the answers to the target
        θ_F = argmin L + λ H,                     θ_C = argmin L − λ H

    C classifies by cosines: z = W f / (T ‖f‖), so that a row of W is a class's prototype. Raising H moves the
    prototypes, which the many source labels hold, to where the target is; lowering it clusters the target around
    them. With the gradient reversed between F and C, one descent step on L − λ H does both; the authors take a step
    on L and one on H.

    Source: Saito, Kim, Sclaroff, Darrell & Saenko, "Semi-supervised Domain Adaptation via Minimax Entropy", ICCV
    2019, equations 1 to 4; T and λ as there.
    """

    name: ClassVar[str] = "mme"
    title: ClassVar[str] = "MME"
    paper: ClassVar[str] = "Saito et al., ICCV 2019"
    problem: ClassVar[str] = "few-labels"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "few target labels")
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
        "lr_schedule": "annealing",
        "batch_size": 32,
    }

    weight: float = Field(0.1, ge=0, description="λ, weight of the entropy; the paper uses 0.1.")
    temperature: float = Field(0.05, gt=0, description="T of the cosines; the paper uses 0.05.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """F and C."""
        return with_prototypes(architecture, num_classes, self.temperature)

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """By cosines to the prototypes."""
        return nets["cosine_classifier"](features)  # type: ignore[no-any-return]

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the labels of both sides, and on the entropy with the gradient reversed in between."""
        labels_loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        entropy = answer_entropy(self.classify(nets, reverse_gradient(nets["features"](batch.target.x)))).mean()
        yield Update(
            labels_loss - self.weight * entropy,
            trains=("features", "cosine_classifier"),
            logs={"label_loss": labels_loss.detach(), "target_entropy": entropy.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
