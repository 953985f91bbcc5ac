"""Seeds of a training's own draws."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import torch

_turn = threading.RLock()


def training_seed(seed: int, rank: int) -> int:
    """What a process's own draws, such as dropout masks, are seeded with: each process gets its own."""
    return seed + 1 if rank == 0 else int(np.random.SeedSequence([seed, rank]).generate_state(1)[0])


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's own generators inside, and give the caller's state back afterwards.

    Dropout and weights are drawn from those generators, of which a process has one set: two threads that seed and
    draw take turns, a whole training at a time, so that each draws what it would alone. Other code that draws from
    them in another thread meanwhile does mix in.
    """
    devices: Sequence[int] = [device.index or 0] if device.type == "cuda" else []
    with _turn, torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
