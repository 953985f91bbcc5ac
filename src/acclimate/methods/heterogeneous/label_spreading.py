"""Label spreading (Zhou, Bousquet, Lal, Weston & Schölkopf, NIPS 2003) over the target alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from sklearn.semi_supervised import LabelSpreading as Spreading
from torch import nn

from acclimate.methods.base import Networks, collected
from acclimate.methods.closed_form import ClosedForm
from acclimate.networks.neighbours import Neighbours
from acclimate.networks.projectors import Projectors, target_alone
from acclimate.types import Passes


class LabelSpreading(ClosedForm):
    """Few target labels spread along a graph of nearest neighbours, without any source.

        F = (1 − α) (1 − α S)⁻¹ Y,    S the normalised adjacency of each example's k nearest neighbours

    A target example that training never saw gets the mean distribution of its k nearest neighbours. The source is not
    used, so the common space is the target's own and every source example is at its origin.

    Source: Zhou et al., "Learning with Local and Global Consistency", NIPS 2003, as scikit-learn has it.
    """

    name: ClassVar[str] = "label-spreading"
    title: ClassVar[str] = "Label spreading on the target"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("target", "few target labels")
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 2**20, "normalisation": "rows"}

    neighbours: int = Field(7, ge=1, description="k, neighbours of each example.")
    clamping: float = Field(0.2, gt=0, lt=1, description="α, how much an example takes from its neighbours.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return target_alone(architecture, lambda _: Neighbours(self.neighbours, num_classes))

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Spread the labels and keep the distributions."""
        x, y = collected(nets["target_features"], passes.target)
        spreading = Spreading(
            kernel="knn", n_neighbors=min(self.neighbours, len(x)), alpha=self.clamping, max_iter=200
        ).fit(x, y)
        classifier = nets["classifier"]
        assert isinstance(classifier, Neighbours)
        distributions = np.zeros((len(x), classifier.distributions.shape[1]))
        distributions[:, spreading.classes_] = spreading.label_distributions_
        classifier.store(torch.from_numpy(x), torch.from_numpy(distributions))
