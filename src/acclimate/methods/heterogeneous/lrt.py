"""Logistic regression on the few labelled target examples alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from torch import nn

from acclimate.methods.base import Networks, collected, of_rows, sample_weights
from acclimate.methods.closed_form import ClosedForm
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.projectors import Projectors, target_alone
from acclimate.types import Passes


class LRt(ClosedForm):
    """The target's few labels and multinomial logistic regression.

    The source is not used, so the common space is the target's own and every source example is at its origin.
    """

    name: ClassVar[str] = "lrt"
    title: ClassVar[str] = "Logistic regression on target labels (LRt)"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("few target labels",)
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 2**20, "normalisation": "rows"}

    penalty: float = Field(100.0, gt=0, description="C, weight of the examples' losses against the squared weights.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return target_alone(architecture, lambda width: ComputedLinear(width, num_classes))

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Fit the regression."""
        x, y = collected(nets["target_features"], passes.target)
        given = y >= 0
        weights = of_rows(sample_weights(passes.target), given)
        model = LogisticRegression(C=self.penalty, max_iter=1000).fit(x[given], y[given], weights)
        classifier = nets["classifier"]
        assert isinstance(classifier, ComputedLinear)
        classifier.set_scores(np.asarray(model.coef_), np.asarray(model.intercept_), model.classes_)
