"""Regularised learning under label shift (Azizzadenesheli, Liu, Yang & Anandkumar, ICLR 2019)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.classification.kernel_machine import (
    KernelMachine,
    answers_of,
    both_sides,
    fit_by_classes,
    kernel_networks,
)
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.objectives.label_shift import regularised_weights
from acclimate.types import Passes


class RLLS(ClosedForm):
    """Label shift: class weights drawn towards 1 where little is known, and a source classifier learnt with them.

        w = 1 + θ,   θ = argmin ‖C θ − (q − C 1)‖ + ρ Δ ‖θ‖,    min_f  Σ_i w_{y_i} CE(f(x_i), y_i) + ‖f‖² / 2C

    C_ij is the share of the source's examples that are of class j and answered i, cross-fitted; q are the shares of
    answers on the target, and Δ falls with the number of source examples (`objectives.label_shift`). It assumes that
    each class looks the same on both sides.

    Source: Azizzadenesheli et al., "Regularized Learning for Domain Adaptation under Label Shifts", ICLR 2019.
    """

    name: ClassVar[str] = "rlls"
    title: ClassVar[str] = "RLLS"
    paper: ClassVar[str] = "Azizzadenesheli, Liu, Yang & Anandkumar, ICLR 2019"
    reads: ClassVar[Reads] = {"features": {}}

    regularisation: float = Field(0.01, gt=0, description="ρ, how strongly weights are drawn towards 1.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        machine = KernelMachine(nets, both_sides(passes), self.penalty)
        answers = answers_of(machine)
        weights = regularised_weights(answers.mistakes, answers.answered, self.regularisation)
        fit_by_classes(machine, answers, weights)
