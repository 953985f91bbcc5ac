"""Regression on the source alone: the baseline under every method of regression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from acclimate.methods.base import Networks
from acclimate.methods.facts import Reads
from acclimate.methods.regression.common import AnswersNumber, labelled_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.types import Batch, Update


class SourceRegression(AnswersNumber, Stepwise[Batch]):
    """No adaptation: fit the source's numbers by least squares and hope.

        L = mean (f(x) − (y − μ) / σ)²

    μ and σ are the mean and deviation of the source's numbers; answers are μ + σ f(x).
    """

    name: ClassVar[str] = "regression-source-only"
    also: ClassVar[tuple[str, ...]] = ("RegressionSourceOnly",)
    title: ClassVar[str] = "Source only (regression)"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "regression"
    learns_from: ClassVar[tuple[str, ...]] = ("source",)
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-3, "batch_size": 64, "epochs": 60}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the squared error."""
        loss = labelled_loss(nets, batch, nets["features"](batch.source.x))
        yield Update(loss, trains=("features", "regressor"), logs={"number_loss": loss.detach()})
