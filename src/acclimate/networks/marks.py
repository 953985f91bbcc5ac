"""Two marks on a scale of doubt, below and above which examples are believed; computed, not learnt."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Marks(nn.Module):
    """What is believed to be known lies at or below `known`, what is believed unknown at or above `unknown`.

    Nothing is believed before the first round.
    """

    known: Tensor
    unknown: Tensor
    rounds: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("known", torch.tensor(-1.0))
        self.register_buffer("unknown", torch.tensor(2.0))
        self.register_buffer("rounds", torch.zeros((), dtype=torch.int64))

    def set(self, doubts: np.ndarray, share: float) -> None:
        """Take a round's marks: the mean parts doubts, and of each side that share is believed, from its far end.

        Args:
            doubts: `(n,)` in [0, 1].
            share: in [0, 1].
        """
        low, high = doubts[doubts <= doubts.mean()], doubts[doubts > doubts.mean()]
        self.known.fill_(float(np.quantile(low, share)))
        self.unknown.fill_(float(np.quantile(high, 1 - share)) if len(high) else 2.0)
        self.rounds += 1
