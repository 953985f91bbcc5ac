"""A text of separated values, part by part: the same rows as read in one, and never more of them at once than fit."""

from __future__ import annotations

import codecs
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from acclimate.data.readers.csvs import Content, Dialect, Header, header_of, is_utf8, read_rows, starts
from acclimate.data.readers.encodings import rewrite_as_utf8

_QUOTE, _END = ord('"'), ord("\n")


class _Folder:
    """A temporary folder, gone with this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="acclimate-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class TextParts:
    """A text as tables, one after the other.

    Attributes:
        path: the file.
        header: how it begins.
        content: what it holds, as UTF-8.
        notes: what a user should know of its encoding.
        size: bytes of a part; a part ends with a row, and so may hold a few more.
        kept: what has to stay for as long as this is read.
    """

    path: Path
    header: Header
    content: Content
    notes: tuple[str, ...]
    size: int
    kept: _Folder | None = None

    def __iter__(self) -> Iterator[tuple[pl.DataFrame, np.ndarray]]:
        """Columns of text, and the line of each row, from 1; at least one part, which may be empty.

        Raises:
            DataError: if the text is no table.
        """
        assert isinstance(self.content.source, Path)
        line = self.header.lines
        with self.content.source.open("rb") as file:
            head = _head(file, self.header.lines)
            # A header that goes on in a second line, where quotes are signs like any other, is also a row.
            again = 0 if self.header.quoted else self.header.read(head).height
            for number, rows in enumerate(_parts(file, self.size, quoted=self.header.quoted)):
                frame = read_rows(self.path, self.header, self.content, head + rows)
                frame = frame[again:] if number else frame
                places, line = starts(frame, line)
                yield frame, places


def text_parts(path: Path, dialect: Dialect, size: int) -> TextParts:
    """Open a file of separated values under a header, to be read in parts of `size` bytes.

    What is not UTF-8 is written as such into a temporary file first.

    Raises:
        DataError: if it names its columns badly.
    """
    if is_utf8(path):
        return TextParts(path, header_of(path, Content(path), dialect), Content(path), (), size)
    kept = _Folder()
    content = Content(kept.path / "utf-8")
    notes = tuple(rewrite_as_utf8(path, kept.path / "utf-8").notes("lines"))
    return TextParts(path, header_of(path, content, dialect), content, notes, size, kept)


def _head(file: BinaryIO, lines: int) -> bytes:
    """The lines of the header, without a byte order mark; the file then stands at the first row."""
    head = b"".join(file.readline() for _ in range(lines)).removeprefix(codecs.BOM_UTF8)
    return head if head.endswith(b"\n") else head + b"\n"


def _parts(file: BinaryIO, size: int, *, quoted: bool) -> Iterator[bytes]:
    """What is left of a file, cut where rows end: at line feeds, of which those in quotes end none."""
    waiting: list[bytes] = []
    parity, count = np.uint8(0), 0
    for block in iter(lambda: file.read(size), b""):
        signs = np.frombuffer(block, np.uint8)
        inside = np.bitwise_xor.accumulate((signs == _QUOTE).astype(np.uint8)) ^ parity if quoted else None
        ends = np.flatnonzero((signs == _END) & (inside == 0) if inside is not None else signs == _END)
        if inside is not None:
            parity = inside[-1]
        waiting.append(block)
        if len(ends):
            cut = int(ends[-1]) + 1
            yield b"".join([*waiting[:-1], block[:cut]])
            waiting, count = [block[cut:]], count + 1
    rest = b"".join(waiting)
    if rest or not count:
        yield rest
