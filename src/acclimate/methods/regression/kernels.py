"""Regression on kernel features with a weight for each source example, all of it computed."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import RidgeCV
from torch import nn

from acclimate.methods.base import Networks, collected
from acclimate.methods.classification.kernel_machine import KernelMachine, Sides, kernel_networks
from acclimate.methods.regression.common import AnswersNumber, regressor_of
from acclimate.networks.architecture import Architecture
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.regressor import Regressor
from acclimate.types import Passes

_PENALTIES = tuple(10.0**e for e in range(-3, 4))


class AnswersByKernel(AnswersNumber):
    """Mixed into methods that are computed: kernel features of the inputs, and a regressor on these."""

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        nets = kernel_networks(architecture, 1)
        return {"features": nets["features"], "regressor": Regressor(nets["classifier"])}


class KernelRegression(KernelMachine):
    """Ridge regression on the coordinates of a kernel machine, of standardised numbers.

    Args:
        nets: of `AnswersByKernel`.
        passes: as `solve` got them.
        penalty: λ; None chooses it by the source's leave-one-out error, weighed as the examples are.
    """

    def __init__(self, nets: Networks, passes: Passes, penalty: float | None) -> None:
        regressor, sides = regressor_of(nets), _of_numbers(passes)
        super().__init__({"features": nets["features"], "classifier": regressor.linear}, sides, 1.0)
        self.z = (sides.y - float(regressor.centre)) / float(regressor.deviation)
        self._penalties = [*_PENALTIES] if penalty is None else [penalty]

    def fit_numbers(self, x: np.ndarray, z: np.ndarray, weights: np.ndarray) -> None:
        """Set the regressor to what coordinates `(n, r)`, numbers and weights `(n,)` teach."""
        model = RidgeCV(alphas=self._penalties).fit(x, z, weights * (len(weights) / weights.sum()))
        assert isinstance(self.classifier, ComputedLinear)
        self.classifier.set_weights((self._whiten @ model.coef_)[None], np.array([model.intercept_]))

    def weigh(self, ratio: np.ndarray) -> None:
        """Learn from the source with these weights `(n,)`, ≥ 0; target numbers that the user gave count as 1."""
        weights = np.ones(len(self.z))
        weights[: self.sides.source] = ratio / max(float(ratio.mean()), 1e-12)
        self.fit_numbers(self._seen, self.z, weights if weights.sum() > 0 else np.ones(len(self.z)))

    @property
    def seen(self) -> np.ndarray:
        """Coordinates `(n, r)` of the examples whose number is known."""
        return self._seen

    @property
    def of_target(self) -> np.ndarray:
        """Coordinates `(m, r)` of the target's examples."""
        return self._coordinates(self.sides.target)

    def answers(self, x: np.ndarray) -> np.ndarray:
        """Standardised numbers `(n,)` that the regressor, as it is set, gives inputs."""
        return self.logits(x)[:, 0]


def _of_numbers(passes: Passes) -> Sides:
    """What such a method sees; y are numbers."""
    (xs, ys), (xt, yt) = (collected(nn.Identity(), side) for side in (passes.source, passes.target))
    given = ~np.isnan(yt) if yt.dtype.kind == "f" else np.zeros(len(yt), dtype=bool)  # else −1 throughout
    x, y = np.concatenate([xs, xt[given]]), np.concatenate([ys, yt[given]])
    return Sides(x, y, np.ones(len(y)), len(xs), xt)
