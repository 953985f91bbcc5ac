"""Batches of a target alone."""

from __future__ import annotations

import torch

from acclimate.data.domain import Domain
from acclimate.data.preprocess import OneSide
from acclimate.streams.base import Stream, unlabelled
from acclimate.streams.order import DomainStream
from acclimate.types import TargetBatch


class TargetStream(Stream[TargetBatch]):
    """Draws target batches; no source is handed in, so none can be seen.

    Args:
        target: the target.
        preprocess: of the target.
        batch_size: examples per step.
        seed: the run's seed.
        process: see `DomainStream`.
    """

    def __init__(
        self, target: Domain, preprocess: OneSide, batch_size: int, seed: int, process: tuple[int, int] = (0, 1)
    ) -> None:
        stream = DomainStream(target, preprocess, batch_size, seed, "target", process)
        super().__init__({"target": stream}, batch_size, process)

    def batch(self, progress: float, device: torch.device) -> TargetBatch:
        """The next batch, on `device`; `progress` is handed through."""
        return TargetBatch(unlabelled(next(self.streams["target"]).to(device)), progress)
