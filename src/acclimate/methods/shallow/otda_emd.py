"""Optimal transport without regularisation (Courty, Flamary, Tuia & Rakotomamonjy, IEEE TPAMI 2017)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.shallow.common import few_enough, store_nearest, transport, vectors
from acclimate.networks.nearest import Nearest
from acclimate.types import Passes

_ITERATIONS = 10_000_000


class OTDAEMD(ClosedForm):
    """The source carried onto the target at least cost (the earth mover's distance), and the nearest neighbour.

        min_γ  Σ_ij γ_ij ‖x_i − y_j‖²

    γ has the uniform distributions over both sides' training examples for margins. Source example i moves to the mean
    of the target by γ_i; everything else is as for `otda`, which adds two terms to the same cost. It has no option,
    and no mercy with classes that are rarer on one side than on the other: all of the source has to go somewhere.

    Transductive: the target's training examples are part of the fit. Others are answered later by what it left.

    Source: Courty et al., "Optimal Transport for Domain Adaptation", IEEE TPAMI 2017, section 3 (OT-exact); POT's
    `EMDTransport`.
    """

    name: ClassVar[str] = "otda-emd"
    title: ClassVar[str] = "Optimal transport"
    paper: ClassVar[str] = "Courty, Flamary, Tuia & Rakotomamonjy, IEEE TPAMI 2017"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """Inputs as they are, and the neighbours."""
        return {"features": nn.Flatten(), "classifier": Nearest(num_classes)}

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the plan, and keep the moved source and the labelled target examples."""
        ot, found = transport(), few_enough(self.name, vectors(passes))
        plan = ot.da.EMDTransport(max_iter=_ITERATIONS).fit(Xs=found.source, Xt=found.target)
        store_nearest(nets, np.concatenate([plan.transform(Xs=found.source), found.target]), found.labels)
