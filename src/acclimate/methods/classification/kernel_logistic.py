"""Kernel logistic regression of the source: what importance weights are added to."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.classification.kernel_machine import KernelMachine, both_sides, kernel_networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.types import Passes


class KernelLogistic(ClosedForm):
    """Kernel logistic regression of the labelled examples, all counting alike.

        min_f  Σ_i CE(f(x_i), y_i) + ‖f‖² / 2C,    K(x, c) = exp(−γ ‖x − c‖²)

    What KLIEP, KMM, uLSIF, domain odds, BBSE, RLLS and MLLS are to be better than: the same model
    without them. γ is one by the inputs' width times their variance, and 300 labelled examples span the space.

    Source: Zhu & Hastie, "Kernel Logistic Regression and the Import Vector Machine", NIPS 2001.
    """

    name: ClassVar[str] = "kernel-logistic"
    title: ClassVar[str] = "Kernel logistic regression"
    paper: ClassVar[str] = "baseline"
    learns_from: ClassVar[tuple[str, ...]] = ("source",)
    reads: ClassVar[Reads] = {"features": {}}

    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Fit it."""
        sides = both_sides(passes)
        KernelMachine(nets, sides, self.penalty).fit(sides.weights)
