"""Representation subspace distance (Chen, Wang, Wang & Long, ICML 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks
from acclimate.methods.facts import Reads
from acclimate.methods.regression.common import AnswersNumber, features_of_both, labelled_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.regression import subspace_distance
from acclimate.types import Batch, Update


class RSD(AnswersNumber, Stepwise[Batch]):
    """Features of both sides that span the same subspace, whatever their scale.

        L = MSE(source) + w (RSD + β BMP)

    See `objectives.regression.subspace_distance`. Batches must hold fewer examples than there are features, or both
    sides span everything.

    Source: Chen, Wang, Wang & Long, "Representation Subspace Distance for Domain Adaptation Regression", ICML 2021,
    equation 9.
    """

    name: ClassVar[str] = "rsd"
    title: ClassVar[str] = "RSD"
    paper: ClassVar[str] = "Chen, Wang, Wang & Long, ICML 2021"
    problem: ClassVar[str] = "regression"
    batch_statistics: ClassVar[bool] = True
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-3, "batch_size": 36, "epochs": 60}

    weight: float = Field(0.001, ge=0, description="w, weight of the distance; the authors' code has 0.001.")
    mismatch: float = Field(0.01, ge=0, description="β, weight of the bases' mismatch within it.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on all losses."""
        source, target = features_of_both(nets, batch)
        numbers, (distance, mismatch) = labelled_loss(nets, batch, source), subspace_distance(source, target)
        yield Update(
            numbers + self.weight * (distance + self.mismatch * mismatch),
            trains=("features", "regressor"),
            logs={"number_loss": numbers.detach(), "rsd": distance.detach(), "bmp": mismatch.detach()},
        )
