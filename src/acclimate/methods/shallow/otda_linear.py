"""The linear Monge map between Gaussians (Flamary, Lounici & Ferrari, 2019)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.shallow.common import fit_svm, labelled, narrow_enough, transport, vectors
from acclimate.networks.one_against_one import OneAgainstOne
from acclimate.networks.projection import Projection
from acclimate.types import Passes


class OTDALinear(ClosedForm):
    """The source carried onto the target by the one linear map that is optimal between Gaussians, and a linear SVM.

        x → m_t + (x − m_s) A,    A = Σ_s^−½ (Σ_s^½ Σ_t Σ_s^½)^½ Σ_s^−½,    Σ = C + λ I

    m and C are each side's mean and covariance. As CORAL's map it gives the source the target's covariance, and of
    all maps that do it moves the examples least. A target example stays where it is. With several classes, the SVMs
    of each pair vote.

    Source: Flamary, Lounici & Ferrari, "Concentration bounds for linear Monge mapping estimation and optimal
    transport domain adaptation", 2019, equation 3; Knott & Smith, 1984; POT's `LinearTransport`.
    """

    name: ClassVar[str] = "otda-linear"
    also: ClassVar[tuple[str, ...]] = ("LinearMonge",)
    title: ClassVar[str] = "Linear Monge mapping"
    paper: ClassVar[str] = "Flamary, Lounici & Ferrari, 2019"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False

    penalty: float = Field(1.0, gt=0, description="λ, added to both covariances' diagonals, as CORAL's.")
    svm_penalty: float = Field(1.0, gt=0, description="C, weight of the examples' losses against the margin.")

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """The source's map, the target as it is, and the SVM."""
        return {
            "source_features": Projection(1),
            "target_features": nn.Flatten(),
            "classifier": OneAgainstOne(num_classes),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the map and fit the SVM."""
        ot, found = transport(), narrow_enough(self.name, vectors(passes))
        map_ = ot.da.LinearTransport(reg=self.penalty).fit(Xs=found.source, Xt=found.target)
        features = nets["source_features"]
        assert isinstance(features, Projection)
        features.adopt(weight=map_.A_.T, bias=map_.B_.ravel())
        moved = found.source @ map_.A_ + map_.B_
        rows, labels = labelled(found, np.concatenate([moved, found.target]))
        fit_svm(nets, rows @ rows.T, rows, labels, self.svm_penalty)
