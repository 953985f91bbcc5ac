"""A linear support vector machine on the few labelled target examples alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.svm import LinearSVC
from torch import nn

from acclimate.methods.base import Networks, collected, of_rows, sample_weights
from acclimate.methods.closed_form import ClosedForm
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.projectors import Projectors, target_alone
from acclimate.types import Passes


class SVMt(ClosedForm):
    """The target's few labels and a linear SVM: the baseline that is hardest to beat.

    One classifier against the rest for each class, on the target's features as they are preprocessed. The source is
    not used, so the common space is the target's own and every source example is at its origin.
    """

    name: ClassVar[str] = "svmt"
    title: ClassVar[str] = "Linear SVM on target labels (SVMt)"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("few target labels",)
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 2**20, "normalisation": "rows"}

    penalty: float = Field(1.0, gt=0, description="C, weight of the examples' losses against the margin.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return target_alone(architecture, lambda width: ComputedLinear(width, num_classes))

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Fit the SVM."""
        x, y = collected(nets["target_features"], passes.target)
        given = y >= 0
        svm = LinearSVC(C=self.penalty, random_state=0).fit(
            x[given], y[given], of_rows(sample_weights(passes.target), given)
        )
        classifier = nets["classifier"]
        assert isinstance(classifier, ComputedLinear)
        classifier.set_scores(np.asarray(svm.coef_), np.asarray(svm.intercept_), svm.classes_)
