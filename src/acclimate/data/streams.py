"""Endless, seeded, resumable streams of paired source and target batches.

Each side has its own order: an endless run of permutations, drawn from (seed, side, epoch) alone. Which examples
step t sees therefore depends on nothing else, and a stream's position is two integers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess, OneSide
from acclimate.types import UNLABELLED, Batch, Examples

Weigh = Callable[[np.ndarray], np.ndarray]

_SIDES = {"source": 1, "target": 2, "labelled_target": 3}


class IndexStream:
    """Endless batches of indices into `n` examples.

    A batch never spans two permutations: the incomplete batch at the end of one is dropped, as the reference
    loops of the field do. Only where there are fewer examples than a batch holds do permutations follow each
    other inside a batch, so that every batch has the same size.

    Args:
        n: number of examples.
        batch_size: indices per batch.
        seed: any integers; equal seeds give equal orders.
    """

    def __init__(self, n: int, batch_size: int, seed: tuple[int, ...]) -> None:
        self.n, self.batch_size, self.seed = n, batch_size, seed
        self._epoch, self._position = 0, 0
        self._order = self._permutation(0)

    def _permutation(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([*self.seed, epoch]).permutation(self.n)

    def __next__(self) -> np.ndarray:
        """The next `(batch_size,)` indices."""
        left = self.n - self._position
        if left >= self.batch_size:
            start = self._position
            self._position += self.batch_size
            return self._order[start : self._position]
        if self.n >= self.batch_size:
            self._turn(position=self.batch_size)
            return self._order[: self.batch_size]
        parts = [self._order[self._position :]]
        missing = self.batch_size - left
        while missing > 0:
            self._turn(position=min(missing, self.n))
            parts.append(self._order[: self._position])
            missing -= self.n
        return np.concatenate(parts)

    def _turn(self, position: int) -> None:
        self._epoch += 1
        self._order = self._permutation(self._epoch)
        self._position = position

    def state_dict(self) -> dict[str, int]:
        """The exact position."""
        return {"epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go to a position that `state_dict` gave."""
        self._epoch, self._position = state["epoch"], state["position"]
        self._order = self._permutation(self._epoch)


@dataclass
class DomainStream:
    """Endless batches of one domain, ready for the networks.

    Args:
        domain: where examples come from, already fitted by `preprocess.fit`.
        preprocess: turns stored arrays into network input, with augmentation.
        batch_size: examples per batch over all processes.
        seed: the run's seed.
        side: `"source"`, `"target"` or `"labelled_target"`; each has its own order.
        process: (rank, number of processes). Every process walks the same order and keeps its own slice, so the
            global batch does not depend on how many there are.
        whole: that every batch is to hold each example once, in stored order.
        weights: how much each example of the domain counts, `(n,)`; None where all count alike.
    """

    domain: Domain
    preprocess: OneSide
    batch_size: int
    seed: int
    side: str
    process: tuple[int, int] = (0, 1)
    whole: bool = False
    weights: np.ndarray | None = None
    _indices: IndexStream = field(init=False, repr=False)
    _generator: torch.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        side = _SIDES[self.side]
        self._indices = IndexStream(len(self.domain), self.batch_size, (self.seed, side))
        rank, _ = self.process
        seed = int(np.random.SeedSequence([self.seed, side, rank]).generate_state(1)[0])
        self._generator = torch.Generator().manual_seed(seed)

    def __next__(self) -> Examples:
        return self._everything if self.whole else self.at(self.draw())

    def draw(self) -> np.ndarray:
        """The next indices, this process's own slice."""
        rank, size = self.process
        return np.array_split(next(self._indices), size)[rank]

    def at(self, index: np.ndarray) -> Examples:
        """The examples with these indices, as a batch for training."""
        x = self.preprocess.batch(self.domain.inputs[index], self._generator)
        return _examples(x, self.domain.labels[index], None if self.weights is None else self.weights[index])

    @cached_property
    def _everything(self) -> Examples:
        """All examples in stored order: a batch that holds each of them once is the same in every step."""
        return _examples(self.preprocess.batch(self.domain.inputs, None), self.domain.labels, self.weights)

    @property
    def indices(self) -> IndexStream:
        """The order of the examples, with its position."""
        return self._indices

    @property
    def generator(self) -> torch.Generator:
        """What this process's augmentation draws from."""
        return self._generator


