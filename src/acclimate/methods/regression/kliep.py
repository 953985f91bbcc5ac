"""Importance weights by KLIEP for regression (Sugiyama et al., NIPS 2007)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.regression.kernels import AnswersByKernel, KernelRegression
from acclimate.objectives.density_ratio import best_ratio, kliep, log_loss
from acclimate.types import Passes


class RegressionKLIEP(AnswersByKernel, ClosedForm):
    """Covariate shift: source examples weighed by the density ratio under which the target is likeliest.

        max_α  mean_t log w(x_t),   w(x) = Σ_l α_l K(x, c_l),   mean_s w(x_s) = 1,  α ≥ 0
        min_f  Σ_i w(x_i) (f(x_i) − z_i)² + λ ‖f‖²

    f is as in `kernel-ridge`, the centres c and the kernel's width as in `kliep`. It assumes that the same input
    means the same number on both sides, up to noise.

    Source: Sugiyama et al., "Direct Importance Estimation with Model Selection and Its Application to Covariate Shift
    Adaptation", NIPS 2007.
    """

    name: ClassVar[str] = "regression-kliep"
    title: ClassVar[str] = "KLIEP (regression)"
    paper: ClassVar[str] = "Sugiyama et al., NIPS 2007"
    problem: ClassVar[str] = "regression"
    reads: ClassVar[Reads] = {"features": {}}
    weighs_classes: ClassVar[bool] = False

    centres: int = Field(100, ge=1, description="Target examples that kernels are put on.")
    penalty: float | None = Field(None, gt=0, description="λ; by default chosen on the source, weighed.")

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        machine = KernelRegression(nets, passes, self.penalty)
        sides = machine.sides
        machine.weigh(best_ratio(sides.own, sides.target, self.centres, [kliep], log_loss))
