"""Black box shift estimation (Lipton, Wang & Smola, ICML 2018)."""

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
from acclimate.objectives.label_shift import target_proportions
from acclimate.types import Passes


class BBSE(ClosedForm):
    """Label shift: class weights from a classifier's mistakes, and a source classifier learnt with them.

        p = argmin ‖Cᵀ p − q‖,  p ≥ 0,  Σ p = 1,    min_f  Σ_i p_{y_i} / π_{y_i} CE(f(x_i), y_i) + ‖f‖² / 2C

    C_ij is the share of the source's class i that is answered j, cross-fitted; q are the shares of answers on the
    target, π those of the source's classes. The paper inverts C and cuts off what is negative; here the shares are
    constrained, which gives the same where they lie inside. It assumes that each class looks the same on both sides:
    where it does not, a change of looks is taken for other proportions.

    Source: Lipton et al., "Detecting and Correcting for Label Shift with Black Box Predictors", ICML 2018.
    """

    name: ClassVar[str] = "bbse"
    title: ClassVar[str] = "BBSE"
    paper: ClassVar[str] = "Lipton, Wang & Smola, ICML 2018"
    reads: ClassVar[Reads] = {"features": {}}

    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        machine = KernelMachine(nets, both_sides(passes), self.penalty)
        answers = answers_of(machine)
        p = target_proportions(answers.mistakes, answers.answered)
        fit_by_classes(machine, answers, p / answers.prior)
