"""`Ragged`: rows of different length in one flat array, so that they can be memory-mapped and gathered at once.

Texts are kept so as UTF-8 bytes, and documents as numbers of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import overload

import numpy as np


class Ragged:
    """Rows of different length, one after the other.

    Takes part where an array of n examples would: `len`, `shape`, `dtype`, and indexing along the first axis.

    Args:
        values: `(total,)`, all rows joined; may be memory-mapped.
        offsets: `(n + 1,)` int64; row i is `values[offsets[i] : offsets[i + 1]]`.

    Raises:
        ValueError: if the offsets do not cut `values` into rows.
    """

    ndim = 1

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        offsets = np.asarray(offsets)
        fits = values.ndim == offsets.ndim == 1 and offsets.dtype.kind in "iu" and len(offsets)
        if not fits or offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            raise ValueError(
                f"offsets must rise from 0 to {len(values)}, the number of values; received {offsets!r:.80}"
            )
        self.values, self.offsets = values, offsets.astype(np.int64, copy=False)

    @classmethod
    def of(cls, rows: Iterable[np.ndarray], dtype: type[np.generic]) -> Ragged:
        """Rows joined into one array of `dtype`."""
        parts = list(rows)
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in parts])]).astype(np.int64)
        values = np.concatenate(parts) if parts else np.empty(0)
        return cls(values.astype(dtype, copy=False), offsets)

    @property
    def shape(self) -> tuple[int]:
        """`(n,)`: rows have no length in common."""
        return (len(self),)

    @property
    def dtype(self) -> np.dtype:
        """Of the values."""
        return self.values.dtype

    @property
    def lengths(self) -> np.ndarray:
        """`(n,)` values in each row."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        for start, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            yield self.values[start:end]

    @overload
    def __getitem__(self, index: int | np.integer) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice | np.ndarray) -> Ragged: ...
    def __getitem__(self, index: int | np.integer | slice | np.ndarray) -> np.ndarray | Ragged:
        """One row, or several by slice, indices or mask."""
        if isinstance(index, int | np.integer):
            start, end = self.offsets[:-1][index], self.offsets[1:][index]
            return self.values[start:end]
        starts, lengths = self.offsets[:-1][index], self.lengths[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Ragged(self.values[places], offsets)

    def keeping(self, keep: np.ndarray) -> Ragged:
        """The rows with only those values that a mask `(total,)` keeps."""
        before = np.concatenate([[0], np.cumsum(keep)])
        return Ragged(self.values[keep], before[self.offsets])

    def padded(self, longest: int) -> np.ndarray:
        """Rows as an int64 array `(n, w)`, cut to `longest` values and filled up with zeros; w ≥ 1 is the longest."""
        lengths = np.minimum(self.lengths, longest)
        width = max(1, int(lengths.max(initial=0)))
        columns = np.arange(width)
        there = columns < lengths[:, None]
        places = (self.offsets[:-1, None] + columns)[there]
        filled = np.zeros((len(self), width), dtype=np.int64)
        filled[there] = self.values[places]
        return filled


def from_texts(texts: Iterable[str]) -> Ragged:
    """Texts as rows of UTF-8 bytes; what cannot be encoded (halves of surrogate pairs) becomes a question mark."""
    return Ragged.of((np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8) for text in texts), np.uint8)


def to_texts(rows: Ragged) -> Iterator[str]:
    """The texts that `from_texts` was given."""
    for row in rows:
        yield row.tobytes().decode("utf-8", "replace")
