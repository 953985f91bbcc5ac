"""Batches of a source, of the target's few labelled examples, and of its others."""

from __future__ import annotations

import torch

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.streams.base import Stream, unlabelled
from acclimate.streams.order import DomainStream, Weigh
from acclimate.streams.pair import labelled_rows, labelled_size
from acclimate.types import UNLABELLED, DisjointBatch


class DisjointStream(Stream[DisjointBatch]):
    """Draws a target batch that leaves out what the labelled one holds; no example comes twice in a batch.

    Arguments as for `PairedStream`. A side with fewer examples than a batch gives each of them once, features in
    stored order: such a batch is the same in every step.
    """

    def __init__(
        self,
        source: Domain,
        target: Domain,
        preprocess: AnyPreprocess,
        batch_size: int,
        seed: int,
        process: tuple[int, int] = (0, 1),
        *,
        weigh: Weigh | None = None,
    ) -> None:
        def stream(domain: Domain, side: str, size: int) -> DomainStream:
            size = max(2 * process[1], min(size, len(domain)))
            whole = process[1] == 1 and size == len(domain) and domain.kind == "features"
            own = preprocess.of(side.removeprefix("labelled_"))
            weights = None if weigh is None or side == "target" else weigh(domain.labels)
            return DomainStream(domain, own, size, seed, side, process, whole, weights)

        given = target.labels != UNLABELLED
        streams = {"source": stream(labelled_rows(source), "source", batch_size)}
        streams["target"] = stream(target.take(~given) if given.any() else target, "target", batch_size)
        if given.any():
            size = labelled_size(int(given.sum()), batch_size, process)
            streams["labelled_target"] = stream(target.take(given), "labelled_target", size)
        super().__init__(streams, batch_size, process)

    def batch(self, progress: float, device: torch.device) -> DisjointBatch:
        """The next batch, on `device`; `progress` is handed through."""
        drawn = {side: next(stream).to(device) for side, stream in self.streams.items()}
        return DisjointBatch(drawn["source"], unlabelled(drawn["target"]), drawn["labelled_target"], progress)
