"""The nearest vectors by comparing a query with every one of them: exact, and quick up to some 200,000."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acclimate.serving.engine import DType, Engine, ranked, read_rows, write_rows

if TYPE_CHECKING:
    import torch

_ROWS = 8192
_HALF_ROWS = 512  # converted, so many stay in the processor's cache until they are multiplied
_PAIRS = 2**25
_DEAD = -2.0
_SLACK = 4e-6  # more than a step of `ranked` and the rounding of the product together


class ExactEngine(Engine):
    """Rows in one array, those from disk memory-mapped, those added since in memory; removed ones are passed over."""

    kind = "exact"
    suffix = ".npy"

    def __init__(self, width: int, dtype: DType) -> None:
        super().__init__(width, dtype)
        self._stored = np.empty((0, width), dtype=dtype)
        self._added = np.empty((0, width), dtype=dtype)  # with room to grow
        self._keys = np.empty(0, dtype=np.int64)
        self._alive = np.empty(0, dtype=bool)

    def add(self, keys: np.ndarray, units: np.ndarray) -> None:
        """Take them, in the type of the index."""
        used, needed = len(self._keys) - len(self._stored), len(self._keys) - len(self._stored) + len(keys)
        if needed > len(self._added):
            # Twice what is needed, so that adding one by one copies each vector a few times only.
            grown = np.empty((2 * needed, self.width), dtype=self.dtype)
            grown[:used] = self._added[:used]
            self._added = grown
        self._added[used:needed] = units
        self._keys = np.concatenate([self._keys, keys])
        self._alive = np.concatenate([self._alive, np.ones(len(keys), dtype=bool)])

    def remove(self, keys: np.ndarray) -> None:
        """Mark them; their rows go with the next save."""
        self._alive[np.searchsorted(self._keys, keys)] = False

    def search(self, units: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Compare with all, in blocks of queries."""
        found_keys = np.empty((len(units), k), dtype=np.int64)
        similarities = np.empty((len(units), k), dtype=np.float32)
        count = len(self._keys)
        block = max(1, _PAIRS // count)
        for start in range(0, len(units), block):
            all_of_them = self._products(units[start : start + block])
            kth = _largest(all_of_them, k)
            for query, (row, least) in enumerate(zip(all_of_them, kth, strict=True), start=start):
                near = np.flatnonzero(row >= max(least - _SLACK, _DEAD / 2))
                # Again in double precision: single leaves room for rounding to tell apart what is equal.
                cosines = self._rows(near).astype(np.float64) @ units[query].astype(np.float64)
                found_keys[query], similarities[query] = ranked(self._keys[near], cosines, k)
        return found_keys, similarities

    def vectors(self, keys: np.ndarray) -> np.ndarray:
        """These, as float32."""
        return self._rows(np.searchsorted(self._keys, keys))

    def write(self, path: Path, keys: np.ndarray) -> None:
        """To one file."""
        parts = (self.vectors(keys[start : start + _ROWS]) for start in range(0, len(keys), _ROWS))
        write_rows(path, parts, len(keys), self.width, self.dtype)

    @classmethod
    def read(cls, path: Path, keys: np.ndarray, width: int, dtype: DType) -> ExactEngine:
        """Map the file."""
        engine = cls(width, dtype)
        engine._stored = read_rows(path, len(keys), width, dtype)
        engine._keys, engine._alive = keys, np.ones(len(keys), dtype=bool)
        return engine

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of these rows, float32."""
        out = np.empty((len(rows), self.width), dtype=np.float32)
        inside = rows < len(self._stored)
        out[inside] = self._stored[rows[inside]]
        out[~inside] = self._added[rows[~inside] - len(self._stored)]
        return out

    def _products(self, units: np.ndarray) -> np.ndarray:
        """Similarities of queries to every row, float32 `(q, n)`; −2 where the row has been removed."""
        # Of a few queries and a block of rows, PyTorch's product takes half the time of NumPy's.
        import torch

        out, queries, start = torch.empty((len(units), len(self._keys))), torch.from_numpy(units), 0
        for rows in self._blocks():
            torch.mm(queries, rows.T, out=out[:, start : start + len(rows)])
            start += len(rows)
        products = out.numpy()
        products[:, ~self._alive] = _DEAD
        return products

    def _blocks(self) -> Iterator[torch.Tensor]:
        """All rows in blocks, float32; a block is of use until the next one."""
        import torch

        parts = self._stored, self._added[: len(self._keys) - len(self._stored)]
        if self.dtype == "float32":
            for rows in parts:
                for start in range(0, len(rows), _ROWS):
                    yield torch.from_numpy(rows[start : start + _ROWS])
            return
        # PyTorch converts half precision with the processor's own instructions, NumPy takes seven times as long.
        room = torch.empty((_HALF_ROWS, self.width))
        for rows in parts:
            for start in range(0, len(rows), _HALF_ROWS):
                block = torch.from_numpy(rows[start : start + _HALF_ROWS])
                yield room[: len(block)].copy_(block)


def _largest(rows: np.ndarray, k: int) -> np.ndarray:
    """The k-th largest number of each row."""
    import torch

    return torch.topk(torch.from_numpy(rows), k, dim=1).values[:, -1].numpy()
