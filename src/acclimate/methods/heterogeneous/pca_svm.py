"""Both sides' principal components in one classifier: the simplest answer to different features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.decomposition import PCA
from sklearn.svm import LinearSVC
from torch import nn

from acclimate.methods.base import Networks, collected, of_rows, sample_weights
from acclimate.methods.closed_form import ClosedForm
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.projectors import Projectors
from acclimate.types import Passes


class PCASVM(ClosedForm):
    """What is often advised: reduce both sides to one size by PCA and train one linear SVM on both.

        z = Pᵀ (x − μ) / s,    each side with its own P, μ and scale s, the mean length of its rows

    Nothing makes the first component of one side mean what that of the other does, so this shows what happens without
    an alignment.
    """

    name: ClassVar[str] = "pca-svm"
    title: ClassVar[str] = "PCA to one size"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "few target labels")
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 2**20, "normalisation": "rows"}

    components: int = Field(50, ge=1, description="Dimensions of the common space, if both sides have as many.")
    penalty: float = Field(1.0, gt=0, description="C, weight of the examples' losses against the margin.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        width = min(self.components, architecture.channels, architecture.source_channels)
        return {
            "source_features": ComputedLinear(architecture.source_channels, width),
            "target_features": ComputedLinear(architecture.channels, width),
            "classifier": ComputedLinear(width, num_classes),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find both sides' components and fit the SVM."""
        sides = []
        for side, batches in (("source", passes.source), ("target", passes.target)):
            x, y = collected(nn.Identity(), batches)
            net = nets[f"{side}_features"]
            assert isinstance(net, ComputedLinear)
            pca = PCA(min(len(net.bias), len(x) - 1), svd_solver="full").fit(x)
            scale = np.linalg.norm(pca.transform(x), axis=1).mean()
            projection = pca.components_ / scale
            net.set_weights(projection, -projection @ pca.mean_)
            sides.append(collected(net, batches))
        x, y = (np.concatenate(parts) for parts in zip(*sides, strict=True))
        given = y >= 0
        weights = of_rows(sample_weights(passes.source, passes.target), given)
        svm = LinearSVC(C=self.penalty, random_state=0).fit(x[given], y[given], weights)
        classifier = nets["classifier"]
        assert isinstance(classifier, ComputedLinear)
        classifier.set_scores(np.asarray(svm.coef_), np.asarray(svm.intercept_), svm.classes_)
