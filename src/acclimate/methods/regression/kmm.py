"""Kernel mean matching for regression (Huang, Smola, Gretton, Borgwardt & Schölkopf, NIPS 2006)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.regression.kernels import AnswersByKernel, KernelRegression
from acclimate.objectives.density_ratio import matched_means
from acclimate.types import Passes


class RegressionKMM(AnswersByKernel, ClosedForm):
    """Covariate shift: source examples weighed so that their mean in a kernel's space is the target's.

        min_w  ‖mean_s w φ(x_s) − mean_t φ(x_t)‖²,   0 ≤ w ≤ B,  |mean w − 1| ≤ (√n − 1) / √n
        min_f  Σ_i w_i (f(x_i) − z_i)² + λ ‖f‖²

    f is as in `kernel-ridge`. It assumes that the same input means the same number on both sides, up to noise.

    Source: Huang et al., "Correcting Sample Selection Bias by Unlabeled Data", NIPS 2006.
    """

    name: ClassVar[str] = "regression-kmm"
    title: ClassVar[str] = "KMM (regression)"
    paper: ClassVar[str] = "Huang et al., NIPS 2006"
    problem: ClassVar[str] = "regression"
    reads: ClassVar[Reads] = {"features": {}}
    weighs_classes: ClassVar[bool] = False

    bound: float = Field(1000.0, gt=0, description="B, the largest weight.")
    penalty: float | None = Field(None, gt=0, description="λ; by default chosen on the source, weighed.")

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        machine = KernelRegression(nets, passes, self.penalty)
        sides = machine.sides
        machine.weigh(matched_means(sides.own, sides.target, self.bound))
