"""Linear layers whose weights are computed, not trained."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

_NEVER = -1e9


class ComputedLinear(nn.Module):
    """y = W x + b with W and b set by `set_weights`; zeros before.

    Args:
        inputs: width of x.
        outputs: width of y.
        unit: whether rows of y are scaled to length 1.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, inputs: int, outputs: int, *, unit: bool = False) -> None:
        super().__init__()
        self.unit = unit
        self.register_buffer("weight", torch.zeros(outputs, inputs))
        self.register_buffer("bias", torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs)` to `(b, outputs)`."""
        y = F.linear(x, self.weight, self.bias)
        return F.normalize(y) if self.unit else y

    def set_weights(self, weight: np.ndarray, bias: np.ndarray) -> None:
        """Set the first rows to `(m, inputs)` and `(m,)`; any rows beyond become zero."""
        self.weight.zero_()
        self.bias.zero_()
        self.weight[: len(weight), : weight.shape[1]] = torch.from_numpy(weight).to(self.weight)
        self.bias[: len(bias)] = torch.from_numpy(bias).to(self.bias)

    def set_scores(self, weight: np.ndarray, bias: np.ndarray, classes: np.ndarray) -> None:
        """Set a linear classifier of scikit-learn's form; classes it never saw can never win.

        Args:
            weight: `coef_`, of shape `(m, d)`, or `(1, d)` for two classes.
            bias: `intercept_`.
            classes: `classes_`, the numbers of the classes.
        """
        self.set_weights(*class_rows(weight, bias, classes, len(self.bias)))


def class_rows(
    weight: np.ndarray, bias: np.ndarray, classes: np.ndarray, k: int, never: float = _NEVER
) -> tuple[np.ndarray, np.ndarray]:
    """A linear classifier of scikit-learn's form as one row for each of k classes, `(k, d)` and `(k,)`.

    One score for two classes becomes two that differ by it, so that their softmax is what logistic regression calls
    the probabilities.

    Args:
        weight: `coef_`, of shape `(m, d)`, or `(1, d)` for two classes.
        bias: `intercept_`.
        classes: `classes_`, the numbers of the classes.
        k: how many rows.
        never: offset of classes it never saw, low enough that they cannot win.
    """
    if len(classes) == 2:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    rows, offsets = np.zeros((k, weight.shape[1])), np.full(k, never)
    rows[classes], offsets[classes] = weight, bias
    return rows, offsets
