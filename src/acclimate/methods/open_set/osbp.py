"""Open set domain adaptation by backpropagation (Saito, Yamamoto, Ushiku & Harada, ECCV 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.adversarial import reverse_gradient
from acclimate.objectives.open_set import unknown_loss
from acclimate.types import Batch, Passes, Update


class OSBP(Stepwise[Batch]):
    """A classifier draws the line of the unknown through the target, and features may move to either side of it.

        min over C: L_s + L_adv,    min over G: L_s − L_adv
        L_adv = −t log p(unknown | x_t) − (1 − t) log(1 − p(unknown | x_t))

    C tells k classes apart and the unknown, of which no source example is. It is to give every target example the
    probability t of being unknown; G is to keep it from that, by matching the source or by leaving it.

    Where there is batch norm, each side is normalised by its own batch, and the model takes the target's statistics.

    Source: Saito, Yamamoto, Ushiku & Harada, "Open Set Domain Adaptation by Backpropagation", ECCV 2018, equations
    1 to 5.
    """

    name: ClassVar[str] = "osbp"
    title: ClassVar[str] = "OSBP"
    paper: ClassVar[str] = "Saito et al., ECCV 2018"
    problem: ClassVar[str] = "open-set"
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "lr_schedule": "annealing",
        "batch_size": 64,
    }

    threshold: float = Field(0.5, gt=0, lt=1, description="t, the probability that C is to give the unknown.")
    adversarial_weight: float = Field(1.0, ge=0, description="Weight of L_adv; the paper has 1.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on L_s + L_adv, with the gradient of L_adv reversed below C."""
        labels_loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        target = nets["classifier"](reverse_gradient(nets["features"](batch.target.x)))
        adversarial, share = unknown_loss(target, self.threshold), target.detach().softmax(dim=1)[:, -1].mean()
        yield Update(
            labels_loss + self.adversarial_weight * adversarial,
            trains=("features", "classifier"),
            logs={
                "label_loss": labels_loss.detach(),
                "adversarial_loss": adversarial.detach(),
                "unknown_probability": share,
            },
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
