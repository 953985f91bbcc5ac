"""The order of examples that are read from disk: far ones in turn, near ones from one window in memory.

A pass draws the blocks of the file in random order. So many of them as fill a window are read, each in one go, and
their rows are drawn in random order before the next window is read. Order, windows and rows follow from (seed, epoch)
alone, as those of `IndexStream` do, and a position is a few integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acclimate.data.on_disk import RowsOnDisk

# Bytes that are read in one go, which disks do nearly as fast as reading on, and that are held of each side.
BLOCK, WINDOW = 2**18, 2**26


@dataclass(frozen=True, slots=True)
class Shape:
    """How an order is cut.

    Attributes:
        block: rows of a block, a whole number of batches.
        window: blocks of a window.
    """

    block: int
    window: int

    @classmethod
    def of(cls, rows: RowsOnDisk, batch_size: int) -> Shape:
        """For batches of that size."""
        block = max(1, BLOCK // (rows.row_bytes * batch_size)) * batch_size
        return cls(block, max(1, WINDOW // (rows.row_bytes * block)))


class WindowedOrder:
    """Endless batches of indices into `n` rows on disk, those of one window after those of another.

    As an `IndexStream` does, it drops the incomplete batch at the end of a pass: windows hold whole batches, but for
    the one that has the end of the file.

    Args:
        n: number of rows, a batch or more.
        batch_size: indices per batch.
        seed: any integers; equal seeds give equal orders.
        shape: how it is cut.
    """

    def __init__(self, n: int, batch_size: int, seed: tuple[int, ...], shape: Shape) -> None:
        self.n, self.batch_size, self.seed, self.shape = n, batch_size, seed, shape
        self.epoch = self.window = self._position = 0
        self._order = self._rows()

    def __next__(self) -> np.ndarray:
        """The next `(batch_size,)` indices."""
        while self._position + self.batch_size > len(self._order):
            last = self.window + 1 == self._windows
            self._go_to(self.epoch + last, 0 if last else self.window + 1, 0)
        start, self._position = self._position, self._position + self.batch_size
        return self._order[start : self._position]

    @property
    def blocks(self) -> np.ndarray:
        """The blocks of the window that the last batch was drawn of."""
        count = -(-self.n // self.shape.block)
        drawn = np.random.default_rng([*self.seed, self.epoch]).permutation(count)
        return drawn[self.window * self.shape.window : (self.window + 1) * self.shape.window]

    @property
    def _windows(self) -> int:
        return -(-self.n // (self.shape.block * self.shape.window))

    def _go_to(self, epoch: int, window: int, position: int) -> None:
        self.epoch, self.window, self._position = epoch, window, position
        self._order = self._rows()

    def _rows(self) -> np.ndarray:
        """The rows of this window in the order in which they are drawn."""
        starts = self.blocks * self.shape.block
        rows = np.concatenate([np.arange(start, min(start + self.shape.block, self.n)) for start in starts])
        return np.random.default_rng([*self.seed, self.epoch, self.window]).permutation(rows)

    def state_dict(self) -> dict[str, int]:
        """The exact position, and how the order is cut."""
        at = {"epoch": self.epoch, "window": self.window, "position": self._position}
        return {**at, "rows_of_block": self.shape.block, "blocks_of_window": self.shape.window}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go to a position that `state_dict` gave."""
        self.shape = Shape(state["rows_of_block"], state["blocks_of_window"])
        self._go_to(state["epoch"], state["window"], state["position"])


class WindowRows:
    """Rows on disk by their indices, for whoever walks a `WindowedOrder`: one window of them is in memory.

    Args:
        rows: on disk.
        order: says which window it is.
    """

    def __init__(self, rows: RowsOnDisk, order: WindowedOrder) -> None:
        self.rows, self.order = rows, order
        self._held: tuple[int, ...] = ()
        self._window, self._places = np.empty((0, rows.width), np.float32), np.empty(0, np.int64)

    def __getitem__(self, index: np.ndarray) -> np.ndarray:
        """The rows `(b, d)` with these indices, which the order has just given."""
        block = self.order.shape.block
        if self._held != (now := (self.order.epoch, self.order.window, block)):
            self._read(self.order.blocks, block)
            self._held = now
        return np.asarray(self._window[self._places[index // block] + index % block])

    def _read(self, blocks: np.ndarray, size: int) -> None:
        parts = [self.rows[start : start + size] for start in (blocks * size).tolist()]
        self._places = np.full(-(-len(self.rows) // size), -1, np.int64)
        self._places[blocks] = np.cumsum([0, *map(len, parts[:-1])])
        self._window = np.concatenate(parts)
