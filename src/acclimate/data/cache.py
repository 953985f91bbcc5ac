"""What takes long to make, kept on disk by the content of its data, wherever they lie and whoever reads them.

Images are decoded once, and word vectors trained once on the same texts.

    <folder>/<key>.npy    uint8 (n, h, w, c), opened memory-mapped
    <folder>/<key>.json   what was found out while making it

An entry's key is made from the bytes of the data, so it never goes stale and two writers of one key write the same.
The folder can be deleted at any time; what is missing is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.lib import format as npy

from acclimate.data.temporary import temporary_beside

VARIABLE = "ACCLIMATE_CACHE"
FORMAT = 1

Facts = dict[str, Any]


class Rows(Protocol):
    """Takes uint8 rows in order, block by block."""

    def begin(self, most: int, shape: tuple[int, ...]) -> None:
        """Start anew, for at most `most` rows of `shape`; rows appended before are dropped."""

    def append(self, block: np.ndarray) -> None:
        """Add the rows of a block `(m, *shape)`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry: its rows (memory-mapped where the disk allows), its facts, and what the user should know."""

    rows: np.ndarray
    facts: Facts
    notes: tuple[str, ...] = ()


def cache_folder() -> Path:
    """The folder `$ACCLIMATE_CACHE`, or `decoded` in the user's cache folder for acclimate; it may not exist yet."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("acclimate")) / "decoded"


def content_key(digests: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    """A name for what decoding these files in this way gives.

    Args:
        digests: relative path of each file → digest of its bytes; the order does not matter.
        parameters: everything else that decides the outcome, as JSON values.
    """
    content = json.dumps([FORMAT, sorted(digests.items()), parameters], sort_keys=True)
    return hashlib.blake2b(content.encode("ascii"), digest_size=20).hexdigest()


_DECODED_AGAIN = "the images were decoded into memory and will be decoded again next time"


def recall(key: str, fill: Callable[[Rows], Facts], without: str = _DECODED_AGAIN) -> Kept:
    """The entry of that key, made by `fill` if the cache does not have it.

    Args:
        key: from `content_key`.
        fill: calls `begin`, then `append` for block after block, and returns facts that JSON can hold. It is called
            a second time if the cache turns out not to be writable. An OSError that it raises counts as the cache's.
        without: what happens if the cache cannot be used, for the note that says so.
    """
    folder = cache_folder()
    kept = _load(folder, key)
    if kept is not None:
        return kept
    try:
        return _store(folder, key, fill)
    except OSError as error:
        note = (
            f"The cache folder {folder} cannot be used ({error.strerror or error}); {without}. "
            f"Set {VARIABLE} to a folder of yours."
        )
    rows = _MemoryRows()
    facts = fill(rows)
    return Kept(rows.array, facts, (note,))


def _load(folder: Path, key: str) -> Kept | None:
    """The entry, or None if it is absent or damaged."""
    try:
        facts = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        return Kept(np.load(folder / f"{key}.npy", mmap_mode="r", allow_pickle=False), facts)
    except (OSError, ValueError, EOFError, RecursionError):
        return None


def _store(folder: Path, key: str, fill: Callable[[Rows], Facts]) -> Kept:
    """Write both files under names of this process alone, then rename them into place, the array last."""
    folder.mkdir(parents=True, exist_ok=True)
    rows_file, facts_file = folder / f"{key}.npy", folder / f"{key}.json"
    with temporary_beside(rows_file) as own_rows, temporary_beside(facts_file) as own_facts:
        with own_rows.open("wb") as file:
            rows = _FileRows(file)
            facts = fill(rows)
            rows.finish()
        own_facts.write_text(json.dumps(facts), encoding="utf-8")
        _rename(own_facts, facts_file)
        _rename(own_rows, rows_file)
    return Kept(np.load(rows_file, mmap_mode="r", allow_pickle=False), facts)


def _rename(temporary: Path, final: Path) -> None:
    """Put a file in place. Where an opened file cannot be replaced (Windows), the other writer's, equal, stays."""
    try:
        temporary.replace(final)
    except PermissionError:
        if not final.exists():
            raise


class _FileRows:
    """Rows as a .npy file that grows; NumPy leaves room in the header for the final number of rows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._shape: tuple[int, ...] = ()
        self._count = 0

    def begin(self, most: int, shape: tuple[int, ...]) -> None:  # a file grows as needed
        self._shape, self._count = shape, 0
        self._file.seek(0)
        self._file.truncate()
        self._write_header()

    def append(self, block: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(block).data)
        self._count += len(block)

    def finish(self) -> None:
        """Write the number of rows into the header and flush everything to disk."""
        self._file.seek(0)
        self._write_header()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write_header(self) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (self._count, *self._shape)}
        npy.write_array_header_1_0(self._file, header)


class _MemoryRows:
    """Rows in one array of the largest size they can need."""

    def __init__(self) -> None:
        self._array = np.empty((0,), dtype=np.uint8)
        self._count = 0

    @property
    def array(self) -> np.ndarray:
        """The rows so far."""
        return self._array[: self._count]

    def begin(self, most: int, shape: tuple[int, ...]) -> None:
        self._array, self._count = np.empty((most, *shape), dtype=np.uint8), 0

    def append(self, block: np.ndarray) -> None:
        self._array[self._count : self._count + len(block)] = block
        self._count += len(block)
