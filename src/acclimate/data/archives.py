"""Files inside a folder, a zip or a tar, read one by one and never unpacked to disk.

Since no member is ever written, an archive cannot place a file anywhere, whatever its name. Since numbers, sizes and
the ratio of compression are limited, it cannot fill the memory or the day either.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar, cast

import numpy as np

from acclimate.data.home import data_home
from acclimate.errors import DataError

T = TypeVar("T")

LARGEST_FILE = 64 * 2**20
LARGEST_SUM = 16 * 2**30
LARGEST_IN_MEMORY = 2**30
MOST_FILES = 1_000_000
# Data hardly ever shrink to less than a hundredth. Files that unpack to little are not worth a thought.
HIGHEST_RATIO = 200
ALWAYS_ALLOWED = 2**28

_COMPRESSIONS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}


def unpacked_limit(path: Path) -> int:
    """How many bytes a file may unpack to before it is taken for a bomb."""
    return min(LARGEST_SUM, max(ALWAYS_ALLOWED, HIGHEST_RATIO * path.stat().st_size))


def files_in(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, bytes]]:
    """Name and content of the wanted regular files in a folder, zip or tar (plain, gz, bz2, xz).

    Hidden files and the copies that macOS adds are passed over.

    Args:
        path: the folder or archive.
        wanted: says by its name, with `/` between folders, whether a file is to be read.

    Raises:
        DataError: if the archive is damaged or larger than any it could be.
    """
    for name, size, read in _entries(path):
        if _is_hidden(name) or not wanted(name):
            continue
        if size > LARGEST_FILE:
            raise DataError(f"{path}: {name}", f"must be at most {LARGEST_FILE:,} bytes", f"{size:,}", _mend(path))
        yield name, _guarded(path, read)


def unpacked(path: Path) -> bytes:
    """The content of one file, unpacked where it is compressed as a whole (gz, bz2, xz).

    Raises:
        DataError: if it is damaged or larger than any it could be.
    """
    limit = unpacked_limit(path)

    def read() -> bytes:
        with _unpacked(path) as stream:
            return stream.read(limit + 1)

    content = _guarded(path, read, "a readable file")
    if len(content) > limit:
        raise _too_large(path, limit)
    return content


def names_in(path: Path) -> list[str]:
    """Names of the regular files in a folder, zip or tar, sorted; hidden ones are passed over.

    Raises:
        DataError: as for `files_in`.
    """
    return sorted(name for name, _, _ in _entries(path) if not _is_hidden(name))


def gather(
    path: Path,
    rows: Mapping[str, int],
    key: Callable[[str], str],
    decode: Callable[[str, bytes], np.ndarray],
    shape: tuple[int, ...],
) -> np.ndarray:
    """Decode many small files into one uint8 array of shape `(len(rows), *shape)`, on disk where it is large.

    Args:
        path: the folder or archive.
        rows: where each file goes, by key.
        key: turns a name in the archive into a key; names with other keys are passed over.
        decode: turns the key and the content into an array of `shape`.
        shape: of one decoded file.

    Raises:
        DataError: if a file is missing.
    """
    out = _room((len(rows), *shape))
    missing = set(rows)
    for name, content in files_in(path, lambda name: key(name) in rows):
        out[rows[key(name)]] = decode(key(name), content)
        missing.discard(key(name))
    if missing:
        raise DataError(
            str(path),
            f"must contain all {len(rows):,} files",
            f"{len(missing):,} missing, such as {min(missing)}",
            _mend(path),
        )
    return out


def _room(shape: tuple[int, ...]) -> np.ndarray:
    """An uninitialised uint8 array: beyond `LARGEST_IN_MEMORY` a file without a name, gone with the array."""
    size = math.prod(shape)
    if size > LARGEST_IN_MEMORY and hasattr(os, "posix_fallocate"):
        home = data_home()
        try:
            with tempfile.TemporaryFile(dir=home if home.is_dir() else None) as file:
                # Written to through a map, a disk that fills up would end the process without a word.
                os.posix_fallocate(file.fileno(), 0, size)
                return np.memmap(file, dtype=np.uint8, mode="r+", shape=shape)
        except OSError:
            pass  # then memory may have the room that the disk has not
    return np.empty(shape, dtype=np.uint8)


Entry = tuple[str, int, Callable[[], bytes]]


def _entries(path: Path) -> Iterator[Entry]:
    """Name, size and reader of every regular file."""
    if path.is_dir():
        yield from _in_folder(path)
    elif zipfile.is_zipfile(path):
        yield from _limited(path, _in_zip(path))
    else:
        yield from _limited(path, _in_tar(path))


def _in_folder(path: Path) -> Iterator[Entry]:
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield file.relative_to(path).as_posix(), file.stat().st_size, file.read_bytes


def _in_zip(path: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield member.filename, member.file_size, partial(archive.read, member)


def _in_tar(path: Path) -> Iterator[Entry]:
    with _unpacked(path) as stream:
        metered = cast("IO[bytes]", _Metered(path, stream))
        with tarfile.open(fileobj=metered, mode="r:") as archive:
            for member in archive:
                if member.isreg():
                    yield member.name, member.size, partial(_read_member, archive, member)


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked where it is compressed as a whole."""
    with path.open("rb") as file:
        start = file.read(6)
    opener = next((opener for magic, opener in _COMPRESSIONS.items() if start.startswith(magic)), None)
    with opener(path) if opener else path.open("rb") as stream:
        yield stream


class _Metered:
    """What tarfile reads from, with an eye on how far it goes and how much it takes at once.

    A few bytes of headers can announce gigabytes of further headers, which tarfile reads in one piece.
    """

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self._path, self._stream, self._limit = path, stream, unpacked_limit(path)

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST_FILE:
            raise tarfile.ReadError(f"a header that announces {size:,} bytes")
        self._check(self.tell() + size)
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, position: int) -> None:
        # Room for the zeros at the end, which tarfile takes a look at.
        if position > self._limit + tarfile.RECORDSIZE:
            raise _too_large(self._path, self._limit)


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = file.read() if file else b""
    if len(content) != member.size:
        raise tarfile.ReadError(f"{member.name} ends early")
    return content


def _limited(path: Path, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries of an archive, until there are too many, they add up to too much or it turns out damaged."""
    total, count, limit = 0, 0, _guarded(path, lambda: unpacked_limit(path))
    while True:
        entry = _guarded(path, lambda: next(entries, None))
        if entry is None:
            return
        total, count = total + entry[1], count + 1
        if total > limit:
            raise _too_large(path, limit)
        if count > MOST_FILES:
            raise DataError(str(path), f"must hold at most {MOST_FILES:,} files", "more", _mend(path))
        yield entry


def _too_large(path: Path, limit: int) -> DataError:
    return DataError(str(path), f"must unpack to at most {limit:,} bytes", "more", _mend(path))


def _guarded(path: Path, work: Callable[[], T], what: str = "a readable folder, zip or tar") -> T:
    try:
        return work()
    except DataError:
        raise
    # zipfile and tarfile fail in more ways on damaged archives than they document.
    except Exception as error:
        raise DataError(str(path), f"must be {what}", f"{type(error).__name__}: {error}", _mend(path)) from None


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _mend(path: Path) -> str:
    return f"Delete {path.name} and get it again."
