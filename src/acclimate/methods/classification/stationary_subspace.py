"""A subspace in which the sides agree (Hara et al., 2012), and a kernel machine there."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.classification.kernel_machine import KernelMachine, both_sides, kernel_networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.networks.linear import ComputedLinear
from acclimate.objectives.moments_of_sides import chance, stationary_directions
from acclimate.types import Passes


class StationarySubspace(ClosedForm):
    """Kernel logistic regression of the directions along which source and target have the same moments.

        δ δᵀ + 2 D²,   δ = μ_t − μ_s,  D = C_t − C_s,   where the mean covariance of both is made the unit matrix

    Its smallest eigenvalues belong to directions that a shift spares. Kept are those whose value is at most
    `tolerance` times what chance makes of it, and one at least; a direction whose covariance with others changed is
    not kept, though its own variance may be the same. What the others say of the classes is lost, so it
    helps where they say the wrong thing in the target, and costs where they still say the right one.

    Source: Hara, Kawahara, Washio, von Bünau, Tokunaga & Yumoto, "Separation of Stationary and Non-stationary Sources
    with a Generalized Eigenvalue Problem", Neural Networks 2012, there for epochs of a series.
    """

    name: ClassVar[str] = "stationary-subspace"
    title: ClassVar[str] = "Stationary subspace"
    paper: ClassVar[str] = "Hara et al., Neural Networks 2012"
    reads: ClassVar[Reads] = {"features": {}}

    tolerance: float = Field(4.0, gt=0, description="How many times as large as by chance a difference may be.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """A projection, of which what is left out is 0, and the kernel machine."""
        nets, width = kernel_networks(architecture, num_classes), architecture.channels
        return {
            "features": nn.Sequential(ComputedLinear(width, width), nets["features"]),
            "classifier": nets["classifier"],
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the directions, and fit the machine to what is seen along them."""
        sides, features = both_sides(passes), nets["features"]
        assert isinstance(features, nn.Sequential)
        project = features[0]
        assert isinstance(project, ComputedLinear)
        differ, directions = stationary_directions(sides.own, sides.target)
        few = chance(len(sides.own), len(sides.target), max(len(differ), 1))
        kept = directions[:, : max(1, int((differ <= self.tolerance * few).sum()))]
        project.set_weights(kept.T, np.zeros(kept.shape[1]))
        seen = replace(sides, x=_padded(sides.x @ kept, sides.x), target=_padded(sides.target @ kept, sides.target))
        machine = {"features": features[1], "classifier": nets["classifier"]}
        KernelMachine(machine, seen, self.penalty, width=kept.shape[1]).fit(sides.weights)


def _padded(narrow: np.ndarray, like: np.ndarray) -> np.ndarray:
    wide = np.zeros_like(like)
    wide[:, : narrow.shape[1]] = narrow
    return wide
