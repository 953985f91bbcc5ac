"""Linear classifiers of every pair of classes, which vote: libsvm's way with several classes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.networks.adopted import Adopted


class OneAgainstOne(Adopted):
    """Each pair of classes votes for one of its two, and the most votes win; of equals the first class, as in libsvm.

        logit_c = votes_c − c / 2k

    So its softmax tells how many votes ahead an answer is, and nothing of margins.

    Args:
        num_classes: k; a class that no pair knows has no vote.

    Attributes:
        rows: `(m, d)`, one for each of m pairs.
        bias: `(m,)`.
        handicap: −c / 2k `(k,)`.
        voters: `(k, m)`: 1 for the first class of a pair, which a margin above 0 is for, −1 for the second.
    """

    rows: Tensor
    bias: Tensor
    handicap: Tensor
    voters: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(1, 1))
        self.register_buffer("bias", torch.zeros(1))
        self.register_buffer("handicap", -torch.arange(num_classes) / (2 * num_classes))
        self.register_buffer("voters", torch.zeros(num_classes, 1))

    def set_pairs(self, weight: np.ndarray, bias: np.ndarray, classes: np.ndarray) -> None:
        """Set the margins.

        Args:
            weight: `(m, d)`, in the order of pairs (0, 1), (0, 2), … of `classes`; above 0 is for the first.
            bias: `(m,)`.
            classes: `classes_`, the numbers of the classes.
        """
        voters = np.zeros((len(self.voters), len(weight)))
        for pair, (first, second) in enumerate(combinations(classes, 2)):
            voters[first, pair], voters[second, pair] = 1, -1
        self.adopt(rows=weight, bias=bias, voters=voters)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, …)` to `(b, k)`."""
        x = x.flatten(1)
        if self.rows.shape[1] != x.shape[1]:
            return x.new_zeros(x.shape[0], self.voters.shape[0])
        margins = F.linear(x, self.rows, self.bias)
        first = (margins > 0).to(margins)
        votes = first @ self.voters.clamp(min=0).T + (1 - first) @ (-self.voters).clamp(min=0).T
        return votes + self.handicap
