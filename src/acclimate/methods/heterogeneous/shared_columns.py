"""The source's model on the columns that both sides have by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from torch import nn

from acclimate.methods.base import Networks, collected, of_rows, sample_weights
from acclimate.methods.closed_form import ClosedForm
from acclimate.networks.columns import Columns
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.projectors import Projectors
from acclimate.types import Passes


class SharedColumns(ClosedForm):
    """Logistic regression of the source on the columns that both tables have by name: no target label is used.

    Each side's columns are z-scored by its own mean and deviation, so that units do not matter; that a class is more
    frequent on one side then does, and moves them.
    """

    name: ClassVar[str] = "shared-columns"
    title: ClassVar[str] = "Shared columns alone"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "shared columns")
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 2**20, "normalisation": "standard"}

    penalty: float = Field(1.0, gt=0, description="C, weight of the examples' losses.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        source, target = zip(*architecture.shared, strict=True)
        places = range(len(source))
        return {
            "source_features": Columns(source, places, len(source)),
            "target_features": Columns(target, places, len(source)),
            "classifier": ComputedLinear(len(source), num_classes),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Scale both sides and fit the regression."""
        for side, batches in (("source", passes.source), ("target", passes.target)):
            columns = nets[f"{side}_features"]
            assert isinstance(columns, Columns)
            x, _ = collected(columns, batches)
            columns.scale_by(x.mean(axis=0), x.std(axis=0))
        x, y = collected(nets["source_features"], passes.source)
        known = y >= 0
        weights = of_rows(sample_weights(passes.source), known)
        found = LogisticRegression(C=self.penalty, max_iter=1000).fit(x[known], y[known], weights)
        classifier = nets["classifier"]
        assert isinstance(classifier, ComputedLinear)
        classifier.set_scores(np.asarray(found.coef_), np.asarray(found.intercept_), found.classes_)
