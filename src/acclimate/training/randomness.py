"""Seeds of a training's own draws."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch


def training_seed(seed: int, rank: int) -> int:
    """What a process's own draws, such as dropout masks, are seeded with: each process gets its own."""
    return seed + 1 if rank == 0 else int(np.random.SeedSequence([seed, rank]).generate_state(1)[0])


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's own generators inside, and give the caller's state back afterwards."""
    devices: Sequence[int] = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
