"""uLSIF and RuLSIF (Kanamori, Hido & Sugiyama, JMLR 2009; Yamada et al., NIPS 2011)."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.classification.kernel_machine import (
    KernelMachine,
    both_sides,
    fit_by_examples,
    kernel_networks,
)
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.objectives.density_ratio import best_ratio, squared_error, ulsif
from acclimate.types import Passes

_RIDGES = (1e-3, 1e-2, 1e-1, 1.0)


class ULSIF(ClosedForm):
    """Covariate shift: source examples weighed by the density ratio of least squared error.

        w(x) = Σ_l α_l K(x, c_l),    α = max(0, (H + λ I)⁻¹ h)
        H = β mean_t K Kᵀ + (1 − β) mean_s K Kᵀ,    h = mean_t K
        min_f  Σ_i w(x_i) CE(f(x_i), y_i) + ‖f‖² / 2C

    β = 0 is uLSIF, β > 0 RuLSIF, whose weights stay below 1/β. Width and λ are those of least error in five-fold
    cross-validation; uLSIF's authors leave out one example at a time instead. It assumes that the same input means
    the same class on both sides, and that the source has what the target has.

    Source: Kanamori et al., "A Least-squares Approach to Direct Importance Estimation", JMLR 2009; Yamada et al.,
    "Relative Density-Ratio Estimation for Robust Distribution Comparison", NIPS 2011.
    """

    name: ClassVar[str] = "ulsif"
    title: ClassVar[str] = "uLSIF"
    paper: ClassVar[str] = "Kanamori, Hido & Sugiyama, JMLR 2009"
    reads: ClassVar[Reads] = {"features": {}}

    relative: float = Field(0.0, ge=0, lt=1, description="β, share of the target in what the ratio is relative to.")
    centres: int = Field(100, ge=1, description="Target examples that kernels are put on.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        sides = both_sides(passes)
        machine = KernelMachine(nets, sides, self.penalty)
        fits = [partial(ulsif, ridge=ridge, relative=self.relative) for ridge in _RIDGES]
        loss = partial(squared_error, relative=self.relative)
        fit_by_examples(machine, best_ratio(sides.own, sides.target, self.centres, fits, loss))
