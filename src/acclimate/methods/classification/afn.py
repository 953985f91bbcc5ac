"""Adaptive feature norm (Xu, Li, Yang & Lin, ICCV 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks, class_loss, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.moments import norm_step
from acclimate.types import Batch, Passes, Update


class AFN(Stepwise[Batch]):
    """Features of both sides that grow longer, step by step: small norms are where a model transfers badly.

        L = CE(source) + λ Σ_{source, target} 1/b Σ_i (‖f_i‖ − (‖f_i‖₀ + Δr))²,    ‖f_i‖₀ = ‖f_i‖ as a constant

    This is the stepwise form (SAFN). Both sides' means are added up, as in the authors' code; the paper writes one
    mean over both. It aligns nothing by itself: it only lets every example move away from the origin.

    Source: Xu, Li, Yang & Lin, "Larger Norm More Transferable: An Adaptive Feature Norm Approach for Unsupervised
    Domain Adaptation", ICCV 2019; the authors' code, github.com/jihanyang/AFN, vanilla/Office31/SAFN.
    """

    name: ClassVar[str] = "afn"
    also: ClassVar[tuple[str, ...]] = ("SAFN",)
    title: ClassVar[str] = "AFN (SAFN)"
    paper: ClassVar[str] = "Xu et al., ICCV 2019"
    # The authors' code; it gives pretrained layers no momentum.
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 1e-3,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "batch_size": 32,
    }

    weight: float = Field(0.05, ge=0, description="λ, weight of the norms; the paper uses 0.05.")
    step: float = Field(1.0, ge=0, description="Δr, by how much norms should grow; the paper uses 1 for Office.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source_features, target_features = nets["features"](batch.source.x), nets["features"](batch.target.x)
        labels_loss = class_loss(nets["classifier"](source_features), batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        growth = norm_step(source_features, self.step) + norm_step(target_features, self.step)
        yield Update(
            labels_loss + self.weight * growth,
            trains=("features", "classifier"),
            logs={
                "label_loss": labels_loss.detach(),
                "source_norm": source_features.detach().norm(dim=1).mean(),
                "target_norm": target_features.detach().norm(dim=1).mean(),
            },
        )

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
