"""Joint distribution optimal transport for regression (Courty, Flamary, Habrard & Rakotomamonjy, NIPS 2017)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.regression.kernels import AnswersByKernel, KernelRegression
from acclimate.methods.shallow.common import Vectors, few_enough, transport
from acclimate.types import Passes

_ITERATIONS = 10_000_000


class RegressionJDOT(AnswersByKernel, ClosedForm):
    """A function of the target, and the transport of source numbers onto it, each the best for the other.

        min_{f, γ}  Σ_ij γ_ij (α ‖x_i − x_j‖² / max + (z_i − f(x_j))²) + λ ‖f‖²,   α = 1 / max (z_i − z_k)²

    γ has uniform margins and is found exactly with f fixed, first f of the source alone; then f is the kernel ridge
    regression of the numbers that γ brings to each target example, ẑ_j = m Σ_i γ_ij z_i. It ends when no ẑ_j changes
    by more than 10⁻⁵, or after so many rounds. Numbers of the target that the user gave join f's own examples.

    Transductive: the target's training examples are part of the fit. Others are answered later by what it left.

    Source: Courty et al., "Joint Distribution Optimal Transportation for Domain Adaptation", NIPS 2017, algorithm 1
    with the squared loss; both costs of one scale, as the authors' code has them.
    """

    name: ClassVar[str] = "regression-jdot"
    title: ClassVar[str] = "JDOT (regression)"
    paper: ClassVar[str] = "Courty, Flamary, Habrard & Rakotomamonjy, NIPS 2017"
    problem: ClassVar[str] = "regression"
    reads: ClassVar[Reads] = {"features": {}}
    weighs_classes: ClassVar[bool] = False

    distance: float = Field(1.0, ge=0, description="Weight of the inputs' distance against the numbers'.")
    penalty: float | None = Field(None, gt=0, description="λ; by default chosen on what is brought.")
    rounds: int = Field(20, ge=1, le=10_000, description="How often each is found at most.")

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the plan and the function in turn."""
        machine, ot = KernelRegression(nets, passes, self.penalty), transport()
        sides, n = machine.sides, machine.sides.source
        nothing = np.full(len(sides.target), -1)
        few_enough(self.name, Vectors(sides.own, np.zeros(n), sides.target, nothing))
        z, coordinates, given = machine.z[:n], machine.of_target, (machine.seen[n:], machine.z[n:])
        of_inputs = ot.dist(sides.own, sides.target)
        of_inputs *= self.distance / (of_inputs.max() or 1.0)
        scale = np.ptp(z) ** 2
        machine.weigh(np.ones(n))
        before = np.full(len(sides.target), np.inf)
        for _ in range(self.rounds):
            of_numbers = np.square(z[:, None] - machine.answers(sides.target)[None]) / scale
            plan = ot.emd([], [], of_inputs + of_numbers, numItermax=_ITERATIONS)
            brought = len(sides.target) * plan.T @ z
            x, y = np.concatenate([coordinates, given[0]]), np.concatenate([brought, given[1]])
            machine.fit_numbers(x, y, np.ones(len(y)))
            if np.abs(brought - before).max() <= 1e-5:
                break
            before = brought
