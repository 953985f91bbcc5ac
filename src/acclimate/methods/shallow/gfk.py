"""The geodesic flow kernel (Gong, Shi, Sha & Grauman, CVPR 2012)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.decomposition import PCA
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.shallow.common import Vectors, narrow_enough, store_nearest, vectors, z_scores
from acclimate.networks.nearest import Nearest
from acclimate.networks.projection import Projection
from acclimate.objectives.geodesic_flow import geodesic_flow
from acclimate.types import Passes


class GFK(ClosedForm):
    """Inner products over all subspaces between the source's and the target's, and the nearest neighbour.

        k(x, y) = xᵀ G y,    G = ∫₀¹ Φ(t) Φ(t)ᵀ dt

    Φ(0) and Φ(1) hold the first p principal directions of the z-scored source and target (each side by its own mean
    and deviation), and Φ the geodesic between them. G = L Lᵀ is kept as L, 2p numbers a feature: z = Lᵀ x. A new
    example is answered by the class of the source example, or labelled target example, that is nearest in z.

    The paper finds p by a measure of subspaces, from 10 to 20 on its data; its released example has 20, as here.

    Transductive: the target's training examples are part of the fit. Others are answered later by what it left.

    Source: Gong et al., "Geodesic Flow Kernel for Unsupervised Domain Adaptation", CVPR 2012.
    """

    name: ClassVar[str] = "gfk"
    title: ClassVar[str] = "GFK"
    paper: ClassVar[str] = "Gong, Shi, Sha & Grauman, CVPR 2012"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False

    components: int = Field(20, ge=1, description="p, dimensions of the subspaces.")

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """A map for each side, and the neighbours."""
        return {
            "source_features": Projection(2 * self.components),
            "target_features": Projection(2 * self.components),
            "classifier": Nearest(num_classes),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find both subspaces and the way between them, and keep the examples that have labels."""
        found = narrow_enough(self.name, vectors(passes))
        scaled = {"source": z_scores(found.source), "target": z_scores(found.target)}
        flow = geodesic_flow(*(self._directions(found, z) for z, _, _ in scaled.values()))
        for side, (_, mean, std) in scaled.items():
            net = nets[f"{side}_features"]
            assert isinstance(net, Projection)
            weight = (flow / std[:, None]).T
            net.adopt(weight=weight, bias=-weight @ mean)
        store_nearest(nets, np.concatenate([z @ flow for z, _, _ in scaled.values()]), found.labels)

    def _directions(self, found: Vectors, z: np.ndarray) -> np.ndarray:
        """Orthonormal `(d, p)`; fewer than p where either side has fewer, so that both have as many."""
        p = min(self.components, len(found.source) - 1, len(found.target) - 1, z.shape[1])
        return np.asarray(PCA(p, svd_solver="full").fit(z).components_.T)
