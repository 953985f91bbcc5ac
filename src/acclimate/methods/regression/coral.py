"""Deep CORAL for regression (after Sun & Saenko, ECCV 2016 workshops)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks
from acclimate.methods.facts import Reads
from acclimate.methods.regression.common import AnswersNumber, features_of_both, labelled_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.moments import coral
from acclimate.types import Batch, Update


class RegressionCORAL(AnswersNumber, Stepwise[Batch]):
    """Source and target whose features have the same covariance.

        L = MSE(source) + w ‖C_s − C_t‖²_F / (4 d²)

    The covariances are those of the d features: of the one number that is answered there is but a variance.

    Source: Sun & Saenko, "Deep CORAL: Correlation Alignment for Deep Domain Adaptation", ECCV 2016 workshops, with
    the squared error in place of the cross-entropy.
    """

    name: ClassVar[str] = "regression-coral"
    title: ClassVar[str] = "Deep CORAL (regression)"
    paper: ClassVar[str] = "after Sun & Saenko, ECCV workshops 2016"
    problem: ClassVar[str] = "regression"
    batch_statistics: ClassVar[bool] = True
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-3, "batch_size": 64, "epochs": 60}

    weight: float = Field(10.0, ge=0, description="w, weight of the covariances' distance.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        source, target = features_of_both(nets, batch)
        numbers, distance = labelled_loss(nets, batch, source), coral(source, target)
        yield Update(
            numbers + self.weight * distance,
            trains=("features", "regressor"),
            logs={"number_loss": numbers.detach(), "coral": distance.detach()},
        )
