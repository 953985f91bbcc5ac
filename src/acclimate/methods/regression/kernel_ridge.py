"""Kernel ridge regression of the source alone: what weights of examples are for."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.regression.kernels import AnswersByKernel, KernelRegression
from acclimate.types import Passes


class KernelRidge(AnswersByKernel, ClosedForm):
    """No adaptation: a smooth function of the inputs, by regularised least squares.

        min_f  Σ_i (f(x_i) − z_i)² + λ ‖f‖²,   z = (y − μ) / σ

    in the space of a Gaussian kernel as wide as the inputs' spread, spanned by 300 source examples. λ is one of 10⁻³,
    10⁻², …, 10³, whose leave-one-out error on the source is least, unless it is given.

    Source: Saunders, Gammerman & Vovk, "Ridge Regression Learning Algorithm in Dual Variables", ICML 1998.
    """

    name: ClassVar[str] = "kernel-ridge"
    title: ClassVar[str] = "Kernel ridge"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "regression"
    learns_from: ClassVar[tuple[str, ...]] = ("source",)
    reads: ClassVar[Reads] = {"features": {}}
    weighs_classes: ClassVar[bool] = False

    penalty: float | None = Field(None, gt=0, description="λ; by default chosen on the source.")

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Learn from the source as it is."""
        machine = KernelRegression(nets, passes, self.penalty)
        machine.weigh(np.ones(machine.sides.source))
