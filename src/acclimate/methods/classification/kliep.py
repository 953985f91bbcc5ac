"""KLIEP (Sugiyama, Nakajima, Kashima, von Bünau & Kawanabe, NIPS 2007)."""

from __future__ import annotations

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
from acclimate.objectives.density_ratio import best_ratio, kliep, log_loss
from acclimate.types import Passes


class KLIEP(ClosedForm):
    """Covariate shift: source examples weighed by the density ratio that makes the target likeliest.

        w(x) = Σ_l α_l K(x, c_l),    max_α mean_t log w,  mean_s w = 1,  α ≥ 0
        min_f  Σ_i w(x_i) CE(f(x_i), y_i) + ‖f‖² / 2C

    The centres c are target examples, and the kernel's width is the one whose ratio is likeliest in five-fold
    cross-validation, between a quarter of the median distance and four times it. It assumes that the same input means
    the same class on both sides, and that the source has what the target has.

    Source: Sugiyama et al., "Direct Importance Estimation with Model Selection and Its Application to Covariate Shift
    Adaptation", NIPS 2007.
    """

    name: ClassVar[str] = "kliep"
    title: ClassVar[str] = "KLIEP"
    paper: ClassVar[str] = "Sugiyama et al., NIPS 2007"
    reads: ClassVar[Reads] = {"features": {}}

    centres: int = Field(100, ge=1, description="Target examples that kernels are put on.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        sides = both_sides(passes)
        machine = KernelMachine(nets, sides, self.penalty)
        fit_by_examples(machine, best_ratio(sides.own, sides.target, self.centres, [kliep], log_loss))
