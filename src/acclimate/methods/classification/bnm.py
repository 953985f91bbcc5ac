"""Batch nuclear-norm maximisation (Cui, Wang, Zhuo, Li, Huang & Tian, CVPR 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.entropy import batch_nuclear_norm
from acclimate.types import Batch, Passes, Update


class BNM(Stepwise[Batch]):
    """Target predictions that are certain, and of many classes in every batch; no alignment of domains at all.

        L = CE(source) − λ ‖P‖_* / b,    P = softmax of the target's logits, (b, k)

    The nuclear norm, the sum of the singular values, bounds how certain predictions are (their Frobenius norm) and
    how many classes they name (their rank) at once. The authors' released code divides by min(b, k) instead of b.

    Source: Cui et al., "Towards Discriminability and Diversity: Batch Nuclear-norm Maximization under Label
    Insufficient Situations", CVPR 2020.
    """

    name: ClassVar[str] = "bnm"
    title: ClassVar[str] = "BNM"
    paper: ClassVar[str] = "Cui et al., CVPR 2020"
    batch_statistics: ClassVar[bool] = True
    # The released code's rate is that of pretrained layers, a tenth of this; new layers learn at ten times as much.
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
        "lr_schedule": "annealing",
        "batch_size": 36,
    }

    weight: float = Field(1.0, ge=0, description="λ, weight of the nuclear norm; the released code uses 1.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        labels_loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        norm = batch_nuclear_norm(self.logits(nets, batch.target.x).softmax(dim=1))
        yield Update(
            labels_loss - self.weight * norm,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "nuclear_norm": norm.detach()},
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
