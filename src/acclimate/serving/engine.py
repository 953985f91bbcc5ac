"""What an index asks of whatever finds the vectors nearest to a query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.lib import format as npy

Kind = Literal["exact", "usearch", "qdrant"]
DType = Literal["float32", "float16"]

# Similarities count in steps of about 1e-6, so that rounding does not decide between vectors that are equal.
_STEPS = 2**20


class Engine(ABC):
    """Unit vectors by key. Keys are whole numbers from 0 that grow with every vector and never come back.

    Class facts: `kind`, what it is called in files, and `suffix`, of the file it writes.

    Args:
        width: of the vectors.
        dtype: in which they are kept.
    """

    kind: ClassVar[Kind]
    suffix: ClassVar[str]

    def __init__(self, width: int, dtype: DType) -> None:
        self.width, self.dtype = width, dtype

    @abstractmethod
    def add(self, keys: np.ndarray, units: np.ndarray) -> None:
        """Take unit vectors, float32 `(n, width)`, under new keys, int64 `(n,)`, ascending."""

    @abstractmethod
    def remove(self, keys: np.ndarray) -> None:
        """Forget the vectors of these keys, all of which are there."""

    @abstractmethod
    def search(self, units: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest of each query, the nearest first; of equal ones that with the lower key.

        Args:
            units: float32 `(q, width)`, q ≥ 1.
            k: 1 to the number of vectors.

        Returns:
            Keys, int64 `(q, k)`, and cosines, float32 `(q, k)`, to 2⁻²⁰ and within [−1, 1].
        """

    @abstractmethod
    def vectors(self, keys: np.ndarray) -> np.ndarray:
        """The vectors of these keys, float32 `(n, width)`."""

    @abstractmethod
    def write(self, path: Path, keys: np.ndarray) -> None:
        """Write all vectors to a file; `keys` are those there are, ascending."""

    @classmethod
    @abstractmethod
    def read(cls, path: Path, keys: np.ndarray, width: int, dtype: DType) -> Engine:
        """What `write` wrote, under the same keys.

        Raises:
            ValueError: if the file holds something else.
        """

    def close(self) -> None:  # noqa: B027  # most hold nothing
        """Let go of what is held outside of this process."""


def ranked(keys: np.ndarray, similarities: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best candidates of one query, by similarity in steps, then by key.

    Args:
        keys: `(c,)`, c ≥ k.
        similarities: `(c,)`.
        k: how many.
    """
    steps = np.rint(similarities.astype(np.float64) * _STEPS)
    best = np.lexsort((keys, -steps))[:k]
    return keys[best], np.clip(steps[best] / _STEPS, -1, 1).astype(np.float32)


def write_rows(path: Path, blocks: Iterable[np.ndarray], count: int, width: int, dtype: DType) -> None:
    """A .npy file of `(count, width)`, written block by block, so that memory stays flat."""
    with path.open("wb") as file:
        header = {"descr": npy.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": (count, width)}
        npy.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype=dtype).data)


def read_rows(path: Path, count: int, width: int, dtype: DType) -> np.ndarray:
    """What `write_rows` wrote, memory-mapped.

    Raises:
        ValueError: if it is of another shape or type.
    """
    # Copy on write, though nothing writes: PyTorch takes no array that is read-only. None can be mapped without rows.
    rows: np.ndarray = np.load(path, mmap_mode="c" if count else None, allow_pickle=False)
    if rows.shape != (count, width) or rows.dtype != np.dtype(dtype):
        raise ValueError(f"{rows.dtype} of shape {rows.shape} instead of {dtype} of shape {(count, width)}")
    return rows
