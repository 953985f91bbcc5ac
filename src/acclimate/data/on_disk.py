"""`RowsOnDisk`: features that stay in a file and are read as they are needed, for data larger than memory.

A memory map would do without this class, but what was once touched stays resident until the system wants it back, and
a file that is cut short ends the process. Reading takes no more than it is asked for, and says which file is damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

import numpy as np

from acclimate.errors import WorkError

AT_ONCE = 2**16  # rows of a block, where a pass is made over all
_FLOAT = np.dtype("<f4")
_GAP = 64  # rows that are read along rather than leapt over
_SMALL = 2**24  # bytes that a choice of rows may take in memory


@dataclass(frozen=True, eq=False)
class RowsOnDisk:
    """Rows of float32 in a file.

    Takes part where an array `(n, d)` would: `len`, `shape`, `dtype`, and indexing along the first axis, which reads.

    Attributes:
        path: the file, which holds nothing else.
        width: d.
        chosen: which rows of the file these are, ascending `(n,)`; None for all of them.
        height: rows of the file.
    """

    path: Path
    width: int
    height: int
    chosen: np.ndarray | None = None

    ndim = 2
    dtype = _FLOAT

    def __len__(self) -> int:
        return self.height if self.chosen is None else len(self.chosen)

    @property
    def shape(self) -> tuple[int, int]:
        """`(n, d)`."""
        return len(self), self.width

    @property
    def nbytes(self) -> int:
        """What they would take in memory."""
        return len(self) * self.row_bytes

    @property
    def row_bytes(self) -> int:
        """What one of them takes."""
        return self.width * _FLOAT.itemsize

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """These rows as an array, in their order.

        Raises:
            WorkError: if the file cannot be read, or has become shorter.
        """
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if self.chosen is None and step == 1:
                return self._runs([(start, max(start, stop))])
            rows = np.arange(start, stop, step)
        elif rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return self._gathered(rows if self.chosen is None else self.chosen[rows])

    def take(self, rows: np.ndarray) -> RowsOnDisk | np.ndarray:
        """Some of the rows, by ascending indices: an array where these are few, else read as they are needed."""
        if len(rows) * self.row_bytes <= _SMALL or (np.diff(rows) < 0).any():
            return self[rows]
        return replace(self, chosen=rows if self.chosen is None else self.chosen[rows])

    def blocks(self, rows: int = AT_ONCE) -> Iterator[np.ndarray]:
        """All rows, some at a time."""
        for start in range(0, len(self), rows):
            yield self[start : start + rows]

    def _gathered(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the file in any order: read from the first to the last, then put in theirs."""
        if not len(rows):
            return np.empty((0, self.width), np.float32)
        wanted, places = np.unique(rows, return_inverse=True)
        cuts = np.flatnonzero(np.diff(wanted) > _GAP) + 1
        firsts, lasts = np.append(0, cuts), np.append(cuts, len(wanted)) - 1
        starts, stops = wanted[firsts], wanted[lasts] + 1
        read = self._runs(list(zip(starts.tolist(), stops.tolist(), strict=True)))
        before = np.cumsum(stops - starts) - (stops - starts)  # rows read before each run
        run = np.repeat(np.arange(len(starts)), lasts - firsts + 1)
        return np.asarray(read[(before[run] + wanted - starts[run])[places]])

    def _runs(self, runs: list[tuple[int, int]]) -> np.ndarray:
        """Rows from each of these to the one after its last, one run after the other."""
        rows = np.empty((sum(stop - start for start, stop in runs), self.width), _FLOAT)
        at = 0
        try:
            with self.path.open("rb", buffering=0) as file:
                for start, stop in runs:
                    file.seek(start * self.row_bytes)
                    self._fill(file, rows[at : at + stop - start])
                    at += stop - start
        except OSError as error:
            raise WorkError(f"{self.path} cannot be read: {error.strerror or error}. {_AGAIN}") from None
        return rows.astype(np.float32, copy=False)

    def _fill(self, file: FileIO, rows: np.ndarray) -> None:
        left = rows.reshape(-1).view(np.uint8).data
        while left.nbytes:
            if not (count := file.readinto(left)):
                raise WorkError(f"{self.path} is shorter than it was when the table was read. {_AGAIN}")
            left = left[count:]


_AGAIN = "Go on with `acclimate resume`: the table is then read again."