class PairedStream:
    """Draws matching source and target batches; the only place where batches are made.

    Args:
        source: labelled source; unlabelled rows are left out.
        target: the target; rows with a given label are also drawn as `labelled_target`.
        preprocess: of both sides.
        batch_size: examples per side and step.
        seed: the run's seed.
        process: see `DomainStream`.
        apart: whether `target` leaves out what `labelled_target` holds, and no example is drawn twice for a batch.
        weigh: gives the labels of a labelled set their weights; None where all examples count alike.
        interleaved: whether a labelled target batch comes in every r-th step only, the last of each r, in place of
            the target batch: r is such that a labelled example is seen as often as any other, n / n_labelled where
            a batch is full.

    Attributes:
        share: this process's share of a batch, in (0, 1].
        labelled_share: share of the target's examples whose labels are given.
        every: r; 1 where a labelled batch comes in every step.
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
        apart: bool = False,
        interleaved: bool = False,
        weigh: Weigh | None = None,
    ) -> None:
        def stream(domain: Domain, side: str, size: int) -> DomainStream:
            size = max(2 * processes, min(size, len(domain))) if apart else size
            whole = apart and processes == 1 and size == len(domain) and domain.kind == "features"
            own = preprocess.of(side.removeprefix("labelled_"))
            weights = None if weigh is None or side == "target" else weigh(domain.labels)
            return DomainStream(domain, own, size, seed, side, process, whole, weights)

        rank, processes = process
        self.share = len(np.array_split(range(batch_size), processes)[rank]) / batch_size
        labelled, given = source.labels != UNLABELLED, target.labels != UNLABELLED
        self.streams = {
            "source": stream(source if labelled.all() else source.take(labelled), "source", batch_size),
            "target": stream(target.take(~given) if apart and given.any() else target, "target", batch_size),
        }
        self.labelled_share = float(given.mean())
        self.interleaved, self.every, self._step = interleaved, 1, 0
        if given.any():
            # Two at least in each process, if need be the same one twice: batch norm cannot normalise a single one.
            size = max(2 * processes, min(batch_size, int(given.sum())))
            self.streams["labelled_target"] = stream(target.take(given), "labelled_target", size)
            if interleaved:
                self.every = max(1, round(len(target) / batch_size / max(1, given.sum() / size)))

    def batch(self, progress: float, device: torch.device) -> Batch:
        """The next batch, on `device`; `progress` is handed through."""
        drawn = {side: next(self.streams[side]).to(device) for side in self._turn()}
        labelled = drawn.get("labelled_target")
        seen = drawn.get("target", labelled)
        assert seen is not None
        target = Examples(seen.x, torch.full_like(seen.y, UNLABELLED))
        return Batch(drawn["source"], target, progress, labelled, self.labelled_share)

    def _turn(self) -> tuple[str, ...]:
        """Whose batches the next step gets."""
        if not self.interleaved or "labelled_target" not in self.streams:
            return tuple(self.streams)
        self._step += 1
        return "source", "target" if self._step % self.every else "labelled_target"

    def positions(self) -> dict[str, dict[str, int]]:
        """Where each side's order stands, the same in every process."""
        own = {side: stream.indices.state_dict() for side, stream in self.streams.items()}
        return own | ({"turn": {"step": self._step}} if self.interleaved else {})

    def go_to(self, positions: Mapping[str, dict[str, int]]) -> None:
        """Go to what `positions` gave."""
        for side, stream in self.streams.items():
            stream.indices.load_state_dict(positions[side])
        if self.interleaved:
            self._step = positions["turn"]["step"]

    def generators(self) -> dict[str, Tensor]:
        """The states of each side's augmentation, this process's own."""
        return {side: stream.generator.get_state() for side, stream in self.streams.items()}

    def set_generators(self, states: Mapping[str, Tensor]) -> None:
        """Go to what `generators` gave."""
        for side, stream in self.streams.items():
            stream.generator.set_state(states[side])


class CounterpartStream(PairedStream):
    """Batches of a source in which the labelled target begins with what each source example shows.

    Source example i of a batch, a sketch, gets the target example that it was made from as `labelled_target` i; where
    that is not known or not there, one of its class, drawn. As many more are drawn from all that are labelled.

    Args:
        source: labelled, every class of which has a labelled target example.
        target: the target.
        own: int `(n_source,)`, the row of the target that each source example was made from; −1 where none is known.
        preprocess: of both sides.
        batch_size: source examples of a step.
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
        super().__init__(source, target, preprocess, batch_size, seed, process)
        given = np.flatnonzero(target.labels != UNLABELLED)
        place = np.full(len(target) + 1, -1)
        place[given] = np.arange(len(given))
        self._own = place[own[source.labels != UNLABELLED]]
        labels = target.labels[given]
        self._of_class = [np.flatnonzero(labels == k) for k in range(len(source.classes))]

    def batch(self, progress: float, device: torch.device) -> Batch:
        """The next batch, on `device`."""
        streams = self.streams
        rows, further = streams["source"].draw(), streams["labelled_target"].draw()
        own = self._own[rows]
        mates = np.array([self._mate(int(k)) for k in streams["source"].domain.labels[rows]])
        photos = np.concatenate([np.where(own >= 0, own, mates), further])
        source, labelled = (
            Examples(e.x.to(device), e.y.to(device))
            for e in (streams["source"].at(rows), streams["labelled_target"].at(photos))
        )
        target = Examples(labelled.x, torch.full_like(labelled.y, UNLABELLED))
        very_own = torch.from_numpy((own >= 0)[:, None] & (own[:, None] == photos)).to(device)
        return Batch(source, target, progress, labelled, self.labelled_share, very_own)

    def _mate(self, label: int) -> int:
        """A labelled target example of that class, drawn."""
        rows = self._of_class[label]
        generator = self.streams["labelled_target"].generator
        return int(rows[int(torch.randint(len(rows), (1,), generator=generator))])


def _examples(x: Tensor, labels: np.ndarray, weights: np.ndarray | None) -> Examples:
    return Examples(x, torch.from_numpy(labels), None if weights is None else torch.from_numpy(weights))


def ordered(
    domain: Domain,
    preprocess: OneSide,
    batch_size: int,
    device: torch.device,
    weights: np.ndarray | None = None,
) -> Iterator[Examples]:
    """One pass over `domain` in stored order, without augmentation, in batches of nearly equal size.

    A batch holds `batch_size` examples or a few more, rather than the last one a few: a batch of one has no variance,
    and a small one would count as much as a full one where batches are averaged.
    """
    batches = max(1, len(domain) // batch_size)
    edges = np.linspace(0, len(domain), batches + 1).round().astype(int)
    for start, end in itertools.pairwise(edges):
        x = preprocess.batch(domain.inputs[start:end], None)
        part = None if weights is None else weights[start:end]
        yield _examples(x, domain.labels[start:end], part).to(device)
