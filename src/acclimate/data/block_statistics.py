"""Statistics of features in passes over blocks of rows, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Blocks = Callable[[], Iterator[np.ndarray]]
_Keys = Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]

_HALF = 2**16  # values of half the bits of a float32
_COLUMNS = 64  # whose histograms are held at once


def moments(blocks: Blocks) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation, least and largest of each feature, `(d,)` each, of values that are all finite.

    Blocks are merged by their means and squared distances from these (Chan, Golub and LeVeque, 1979), so that large
    numbers that differ little lose no digits.
    """
    count, mean, square = 0, np.zeros(()), np.zeros(())
    least, largest = np.full((), np.inf), np.full((), -np.inf)
    for block in blocks():
        x = block.astype(np.float64)
        n, own = len(x), x.mean(axis=0)
        apart, total = own - mean, count + n
        square = square + ((x - own) ** 2).sum(axis=0) + apart**2 * (count * n / total)
        mean, count = mean + apart * (n / total), total
        least, largest = np.minimum(least, x.min(axis=0)), np.maximum(largest, x.max(axis=0))
    return mean, np.sqrt(square / count), least, largest


def medians(blocks: Blocks, width: int) -> np.ndarray:
    """The median of each feature's float32 values, NaN left out, exactly as `np.nanmedian` has it; NaN where all are.

    Floats are counted by the first half of their bits, and those that share it with the median by the second.
    """
    starts = range(0, width, _COLUMNS)
    return np.concatenate([_medians(blocks, slice(start, start + _COLUMNS)) for start in starts])


def _medians(blocks: Blocks, columns: slice) -> np.ndarray:
    def keys() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (_ordered(block[:, columns]) for block in blocks())

    ends = _histograms((key >> 16, known) for key, known in keys()).cumsum(axis=1)
    counts = ends[:, -1]
    low, high = np.maximum(counts - 1, 0) // 2, counts // 2  # of the two in the middle, from 0
    lower = _at(keys, ends, low)
    upper = lower if (low == high).all() else _at(keys, ends, high)
    return np.where(counts > 0, np.stack([lower, upper]).mean(axis=0), np.float32(np.nan))


def _at(keys: _Keys, ends: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The value `(d,)` that stands at a place of each feature in order.

    Args:
        keys: as `_ordered` makes them, and which count.
        ends: how many have at most each first half `(d, 65536)`.
        place: from 0, `(d,)`.
    """
    first = np.minimum((ends <= place[:, None]).sum(axis=1), _HALF - 1)
    before = np.where(first > 0, ends[np.arange(len(ends)), first - 1], 0)
    second = _histograms((key & (_HALF - 1), known & (key >> 16 == first)) for key, known in keys()).cumsum(axis=1)
    last = np.minimum((second <= (place - before)[:, None]).sum(axis=1), _HALF - 1)
    return _float((first << 16 | last).astype(np.uint32))


def _histograms(keys: Iterator[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """How often each of 65,536 keys occurs in each feature `(d, 65536)`, where it is known."""
    total: np.ndarray | None = None
    for key, known in keys:
        total = np.zeros((key.shape[1], _HALF), np.int64) if total is None else total
        for own, column in enumerate(total):
            column += np.bincount(key[known[:, own], own], minlength=_HALF)
    assert total is not None
    return total


def _ordered(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Float32 as whole numbers of 32 bits in the same order, and which are no NaN."""
    block = block + np.float32(0)  # −0 becomes 0
    bits = block.view(np.uint32)
    key = np.where(bits >> 31, ~bits, bits | np.uint32(2**31))
    return key, ~np.isnan(block)


def _float(key: np.ndarray) -> np.ndarray:
    """What `_ordered` made a key of."""
    bits = np.where(key >> 31, key ^ np.uint32(2**31), ~key)
    return bits.astype(np.uint32).view(np.float32)
