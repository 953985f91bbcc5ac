"""Temperature scaling: one number that makes a model's probabilities fit how often it is right, on source examples.

    T = argmin over T of −mean log softmax(z / T)[y]

Source: Guo, Pleiss, Sun & Weinberger, ICML 2017. The examples are those set aside of the source, for labels of the
target have no part in it; how well T fits the target nobody can tell without them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acclimate.data.domain import Domain
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED

# Fewer say less of a temperature than that it is 1.
LEAST = 30
# What is outside was right, or wrong, in every example: there the loss has no least value.
_COLDEST, _HOTTEST = 0.05, 20.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A temperature, and what it was found on.

    Attributes:
        temperature: T, from 0.05 to 20.
        examples: labelled source examples that no training saw.
        loss: mean −log p of their labels, and `loss_before` with T = 1.
        loss_before: see above.
    """

    temperature: float
    examples: int
    loss: float
    loss_before: float


def calibration_of(fitted: Fitted, source_test: Domain | None) -> Calibration | None:
    """That of a model; None with fewer than 30 labelled source examples set aside, and where no classes are told.

    Args:
        fitted: the model.
        source_test: what was set aside of the source, None where nothing was.
    """
    if source_test is None or fitted.plan.method.problem == "retrieval":
        return None
    known = source_test.take(source_test.labels != UNLABELLED)
    if len(known) < LEAST:
        return None
    return calibrated(fitted.outputs(known, "source", keep_features=False).logits, known.labels)


def calibrated(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """The temperature of logits `(n, k)` whose labels `(n,)` are known."""
    from scipy.optimize import minimize_scalar

    scores = logits.astype(np.float64)
    bounds = (np.log(_COLDEST), np.log(_HOTTEST))
    # Convex in 1 / T, so there is one least value; its logarithm is looked for, as T is a factor.
    found = minimize_scalar(lambda log_t: _loss(scores / np.exp(log_t), labels), bounds=bounds, method="bounded")
    return Calibration(float(np.exp(found.x)), len(labels), float(found.fun), _loss(scores, labels))


def _loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]).mean())
