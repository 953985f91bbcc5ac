"""Maximum likelihood label shift (Saerens et al., 2002; Alexandari, Kundaje & Shrikumar, ICML 2020)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.special import softmax
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.classification.kernel_machine import KernelMachine, answers_of, both_sides, kernel_networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.objectives.label_shift import likely_proportions
from acclimate.types import Passes

# A share of 0 would be an infinite logit.
_LEAST = 1e-9


class MLLS(ClosedForm):
    """Label shift: the source classifier's calibrated answers, corrected by the likeliest class proportions.

        p = argmax Σ_x log Σ_c p_c / π_c P(c | x),    answer  argmax_c  log P(c | x) + log(p_c / π_c)

    P is the source classifier after bias-corrected temperature scaling, softmax(z / T + b), by cross-fitted source
    examples; without b the likelihood is misled. p is found by expectation and maximisation, and nothing is learnt
    anew. It assumes that each class looks the same on both sides: where it does not, p may be wrong, and sure.

    Source: Saerens, Latinne & Decaestecker, Neural Computation 2002; Alexandari et al., "Maximum Likelihood with
    Bias-Corrected Calibration is Hard-To-Beat at Label Shift Adaptation", ICML 2020.
    """

    name: ClassVar[str] = "mlls"
    title: ClassVar[str] = "MLLS"
    paper: ClassVar[str] = "Alexandari, Kundaje & Shrikumar, ICML 2020"
    reads: ClassVar[Reads] = {"features": {}}

    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared norm.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return kernel_networks(architecture, num_classes)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Fit, calibrate, estimate the proportions, and add what they say to the logits."""
        sides = both_sides(passes)
        machine = KernelMachine(nets, sides, self.penalty)
        answers = answers_of(machine)
        p = likely_proportions(answers.prior, softmax(answers.target, axis=1))
        bias = np.zeros(len(machine.classifier.bias))
        bias[answers.classes] = answers.bias + np.log(np.maximum(p, _LEAST) / answers.prior)
        machine.fit(sides.weights, answers.temperature, bias)
