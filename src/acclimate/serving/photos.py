"""The photos in a folder: which there are, what they hold, and their pixels, block by block."""

from __future__ import annotations

import hashlib
import stat
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from acclimate.data.readers.folders import walk
from acclimate.data.readers.pictures import MOST_UNPACKED, SUFFIXES, Form, decode, reason
from acclimate.errors import RequestError

_THREADS = 2
_BLOCK_BYTES = 2**25
_BLOCK = 256
# A file changed twice within the resolution of the file system's clock looks as if it had been changed once.
_SETTLED_NS = 2 * 10**9


class Stamp(NamedTuple):
    """What tells, without reading it, whether a file is as it was: bytes, and when content and entry last changed."""

    size: int
    modified_ns: int
    changed_ns: int

    @property
    def settled(self) -> bool:
        """Whether any change from now on will show in the stamp."""
        return max(self.modified_ns, self.changed_ns) + _SETTLED_NS <= time.time_ns()


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds.

    Attributes:
        stamps: photos by posix path relative to the folder, sorted.
        failed: path → reason of what could be looked at no further.
        others: how many files there are of each other suffix; hidden ones do not count.
    """

    stamps: dict[str, Stamp]
    failed: dict[str, str]
    others: dict[str, int]


def photo_folder(photos: Path) -> Path:
    """The folder of photos that a user names, absolute and without links.

    Raises:
        RequestError: if there is none.
    """
    try:
        found = photos.expanduser().resolve()
        is_there = found.is_dir()
    except (OSError, RuntimeError, ValueError):
        is_there = False
    if not is_there:
        what = "a file" if photos.is_file() else "no such folder"
        fix = "Check the spelling and the current folder."
        raise RequestError("photos", "must be a folder that exists", f"{str(photos)!r:.200} ({what})", fix)
    return found


def list_photos(root: Path) -> Listing:
    """Find every photo below a folder, in however many folders.

    Args:
        root: the folder, resolved. Links out of it are not followed.
    """
    stamps: dict[str, Stamp] = {}
    failed: dict[str, str] = {}
    others: Counter[str] = Counter()

    def unreadable(error: OSError) -> None:
        failed[_shown(Path(error.filename).relative_to(root).as_posix())] = reason(error)

    for path in walk(root, unreadable):
        if path.name.startswith("."):
            continue
        if path.suffix.lower() not in SUFFIXES:
            others[path.suffix.lower()] += 1
            continue
        name = path.relative_to(root).as_posix()
        try:
            name.encode()
            stamps[name] = stamp_of(path, root)
        except (OSError, ValueError) as error:
            failed[_shown(name)] = "its name is not UTF-8" if isinstance(error, UnicodeError) else reason(error)
    return Listing(dict(sorted(stamps.items())), failed, dict(sorted(others.items())))


def stamp_of(path: Path, root: Path) -> Stamp:
    """The stamp of a file.

    Raises:
        OSError: if it cannot be looked at.
        ValueError: if it is none to be read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # whoever reads a pipe may wait for ever
        raise ValueError("not a plain file")
    if not path.resolve().is_relative_to(root):
        raise ValueError("a link that leads out of the folder")
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def hash_photos(root: Path, names: Sequence[str]) -> Iterator[dict[str, str | Exception]]:
    """Digests of files' bytes, or why they cannot be read, block by block."""
    with _pool() as pool:
        for start in range(0, len(names), _BLOCK):
            part = names[start : start + _BLOCK]
            yield dict(zip(part, pool.map(lambda name: _digest(root / name), part), strict=True))


def decode_photos(
    root: Path, names: Sequence[str], stamps: Mapping[str, Stamp], form: Form
) -> Generator[dict[str, np.ndarray | str], None, None]:
    """Pixels uint8 in that form, or why there are none, block by block; one block is decoded ahead.

    Args:
        root: the folder.
        names: which of its photos.
        stamps: theirs at the time when their content was told; who differs by now has no pixels.
        form: as the encoder asks for.
    """
    size = max(1, min(_BLOCK, _BLOCK_BYTES // int(np.prod(form.shape))))
    coming: deque[dict[str, Future[np.ndarray | str]]] = deque()
    with _pool() as pool:
        for start in range(0, len(names), size):
            part = names[start : start + size]
            coming.append({n: pool.submit(_picture, root, n, stamps[n], form) for n in part})
            if len(coming) > 1:
                yield {name: future.result() for name, future in coming.popleft().items()}
        while coming:
            yield {name: future.result() for name, future in coming.popleft().items()}


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that drop what is left when their user stops midway. Hashing and decoding release the interpreter."""
    pool = ThreadPoolExecutor(_THREADS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _digest(path: Path) -> str | Exception:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except OSError as error:
        return error


def _picture(root: Path, name: str, stamp: Stamp, form: Form) -> np.ndarray | str:
    if stamp.size == 0:
        return "an empty file"
    try:
        pixels = decode(root / name, form, MOST_UNPACKED)
        return pixels if stamp_of(root / name, root) == stamp else "changed while it was read"
    except Exception as error:  # Pillow raises errors of many types on damaged files
        return reason(error)


def _shown(name: str) -> str:
    """A name that can be printed, whatever bytes it is made of."""
    return name.encode(errors="backslashreplace").decode()
