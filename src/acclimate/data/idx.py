"""The idx format of MNIST and its relatives: a big-endian header, then bytes; often gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from acclimate.errors import DataError

_UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"
_LARGEST = 2**32
_MEND = "Delete it and get it again."


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read an idx file of unsigned bytes, gzipped or not.

    Args:
        path: the file; gzip is told by its first bytes, not by its name.
        dimensions: how many axes it must have: 3 for images, 1 for labels.

    Returns:
        A uint8 array of the shape the header states.

    Raises:
        DataError: if the file is damaged or holds something else.
    """
    content = _content(path)
    header, expected = 4 + 4 * dimensions, bytes((0, 0, _UNSIGNED_BYTE, dimensions))
    if content[:4] != expected:
        raise DataError(
            str(path),
            f"must start with the idx magic number {expected.hex()} (unsigned bytes, {dimensions} axes)",
            content[:4].hex() or "an empty file",
            "Check that images and labels are not swapped, or get the file again.",
        )
    if len(content) < header:
        raise DataError(str(path), f"must start with an idx header of {header} bytes", f"{len(content)} bytes", _MEND)
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", count=dimensions, offset=4))
    if len(content) - header != math.prod(shape):
        raise DataError(
            str(path),
            f"must hold {math.prod(shape):,} bytes after the header, as its shape {shape} says",
            f"{len(content) - header:,}",
            _MEND,
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    """The bytes of a file, unzipped where it is gzipped."""
    try:
        with path.open("rb") as file:
            if file.read(2) != _GZIP_MAGIC:
                return path.read_bytes()
        with gzip.open(path) as unzipped:
            content = unzipped.read(_LARGEST)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(str(path), "must be a readable file", f"{type(error).__name__}: {error}", _MEND) from None
    if len(content) == _LARGEST:
        raise DataError(str(path), f"must unpack to less than {_LARGEST:,} bytes", "more", _MEND)
    return content
