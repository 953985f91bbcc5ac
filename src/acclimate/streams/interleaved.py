"""Batches of a source and a target in which labelled target examples take turns with the others."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from acclimate.streams.base import Stream, unlabelled
from acclimate.streams.pair import PairedStream
from acclimate.types import InterleavedBatch


class InterleavedStream(Stream[InterleavedBatch]):
    """A labelled target batch comes in every r-th step only, the last of each r, in place of the target batch.

    r is such that a labelled example is seen as often as any other, n / n_labelled where a batch is full.

    Args:
        pair: has the orders that are drawn in.

    Attributes:
        labelled_share: that of the pair.
        every: r; 1 where no label is given.
    """

    def __init__(self, pair: PairedStream) -> None:
        target = pair.streams["target"]
        super().__init__(pair.streams, target.batch_size, target.process)
        self.labelled_share, self.every, self._step = pair.labelled_share, 1, 0
        if (labelled := self.streams.get("labelled_target")) is not None:
            full = max(1, len(labelled.domain) / labelled.batch_size)
            self.every = max(1, round(len(target.domain) / target.batch_size / full))

    def batch(self, progress: float, device: torch.device) -> InterleavedBatch:
        """The next batch, on `device`; `progress` is handed through."""
        side = self._turn()
        source, seen = (next(self.streams[name]).to(device) for name in ("source", side))
        labelled = seen if side == "labelled_target" else None
        return InterleavedBatch(source, unlabelled(seen), progress, labelled, self.labelled_share)

    def _turn(self) -> str:
        """Whose batch the next step gets beside the source's."""
        if "labelled_target" not in self.streams:
            return "target"
        self._step += 1
        return "target" if self._step % self.every else "labelled_target"

    def positions(self) -> dict[str, dict[str, int]]:
        """Where each side's order stands, and whose turn it is."""
        return super().positions() | {"turn": {"step": self._step}}

    def go_to(self, positions: Mapping[str, dict[str, int]]) -> None:
        """Go to what `positions` gave."""
        super().go_to(positions)
        self._step = positions["turn"]["step"]
