"""64-bit hashes of rows of features: what is alike is found without holding more than eight bytes a row."""

from __future__ import annotations

import numpy as np

from acclimate.data.domain import Domain

_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, as Knuth has it


def row_hashes(domain: Domain) -> np.ndarray:
    """One number `(n,)` for each row, the same for the same features; of 2^64 pairs that differ one shares it."""
    found = [_hashes(block) for block in domain.blocks()]
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def shared_rows(a: Domain, b: Domain) -> int:
    """How many examples of `b` have features that also occur in `a`."""
    known = np.unique(row_hashes(a))
    return sum(int(_is_among(known, _hashes(block)).sum()) for block in b.blocks()) if len(known) else 0


def _hashes(block: np.ndarray) -> np.ndarray:
    bits = (block + np.float32(0)).view(np.uint32)  # −0 becomes 0
    found = np.full(len(block), len(bits.T), np.uint64)
    for column in bits.T:
        found = (found ^ column) * _ODD
        found ^= found >> np.uint64(29)
    return found


def _is_among(known: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.asarray(known[places] == hashes)
