"""A file of JSON objects, one a line, plain or compressed by gzip."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate.data.archives import unpacked_limit
from acclimate.data.readers.encodings import decode_lines
from acclimate.errors import DataError, RequestError

SUFFIXES = (".jsonl", ".jsonl.gz")

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Rows:
    """The objects of a file.

    Attributes:
        path: the file.
        objects: one for each line that is not blank.
        lines: for each of them, its line, from 1.
        notes: what a user should know of the file.
    """

    path: Path
    objects: list[dict[str, Any]]
    lines: list[int]
    notes: list[str]

    @property
    def fields(self) -> list[str]:
        """Every field that some object has."""
        return list(dict.fromkeys(name for row in self.objects for name in row))

    def where(self, row: int) -> str:
        """How messages and ids call a row."""
        return f"line {self.lines[row]}"


def is_jsonl(path: Path) -> bool:
    """True for a file whose name ends in one of `SUFFIXES`."""
    return path.name.lower().endswith(SUFFIXES) and not path.is_dir()


def read_jsonl(path: Path) -> Rows:
    """Read every line; blank ones are left out and counted in the notes.

    Raises:
        RequestError: if there is no such file.
        DataError: naming the line, if one is no JSON object; or if the file is damaged or holds none.
    """
    if not path.is_file():
        fix = "Check the spelling and the current folder."
        raise RequestError("the .jsonl file", "must be a file that exists", repr(str(path)), fix)
    decoded = decode_lines(_content(path))
    objects, lines, blank = [], [], 0
    for number, text in enumerate(decoded.texts, start=1):
        text = text.strip().removeprefix("\ufeff")  # which files that were joined have in their middle
        if not text:
            blank += 1
            continue
        objects.append(_object(path, number, text))
        lines.append(number)
    if not objects:
        got = f"{blank:,} blank ones" if blank else "an empty file"
        raise DataError(str(path), "must hold at least one line of JSON", got, "Check that this is the right file.")
    notes = decoded.notes("lines") + ([f"blank lines were left out: {blank:,}."] if blank else [])
    return Rows(path, objects, lines, notes)


def _content(path: Path) -> bytes:
    """The bytes of a file, unpacked if its first bytes are gzip's.

    Raises:
        DataError: if it is damaged, or so small that what it unpacks to must be a bomb.
    """
    with path.open("rb") as file:
        if file.read(len(_GZIP)) != _GZIP:
            return path.read_bytes()
    limit = unpacked_limit(path)
    try:
        with gzip.open(path) as file:
            content: bytes = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        fix = "Get it again, or compress it anew."
        raise DataError(str(path), "must be gzip-compressed and whole", f"{error}", fix) from None
    if len(content) > limit:
        fix = "If these are real data, unpack the file first."
        raise DataError(str(path), f"must unpack to at most {limit:,} bytes", "more", fix)
    return content


def _object(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    # Numbers of thousands of digits are a ValueError of int's own, nesting of thousands of levels a RecursionError.
    except (ValueError, RecursionError) as error:
        raise _refusal(path, number, f"{text[:60]!r} ({error!s:.80})") from None
    if not isinstance(found, dict):
        raise _refusal(path, number, f"{text[:60]!r}")
    return found


def _refusal(path: Path, number: int, got: str) -> DataError:
    return DataError(
        f"line {number} of {path.name}",
        "must be one JSON object",
        got,
        'Mend or remove that line; each line holds one text, such as {"text": "…", "label": "positive"}.',
    )
