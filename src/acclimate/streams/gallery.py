"""Batches of queries with the gallery's items that they show, and as many drawn items."""

from __future__ import annotations

import numpy as np
import torch

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.streams.base import Stream
from acclimate.streams.order import DomainStream
from acclimate.streams.pair import labelled_rows, labelled_size
from acclimate.types import UNLABELLED, Examples, GalleryBatch


class CounterpartStream(Stream[GalleryBatch]):
    """Batches whose items begin with what each query shows.

    Query i of a batch, a sketch, gets the item that it was made from as item i; where that is not known or not there,
    one of its class, drawn. As many more are drawn from all that are labelled.

    Args:
        source: labelled queries, each of whose classes has a labelled item.
        target: the gallery.
        own: int `(n_source,)`, the row of the target that each query was made from; −1 where none is known.
        preprocess: of both sides.
        batch_size: queries of a step.
        seed: the run's seed.
        process: see `DomainStream`.
    """

    def __init__(
        self,
        source: Domain,
        target: Domain,
        own: np.ndarray,
        preprocess: AnyPreprocess,
        batch_size: int,
        seed: int,
        process: tuple[int, int] = (0, 1),
    ) -> None:
        given = np.flatnonzero(target.labels != UNLABELLED)
        queries, items = labelled_rows(source), target.take(given)
        size = labelled_size(len(given), batch_size, process)
        of_queries = DomainStream(queries, preprocess.of("source"), batch_size, seed, "source", process)
        of_items = DomainStream(items, preprocess.of("target"), size, seed, "labelled_target", process)
        super().__init__({"source": of_queries, "labelled_target": of_items}, batch_size, process)
        place = np.full(len(target) + 1, -1)
        place[given] = np.arange(len(given))
        self._own = place[own[source.labels != UNLABELLED]]
        self._of_class = [np.flatnonzero(items.labels == k) for k in range(len(source.classes))]

    def batch(self, progress: float, device: torch.device) -> GalleryBatch:
        """The next batch, on `device`."""
        streams = self.streams
        rows, further = streams["source"].draw(), streams["labelled_target"].draw()
        own = self._own[rows]
        mates = np.array([self._mate(int(k)) for k in streams["source"].domain.labels[rows]])
        shown = np.concatenate([np.where(own >= 0, own, mates), further])
        queries, items = (
            Examples(e.x.to(device), e.y.to(device))
            for e in (streams["source"].at(rows), streams["labelled_target"].at(shown))
        )
        very_own = torch.from_numpy((own >= 0)[:, None] & (own[:, None] == shown)).to(device)
        return GalleryBatch(queries, items, very_own, progress)

    def _mate(self, label: int) -> int:
        """An item of that class, drawn."""
        rows = self._of_class[label]
        generator = self.streams["labelled_target"].generator
        return int(rows[int(torch.randint(len(rows), (1,), generator=generator))])
