"""Matching batches of a labelled source and a target."""

from __future__ import annotations

import torch

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.streams.base import Stream, unlabelled
from acclimate.streams.order import DomainStream, Weigh
from acclimate.types import UNLABELLED, Batch


class PairedStream(Stream[Batch]):
    """Draws matching source and target batches.

    Args:
        source: labelled source; unlabelled rows are left out.
        target: the target; rows with a given label are also drawn as `labelled_target`.
        preprocess: of both sides.
        batch_size: examples per side and step.
        seed: the run's seed.
        process: see `DomainStream`.
        weigh: gives the labels of a labelled set their weights; None where all examples count alike.

    Attributes:
        labelled_share: share of the target's examples whose labels are given.
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
            own = preprocess.of(side.removeprefix("labelled_"))
            weights = None if weigh is None or side == "target" else weigh(domain.labels)
            return DomainStream(domain, own, size, seed, side, process, weights=weights)

        given = target.labels != UNLABELLED
        streams = {"source": stream(labelled_rows(source), "source", batch_size)}
        streams["target"] = stream(target, "target", batch_size)
        if given.any():
            size = labelled_size(int(given.sum()), batch_size, process)
            streams["labelled_target"] = stream(target.take(given), "labelled_target", size)
        super().__init__(streams, batch_size, process)
        self.labelled_share = float(given.mean())

    def batch(self, progress: float, device: torch.device) -> Batch:
        """The next batch, on `device`; `progress` is handed through."""
        drawn = {side: next(stream).to(device) for side, stream in self.streams.items()}
        labelled = drawn.get("labelled_target")
        return Batch(drawn["source"], unlabelled(drawn["target"]), progress, labelled, self.labelled_share)


def labelled_rows(domain: Domain) -> Domain:
    """The examples that have a label."""
    labelled = domain.labels != UNLABELLED
    return domain if labelled.all() else domain.take(labelled)


def labelled_size(n: int, batch_size: int, process: tuple[int, int]) -> int:
    """How many of n labelled examples a batch holds.

    Two at least in each process, if need be the same one twice: batch norm cannot normalise a single one.
    """
    return max(2 * process[1], min(batch_size, n))
