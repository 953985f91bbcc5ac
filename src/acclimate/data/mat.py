"""Arrays of numbers from MATLAB 5 files (`save -v6` and `-v7`), the form of SVHN.

SciPy reads far more of the format, in C without checks of its own: damaged files end the interpreter.
Source: MathWorks, "MAT-File Format".
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from acclimate.data.archives import unpacked_limit
from acclimate.errors import DataError

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_COMPLEX = 0x0800
_CHUNK = 2**20
# By the numbers that stand for them in the file: how values are stored, and what class of array they make.
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}


def read_mat(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Read real arrays of numbers.

    Args:
        path: the file.
        names: which variables; those that are absent, or no real arrays of numbers, are left out.

    Raises:
        DataError: if the file is damaged, of another form, or unpacks to far more than it holds.
    """
    found: dict[str, np.ndarray] = {}
    try:
        with path.open("rb") as file:
            order = _byte_order(file.read(_HEADER))
            for content in _matrices(file, order, unpacked_limit(path)):
                name, array = _matrix(content, order)
                if name in names and array is not None:
                    found.setdefault(name, array)
    except (OSError, ValueError, zlib.error) as error:
        raise DataError(
            str(path), "must be a MATLAB 5 file", f"{type(error).__name__}: {error}", "Delete it and get it again."
        ) from None
    return found


def _byte_order(header: bytes) -> str:
    """`"<"` or `">"`."""
    orders = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}
    if len(header) < _HEADER or header[124:] not in orders:
        raise ValueError("no header of MATLAB 5")
    return orders[header[124:]]


def _matrices(file: BinaryIO, order: str, limit: int) -> Iterator[memoryview]:
    """The contents of the array elements, unpacked."""
    while tag := file.read(8):
        if len(tag) < 8:
            raise ValueError("the file ends in a tag")
        kind, size = (int(n) for n in np.frombuffer(tag, f"{order}u4"))
        if kind == _COMPRESSED:
            content = _unpacked(file, size, limit)
            kind, size, start, _ = _tag(content, 0, order)
            content = content[start : start + size]
        else:
            content = memoryview(file.read(min(size, limit)))
        if len(content) < size:
            raise ValueError("an element ends early")
        if kind == _MATRIX:
            yield content


def _unpacked(file: BinaryIO, size: int, limit: int) -> memoryview:
    unpacker, content = zlib.decompressobj(), bytearray()
    while size > 0 and (packed := file.read(min(size, _CHUNK))):
        size -= len(packed)
        content += unpacker.decompress(packed, limit + 1 - len(content))
        if len(content) > limit:
            raise ValueError(f"it unpacks to more than {limit:,} bytes")
    if size > 0 or not unpacker.eof:
        raise ValueError("an element ends early")
    return memoryview(content)


def _tag(content: memoryview, at: int, order: str) -> tuple[int, int, int, int]:
    """Type and size of the element at a place, where its data start, and where the next element does."""
    if at + 8 > len(content):
        raise ValueError("an element ends early")
    kind, size = (int(n) for n in np.frombuffer(content[at : at + 8], f"{order}u4"))
    if kind >> 16:  # up to four bytes stand in the tag itself
        return kind & 0xFFFF, kind >> 16, at + 4, at + 8
    return kind, size, at + 8, at + 8 + -(-size // 8) * 8


def _numbers(content: memoryview, at: int, order: str) -> tuple[np.ndarray, int]:
    """The numbers of the element at a place, and where the next one is."""
    kind, size, start, following = _tag(content, at, order)
    if kind not in _STORED or start + size > len(content):
        raise ValueError(f"an element of type {kind} and {size:,} bytes where there should be numbers")
    return np.frombuffer(content[start : start + size], order + _STORED[kind]), following


def _matrix(content: memoryview, order: str) -> tuple[str, np.ndarray | None]:
    """Name and value of an array; None where it is not one of real numbers."""
    if not len(content):
        return "", None
    flags, at = _numbers(content, 0, order)
    sizes, at = _numbers(content, at, order)
    letters, at = _numbers(content, at, order)
    name = letters.tobytes().decode("latin-1")
    kind = int(flags[0]) & 0xFF if len(flags) else 0
    if kind not in _CLASSES or int(flags[0]) & _COMPLEX:
        return name, None
    values, _ = _numbers(content, at, order)
    shape = tuple(int(size) for size in sizes)
    if min(shape, default=-1) < 0 or math.prod(shape) != len(values):
        raise ValueError(f"{len(values):,} values for the shape {shape}")
    return name, values.astype(_CLASSES[kind], copy=False).reshape(shape, order="F")
