"""Batches of several labelled sources and a target."""

from __future__ import annotations

import numpy as np
import torch

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.data.sources import by_origin
from acclimate.streams.base import Stream, unlabelled
from acclimate.streams.order import DomainStream, Weigh
from acclimate.streams.pair import labelled_size
from acclimate.types import UNLABELLED, SeveralBatch


class SeveralStream(Stream[SeveralBatch]):
    """Draws as many examples of each source as of the target; a small source is gone through more often.

    Arguments as for `PairedStream`, with a source by `data.sources.joined`.
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
        def stream(domain: Domain, side: str, size: int, seed: int) -> DomainStream:
            own = preprocess.of("source" if side == "source" else "target")
            weights = None if weigh is None or side == "target" else weigh(domain.labels)
            return DomainStream(domain, own, size, seed, side, process, weights=weights)

        # Each source has an order of its own: sources of one size would else be drawn in step.
        parts = by_origin(source)
        self._sources = tuple(f"source {i}" for i in range(len(parts)))
        streams = {
            name: stream(part, "source", batch_size, _own_seed(seed, i))
            for i, (name, part) in enumerate(zip(self._sources, parts, strict=True))
        }
        streams["target"] = stream(target, "target", batch_size, seed)
        given = target.labels != UNLABELLED
        if given.any():
            size = labelled_size(int(given.sum()), batch_size, process)
            streams["labelled_target"] = stream(target.take(given), "labelled_target", size, seed)
        super().__init__(streams, batch_size, process)
        self.labelled_share = float(given.mean())

    def batch(self, progress: float, device: torch.device) -> SeveralBatch:
        """The next batch, on `device`; `progress` is handed through."""
        drawn = {name: next(stream).to(device) for name, stream in self.streams.items()}
        sources = tuple(drawn[name] for name in self._sources)
        labelled = drawn.get("labelled_target")
        return SeveralBatch(sources, unlabelled(drawn["target"]), progress, labelled, self.labelled_share)


def _own_seed(seed: int, source: int) -> int:
    return int(np.random.SeedSequence([seed, source]).generate_state(1)[0])
