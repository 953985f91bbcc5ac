"""Generated images made in blocks, each from its own seed: in any number of processes, in any order, or one alone."""

from __future__ import annotations

import math
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.catalog.generated import Generated
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder
from acclimate.errors import WorkError

BLOCK = 4_096

Render = Callable[[str, int, int], tuple[np.ndarray, np.ndarray]]


class InBlocks(Generated):
    """Colour images that are drawn block by block, on all cores.

    Class facts, besides those of `Generated`:

    - `side`: pixels a side.
    """

    side: ClassVar[int]

    @staticmethod
    @abstractmethod
    def render(split: str, number: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Images of a block, uint8 `(size, side, side, 3)`, and labels `(size,)`; the same whatever else is drawn.

        Args:
            split: one of `splits`.
            number: of the block, from 0.
            size: images in it, 4,096 but for the last.
        """

    def parse(self, raw: Path, split: str) -> Domain:
        """Draw the split, on all cores, into a temporary file beside its final place.

        Raises:
            WorkError: if the disk has no room for it.
        """
        folder = arrays_folder(self.name, split).parent
        folder.mkdir(parents=True, exist_ok=True)
        shape = (self.sizes[split], self.side, self.side, 3)
        _check_room(folder, 2 * math.prod(shape))
        with tempfile.TemporaryFile(dir=folder) as file:
            images = np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
        labels = np.empty(len(images), dtype=np.int64)
        start = 0
        for block, block_labels in _blocks(self.render, len(images), split):
            stop = start + len(block)
            images[start:stop], labels[start:stop] = block, block_labels
            start = stop
        return self.domain(split, images, labels)


def _blocks(render: Render, n: int, split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All blocks of a split of n images, in order, drawn on all cores."""
    import joblib
    from rich.console import Console
    from rich.progress import track

    sizes = [min(BLOCK, n - start) for start in range(0, n, BLOCK)]
    jobs = (joblib.delayed(render)(split, number, size) for number, size in enumerate(sizes))
    workers = min(joblib.cpu_count(), len(sizes))
    console = Console(stderr=True)
    yield from track(
        joblib.Parallel(n_jobs=workers, return_as="generator")(jobs),
        f"Drawing {n:,} images",
        total=len(sizes),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _check_room(folder: Path, size: int) -> None:
    """Refuse to start what cannot be finished: a full disk would kill the process, not raise an error.

    Raises:
        WorkError: if the disk has less than `size` bytes free.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise WorkError(
            f"Drawing these images takes {size / 1e9:.1f} GB in {folder}, and {free / 1e9:.1f} GB are free. "
            "Free some space or set ACCLIMATE_DATA to a folder elsewhere."
        )
