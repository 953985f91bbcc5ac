"""One-versus-all networks (Saito & Saenko, ICCV 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, take_target_statistics
from acclimate.methods.open_set.common import known_loss, with_unknown
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.open_set import one_versus_all_entropy, one_versus_all_loss
from acclimate.types import Batch, Passes, Update


class OVANet(Stepwise[Batch]):
    """For each class a classifier of its own says whether an example is of it; the best class's decides on `unknown`.

        L = L_s + L_ova + λ L_ent
        L_ova = ½ [−log p(o_y) − log(1 − p(o_j))],   j = argmax_{j≠y} p(o_j): the class most easily taken for y
        L_ent: mean entropy of the k classifiers' answers on the target

    An example is of the class c that L_s's classifier names if p(o_c) ≥ ½, else unknown: the line is learnt from how
    the source's classes part from each other, and none has to be drawn by hand.

    Where there is batch norm, each side is normalised by its own batch, and the model takes the target's statistics.

    Source: Saito & Saenko, "OVANet: One-vs-All Network for Universal Domain Adaptation", ICCV 2021, equations 1 to 4;
    the ½ from the authors' code.
    """

    name: ClassVar[str] = "ovanet"
    title: ClassVar[str] = "OVANet"
    paper: ClassVar[str] = "Saito & Saenko, ICCV 2021"
    problem: ClassVar[str] = "open-set"
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "lr_schedule": "annealing",
        "batch_size": 64,
    }

    entropy_weight: float = Field(0.1, ge=0, description="λ, weight of the target's entropy; the paper has 0.1.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """A feature extractor, a classifier of the known classes, and two outputs a class: not of it, of it."""
        known = num_classes - 1
        return {
            "features": architecture.features(),
            "known_classifier": architecture.classifier(known),
            "one_versus_all": architecture.classifier(2 * known),
        }

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on all three losses."""
        labels_loss = each = torch.zeros(())
        for examples in batch.labelled:
            features = nets["features"](examples.x)
            labels_loss = labels_loss + known_loss(nets["known_classifier"](features), examples)
            each = each + one_versus_all_loss(self._each(nets, features), examples)
        entropy = one_versus_all_entropy(self._each(nets, nets["features"](batch.target.x)))
        yield Update(
            labels_loss + each + self.entropy_weight * entropy,
            trains=("features", "known_classifier", "one_versus_all"),
            logs={
                "label_loss": labels_loss.detach(),
                "one_versus_all_loss": each.detach(),
                "target_entropy": entropy.detach(),
            },
        )

    def _each(self, nets: Networks, features: Tensor) -> Tensor:
        """Logits `(b, k)` of being of each class."""
        pairs: Tensor = nets["one_versus_all"](features)
        no, yes = pairs.chunk(2, dim=1)
        return yes - no

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Logits of the known classes and of the unknown."""
        logits = nets["known_classifier"](features)
        own = self._each(nets, features).gather(1, logits.argmax(dim=1, keepdim=True))
        return with_unknown(logits, -own[:, 0])

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
