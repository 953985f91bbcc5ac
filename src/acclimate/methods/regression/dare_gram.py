"""Inverse Gram matrices aligned (Nejjar, Wang & Fink, CVPR 2023)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks
from acclimate.methods.facts import Reads
from acclimate.methods.regression.common import AnswersNumber, features_of_both, labelled_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.regression import inverse_gram
from acclimate.types import Batch, Update


class DAREGRAM(AnswersNumber, Stepwise[Batch]):
    """Features by which least squares has the same solution on both sides, up to what the answers are.

        L = MSE(source) + α angle + γ scale

    See `objectives.regression.inverse_gram`: the least-squares weights of features Z are (ZᵀZ)⁻¹ Zᵀ y, of which the
    inverse needs no label.

    Source: Nejjar, Wang & Fink, "DARE-GRAM: Unsupervised Domain Adaptation Regression by Aligning Inversed Gram
    Matrices", CVPR 2023, equation 9.
    """

    name: ClassVar[str] = "dare-gram"
    title: ClassVar[str] = "DARE-GRAM"
    paper: ClassVar[str] = "Nejjar, Wang & Fink, CVPR 2023"
    problem: ClassVar[str] = "regression"
    batch_statistics: ClassVar[bool] = True
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-3, "batch_size": 36, "epochs": 60}

    angle: float = Field(0.05, ge=0, description="α, weight of the angles; the paper has 0.05.")
    scale: float = Field(0.001, ge=0, description="γ, weight of the eigenvalues' distance; the paper has 0.001.")
    share: float = Field(0.9, gt=0, le=1, description="T, share of the eigenvalues' sum that the inverse keeps.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on all losses."""
        source, target = features_of_both(nets, batch)
        numbers, (angle, scale) = labelled_loss(nets, batch, source), inverse_gram(source, target, self.share)
        yield Update(
            numbers + self.angle * angle + self.scale * scale,
            trains=("features", "regressor"),
            logs={"number_loss": numbers.detach(), "angle": angle.detach(), "scale": scale.detach()},
        )
