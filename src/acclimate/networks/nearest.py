"""The nearest neighbour by Euclidean distance, as a network."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from torch.nn import functional as F

from acclimate.networks.adopted import Adopted

_NEVER, _PROBES = -1e9, 1_000


class Nearest(Adopted):
    """One logit a class: how near the nearest of its rows r_i is.

        logit_c = max over i of class c of (x · r_i − ‖r_i‖² / 2) / s²

    That is −‖x − r_i‖² / (2 s²) but for what all classes share, so the largest logit is the nearest neighbour's, and
    a softmax knows how much farther the others are. s² is the mean squared distance of rows to their nearest other.

    Args:
        num_classes: k; a class without rows can never win.

    Attributes:
        rows: r_i / s² `(n, d)`; one of zeros before `store`.
        offsets: −‖r_i‖² / (2 s²) `(n,)`.
        labels: classes of the rows `(n,)`.
        unseen: what a class without rows has, `(k,)`.
    """

    rows: Tensor
    offsets: Tensor
    labels: Tensor
    unseen: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(1, 1))
        self.register_buffer("offsets", torch.zeros(1))
        self.register_buffer("labels", torch.zeros(1, dtype=torch.long))
        self.register_buffer("unseen", torch.full((num_classes,), _NEVER))

    def store(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """Take over rows `(n, d)` and their classes `(n,)`."""
        scale = _squared_gap(rows)
        self.adopt(rows=rows / scale, offsets=-np.square(rows).sum(axis=1) / (2 * scale), labels=labels)

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(b, k)` of inputs `(b, …)`."""
        x = x.flatten(1)
        if self.rows.shape[1] != x.shape[1]:
            return torch.zeros_like(self.unseen).expand(x.shape[0], -1)
        scores = F.linear(x, self.rows, self.offsets)
        places = self.labels.expand(x.shape[0], -1)
        return self.unseen.repeat(x.shape[0], 1).scatter_reduce(1, places, scores, "amax")


def _squared_gap(rows: np.ndarray) -> float:
    """Mean squared distance of rows, or of a thousand of them evenly taken, to the nearest other; 1 where it is 0."""
    probes = rows[:: -(-len(rows) // _PROBES)]
    if len(rows) < 2:
        return 1.0
    gaps, _ = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(rows).kneighbors(probes)
    return float(np.square(gaps[:, 1]).mean()) or 1.0
