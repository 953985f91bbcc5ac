"""Kernel mean matching (Huang, Smola, Gretton, Borgwardt & Schölkopf, NIPS 2006)."""

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
from acclimate.objectives.density_ratio import matched_means
from acclimate.types import Passes


class KMM(ClosedForm):
    """Covariate shift: source examples weighed so that their mean in a kernel's space is the target's.

        min_w  ‖mean_s w φ(x_s) − mean_t φ(x_t)‖²,   0 ≤ w ≤ B,  |mean w − 1| ≤ (√n − 1) / √n
        min_f  Σ_i w_i CE(f(x_i), y_i) + ‖f‖² / 2C

    The kernel is Gaussian, as wide as the target's median distance. A source of more than some 2,000 examples is
    matched in parts drawn at random, each to the whole target. It assumes that the same input means the same class on
    both sides, and that the source has what the target has.

    Source: Huang et al., "Correcting Sample Selection Bias by Unlabeled Data", NIPS 2006.
    """

    name: ClassVar[str] = "kmm"
    title: ClassVar[str] = "KMM"
    paper: ClassVar[str] = "Huang et al., NIPS 2006"
    reads: ClassVar[Reads] = {"features": {}}

    bound: float = Field(1000.0, gt=0, description="B, the largest weight.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        sides = both_sides(passes)
        machine = KernelMachine(nets, sides, self.penalty)
        fit_by_examples(machine, matched_means(sides.own, sides.target, self.bound))
