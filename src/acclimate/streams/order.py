"""Endless, seeded, resumable orders of examples, and one pass over all of them.

Each side has its own order: an endless run of permutations, drawn from (seed, side, epoch) alone. Which examples
step t sees therefore depends on nothing else, and a stream's position is two integers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from acclimate.data.domain import Domain
from acclimate.data.on_disk import RowsOnDisk
from acclimate.data.preprocess import OneSide
from acclimate.streams.windows import Shape, WindowedOrder, WindowRows
from acclimate.types import Examples

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
    _indices: IndexStream | WindowedOrder = field(init=False, repr=False)
    _inputs: Any = field(init=False, repr=False)
    _generator: torch.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        side = _SIDES[self.side]
        self._indices, self._inputs = self._order((self.seed, side))
        rank, _ = self.process
        seed = int(np.random.SeedSequence([self.seed, side, rank]).generate_state(1)[0])
        self._generator = torch.Generator().manual_seed(seed)

    def _order(self, seed: tuple[int, ...]) -> tuple[IndexStream | WindowedOrder, Any]:
        """The order of the examples, and what gives their inputs by their indices."""
        n, inputs = len(self.domain), self.domain.inputs
        if not isinstance(inputs, RowsOnDisk) or n < self.batch_size:
            return IndexStream(n, self.batch_size, seed), inputs
        order = WindowedOrder(n, self.batch_size, seed, Shape.of(inputs, self.batch_size))
        return order, WindowRows(inputs, order)

    def __next__(self) -> Examples:
        return self._everything if self.whole else self.at(self.draw())

    def draw(self) -> np.ndarray:
        """The next indices, this process's own slice."""
        rank, size = self.process
        return np.array_split(next(self._indices), size)[rank]

    def at(self, index: np.ndarray) -> Examples:
        """The examples with these indices, as a batch for training."""
        x = self.preprocess.batch(self._inputs[index], self._generator)
        return _examples(x, self.domain.answers[index], None if self.weights is None else self.weights[index])

    @cached_property
    def _everything(self) -> Examples:
        """All examples in stored order: a batch that holds each of them once is the same in every step."""
        return _examples(self.preprocess.batch(self.domain.inputs[:], None), self.domain.answers, self.weights)

    @property
    def indices(self) -> IndexStream | WindowedOrder:
        """The order of the examples, with its position."""
        return self._indices

    @property
    def generator(self) -> torch.Generator:
        """What this process's augmentation draws from."""
        return self._generator


def _examples(x: Tensor, labels: np.ndarray, weights: np.ndarray | None) -> Examples:
    return Examples(x, torch.from_numpy(labels), None if weights is None else torch.from_numpy(weights))


def ordered(
    domain: Domain,
    preprocess: OneSide,
    batch_size: int,
    device: torch.device,
    weights: np.ndarray | None = None,
    ends: np.ndarray | None = None,
) -> Iterator[Examples]:
    """One pass over `domain` in stored order, without augmentation, in batches of nearly equal size.

    A batch holds `batch_size` examples or a few more, rather than the last one a few: a batch of one has no variance,
    and a small one would count as much as a full one where batches are averaged. An empty domain has none. With
    `ends`, batches go from each of these rows to the next instead.
    """
    if not len(domain):
        return
    for start, end in itertools.pairwise(edges(len(domain), batch_size) if ends is None else ends):
        x = preprocess.batch(domain.inputs[start:end], None)
        part = None if weights is None else weights[start:end]
        yield _examples(x, domain.answers[start:end], part).to(device)


def edges(n: int, batch_size: int) -> np.ndarray:
    """Where the batches of `ordered` begin, and where the last one ends: at least two of `n` examples or none."""
    return np.linspace(0, n, max(1, n // batch_size) + 1).round().astype(int)
