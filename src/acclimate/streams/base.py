"""The contract of a stream: batches of one form, drawn of one or more domains, each in an order of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from acclimate.streams.order import DomainStream
from acclimate.types import UNLABELLED, Examples

B = TypeVar("B")


class Stream(ABC, Generic[B]):
    """Draws batches; the only place where they are made.

    Args:
        streams: of each domain that is drawn of, by its side's name.
        batch_size: examples per side and step, over all processes.
        process: this process's number, and how many there are.

    Attributes:
        streams: as given.
        share: this process's share of a batch, in (0, 1].
    """

    def __init__(self, streams: Mapping[str, DomainStream], batch_size: int, process: tuple[int, int]) -> None:
        rank, processes = process
        self.streams = dict(streams)
        self.share = len(np.array_split(range(batch_size), processes)[rank]) / batch_size

    @abstractmethod
    def batch(self, progress: float, device: torch.device) -> B:
        """The next batch, on `device`; `progress` is handed through."""

    def positions(self) -> dict[str, dict[str, int]]:
        """Where each side's order stands, the same in every process."""
        return {side: stream.indices.state_dict() for side, stream in self.streams.items()}

    def go_to(self, positions: Mapping[str, dict[str, int]]) -> None:
        """Go to what `positions` gave."""
        for side, stream in self.streams.items():
            stream.indices.load_state_dict(positions[side])

    def generators(self) -> dict[str, Tensor]:
        """The states of each side's augmentation, this process's own."""
        return {side: stream.generator.get_state() for side, stream in self.streams.items()}

    def set_generators(self, states: Mapping[str, Tensor]) -> None:
        """Go to what `generators` gave."""
        for side, stream in self.streams.items():
            stream.generator.set_state(states[side])


def unlabelled(examples: Examples) -> Examples:
    """The same inputs without a label or a weight."""
    return Examples(examples.x, torch.full_like(examples.y, UNLABELLED))
