"""Files inside a folder, a zip or a tar, read one by one and never unpacked to disk.

Since no member is ever written, an archive cannot place a file anywhere; and since sizes are limited, it cannot
fill the memory either.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np

from acclimate.errors import DataError

T = TypeVar("T")

LARGEST_FILE = 64 * 2**20
LARGEST_SUM = 16 * 2**30


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
    """Decode many small files into one uint8 array of shape `(len(rows), *shape)`.

    Args:
        path: the folder or archive.
        rows: where each file goes, by key.
        key: turns a name in the archive into a key; names with other keys are passed over.
        decode: turns the key and the content into an array of `shape`.
        shape: of one decoded file.

    Raises:
        DataError: if a file is missing.
    """
    out = np.empty((len(rows), *shape), dtype=np.uint8)
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
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isreg():
                yield member.name, member.size, partial(_read_member, archive, member)


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = file.read() if file else b""
    if len(content) != member.size:
        raise tarfile.ReadError(f"{member.name} ends early")
    return content


def _limited(path: Path, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries of an archive, until their sizes add up to too much or the archive turns out damaged."""
    total = 0
    while True:
        entry = _guarded(path, lambda: next(entries, None))
        if entry is None:
            return
        total += entry[1]
        if total > LARGEST_SUM:
            raise DataError(str(path), f"must unpack to at most {LARGEST_SUM:,} bytes", "more", _mend(path))
        yield entry


def _guarded(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    # zipfile and tarfile fail in more ways on damaged archives than they document.
    except Exception as error:
        raise DataError(
            str(path), "must be a readable folder, zip or tar", f"{type(error).__name__}: {error}", _mend(path)
        ) from None


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _mend(path: Path) -> str:
    return f"Delete {path.name} and get it again."
