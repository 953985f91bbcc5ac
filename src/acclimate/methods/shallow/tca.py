"""Transfer component analysis (Pan, Tsang, Kwok & Yang, IJCAI 2009)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.preprocessing import normalize
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.shallow.common import narrow_enough, store_nearest, vectors
from acclimate.networks.nearest import Nearest
from acclimate.networks.projection import Projection
from acclimate.objectives.transfer_components import mean_difference, transfer_components
from acclimate.types import Passes


class TCA(ClosedForm):
    """Directions in which both sides have nearly one mean and the data vary most, and the nearest neighbour there.

        min_A  tr Aᵀ (K M K + λ I) A    so that  Aᵀ K H K A = I

    K holds inner products of all examples, M = e eᵀ / ‖e eᵀ‖_F the difference of the sides' means, and H centres. As
    in the code of Long et al. (ICCV 2013), which the published tables come from, examples have length 1 before and
    after, and the columns of A too. The kernel is linear, so z = Wᵀ x with W = Xᵀ A: what is new needs no old example
    but the nearest.

    The paper chooses p and λ by labels of the target; here p = 30 and λ = 1, as in those tables.

    Transductive: the target's training examples are part of the fit. Others are answered later by what it left.

    Source: Pan et al., "Domain Adaptation via Transfer Component Analysis", IJCAI 2009 and IEEE TNN 2011.
    """

    name: ClassVar[str] = "tca"
    title: ClassVar[str] = "TCA"
    paper: ClassVar[str] = "Pan, Tsang, Kwok & Yang, IJCAI 2009"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False

    components: int = Field(30, ge=1, description="p, dimensions of the common space.")
    penalty: float = Field(1.0, gt=0, description="λ, weight of the solution's size.")

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """One map, and the neighbours."""
        return {"features": Projection(self.components, unit=True), "classifier": Nearest(num_classes)}

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the map, and keep the examples that have labels."""
        found = narrow_enough(self.name, vectors(passes))
        x = normalize(found.both)
        sides = np.ones(len(found.source), bool), np.ones(len(found.target), bool)
        w = transfer_components(x, [mean_difference(*sides)], self.components, self.penalty)
        features = nets["features"]
        assert isinstance(features, Projection)
        features.adopt(weight=w.T, bias=np.zeros(w.shape[1]))
        store_nearest(nets, normalize(x @ w), found.labels)
