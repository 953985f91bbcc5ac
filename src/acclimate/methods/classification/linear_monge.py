"""A linear map of the source onto the target (Flamary, Lounici & Ferrari, 2019), and a kernel machine there."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks
from acclimate.methods.classification.kernel_machine import KernelMachine, both_sides, kernel_networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.networks.linear import ComputedLinear
from acclimate.objectives.moments_of_sides import linear_monge
from acclimate.types import Passes, Side


class LinearMonge(ClosedForm):
    """The source moved linearly so that mean and covariance are the target's; kernel logistic regression of that.

        x → A x + b,    A = C_s^−½ (C_s^½ C_t C_s^½)^½ C_s^−½,  b = μ_t − A μ_s

    Right where everything was turned, stretched or moved alike, as by another instrument. Wrong where proportions or
    the part of the inputs that is seen changed: these move the mean too.

    Source: Flamary et al., "Concentration Bounds for Linear Monge Mapping Estimation and Optimal Transport Domain
    Adaptation", 2019.
    """

    name: ClassVar[str] = "linear-monge"
    title: ClassVar[str] = "Linear Monge map"
    paper: ClassVar[str] = "Flamary, Lounici & Ferrari, 2019"
    reads: ClassVar[Reads] = {"features": {}}

    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """The kernel machine, and the map of the source."""
        width = architecture.channels
        return {**kernel_networks(architecture, num_classes), "source_map": ComputedLinear(width, width)}

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """Kernel features of target inputs, or of source inputs where the map puts them."""
        return nets["features"](nets["source_map"](x) if side == "source" else x)  # type: ignore[no-any-return]

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the map, and fit the machine to what it makes of the source."""
        sides, source_map = both_sides(passes), nets["source_map"]
        assert isinstance(source_map, ComputedLinear)
        a, b = linear_monge(sides.own, sides.target)
        source_map.set_weights(a.T, b)
        moved = replace(sides, x=np.concatenate([sides.own @ a + b, sides.x[sides.source :]]))
        KernelMachine(nets, moved, self.penalty).fit(sides.weights)
