"""Which tables stay on disk: those that would take more than their share of the memory that data may have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from acclimate.data.readers.cells import TEXT_SUFFIXES, announced_rows
from acclimate.data.readers.csvs import parsed
from acclimate.errors import RequestError

# Bytes that reading a table and training on it take, reckoned for a byte of text and for a value of a Parquet file.
_FOR_A_BYTE, _FOR_A_VALUE = 8, 40
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
UNBOUNDED = "1000000TB"  # for data that are in memory whatever they take
_SHARE = 2  # a source and a target have half each


def memory_for_data(asked: str | None) -> int:
    """Bytes that data may take: what is asked for, such as `"2GB"`; half of what is free by default.

    Raises:
        RequestError: if it is no size.
    """
    if asked is None:
        import torch

        from acclimate.data.free_memory import free_memory

        return (free_memory(torch.device("cpu")) or 0) // 2
    found = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?\s*", asked, re.IGNORECASE)
    if found is None or not (size := int(float(found[1]) * _UNITS[found[2].lower()])):
        raise RequestError("memory", "must be a size such as 2GB or 500MB", repr(asked), "Leave memory out for half.")
    return size


def stay_on_disk(files: Sequence[Path], memory: str | None) -> bool:
    """Whether tables that are one stay on disk.

    Args:
        files: the tables.
        memory: see `memory_for_data`.

    Raises:
        DataError: if one of them is no table.
        RequestError: if `memory` is no size.
    """
    allowed = memory_for_data(memory)
    return sum(map(_in_memory, files)) > allowed // _SHARE


def _in_memory(file: Path) -> int:
    """Bytes that a table takes in memory, about."""
    if file.suffix.lower() in TEXT_SUFFIXES:
        return _FOR_A_BYTE * file.stat().st_size
    return _FOR_A_VALUE * int(parsed(file, "a Parquet file", lambda: pl.DataFrame({"n": [_values(file)]})).item())


def _values(file: Path) -> int:
    return announced_rows(file) * len(pl.scan_parquet(file, glob=False).collect_schema())
