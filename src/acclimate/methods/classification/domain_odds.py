"""Importance weights by a classifier of domains (Bickel, Brückner & Scheffer, ICML 2007)."""

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
from acclimate.types import Passes


class DomainOdds(ClosedForm):
    """Covariate shift: source examples weighed by the odds that a classifier takes them for the target's.

        w(x) = n_s / n_t · P(target | x) / P(source | x),    min_f  Σ_i w(x_i) CE(f(x_i), y_i) + ‖f‖² / 2C

    P is kernel logistic regression of the domains, fitted with C = 1. It assumes that the same input means the same
    class on both sides, and that the source has what the target has.

    Source: Bickel et al., "Discriminative Learning for Differing Training and Test Distributions", ICML 2007.
    """

    name: ClassVar[str] = "domain-odds"
    title: ClassVar[str] = "Odds of the domain"
    paper: ClassVar[str] = "Bickel, Brückner & Scheffer, ICML 2007"
    reads: ClassVar[Reads] = {"features": {}}

    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Estimate the weights, and learn with them."""
        sides = both_sides(passes)
        machine = KernelMachine(nets, sides, self.penalty)
        fit_by_examples(machine, machine.odds())
