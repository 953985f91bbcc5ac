"""From bytes to text, where nobody says in which encoding they are.

The rule is fixed, so that the same bytes always give the same text: a byte order mark decides for UTF-8, UTF-16 and
UTF-32; without one it is UTF-8 if it can be, and otherwise Windows-1252, whose five bytes without a meaning are read
as Latin-1's. Each text, that is each file of a folder and each line of a file, is looked at by itself.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The marks of UTF-32 begin like those of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Texts, and how they were had.

    Attributes:
        texts: in their order.
        legacy: how many are not UTF-8 and were read as Windows-1252.
        damaged: how many have bytes that their encoding does not allow, each replaced by U+FFFD.
    """

    texts: list[str]
    legacy: int = 0
    damaged: int = 0

    def notes(self, unit: str) -> list[str]:
        """What a user should know of it; `unit` says what a text is here: `"lines"` or `"files"`."""
        notes = []
        if self.legacy:
            notes.append(f"{unit} that are not UTF-8 and were read as Windows-1252: {self.legacy:,}.")
        if self.damaged:
            notes.append(f"{unit} with bytes that are no characters, shown as \ufffd: {self.damaged:,}.")
        return notes


def decode_each(contents: list[bytes]) -> Decoded:
    """Every content as a text of its own."""
    texts, legacy, damaged = [], 0, 0
    for content in contents:
        encoding = _marked(content)
        if encoding:
            text = _without_mark(content, encoding)
            damaged += _is_damaged(text, content, encoding)
        else:
            text, is_legacy = _unmarked(content)
            legacy += is_legacy
        texts.append(text)
    return Decoded(texts, legacy, damaged)


def decode_lines(content: bytes) -> Decoded:
    """The lines of one content, without their line feeds; a line feed at its end starts no further line."""
    encoding = _marked(content)
    if encoding:
        text = _without_mark(content, encoding)
        lines = _lines(text)
        damaged = sum("\ufffd" in line for line in lines) if _is_damaged(text, content, encoding) else 0
        return Decoded(lines, damaged=damaged)
    parts = content.removeprefix(codecs.BOM_UTF8).split(b"\n")
    read = [_unmarked(part) for part in (parts if parts[-1] else parts[:-1])]
    return Decoded([text for text, _ in read], sum(is_legacy for _, is_legacy in read))


def rewrite_as_utf8(path: Path, to: Path) -> Decoded:
    """Write the lines that `decode_lines` finds in a file as UTF-8, one after the other; what is returned has none.

    Args:
        path: the file.
        to: what to write.
    """
    with path.open("rb") as file:
        encoding = _marked(file.read(4))
    lines = _unmarked_lines(path) if encoding is None else _marked_lines(path, encoding)
    legacy, suspect = 0, 0
    with to.open("wb") as file:
        for number, (line, is_legacy) in enumerate(lines):
            file.write((b"\n" if number else b"") + line.encode("utf-8", "replace"))
            legacy, suspect = legacy + is_legacy, suspect + (encoding is not None and "\ufffd" in line)
    return Decoded([], legacy, suspect if encoding and suspect and _has_damage(path, encoding) else 0)


def _unmarked_lines(path: Path) -> Iterator[tuple[str, bool]]:
    """The lines of a file without their line feeds, and whether each is not UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file):
            yield _unmarked((line if number else line.removeprefix(codecs.BOM_UTF8)).removesuffix(b"\n"))


def _marked_lines(path: Path, encoding: str, errors: str = "replace") -> Iterator[tuple[str, bool]]:
    with path.open(encoding=encoding, errors=errors, newline="\n") as file:
        for number, line in enumerate(file):
            yield (line if number else line.removeprefix("\ufeff")).removesuffix("\n"), False


def _has_damage(path: Path, encoding: str) -> bool:
    """As `_is_damaged`, line by line."""
    replaced, written = (
        sum(line.count("\ufffd") for line, _ in _marked_lines(path, encoding, errors))
        for errors in ("replace", "ignore")
    )
    return replaced > written


def is_marked(start: bytes) -> bool:
    """Whether a content that begins so says by a byte order mark that it is UTF-16 or UTF-32."""
    return _marked(start) is not None


def _marked(content: bytes) -> str | None:
    """The encoding that a byte order mark of two or four bytes tells."""
    return next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)


def _without_mark(content: bytes, encoding: str) -> str:
    return content.decode(encoding, "replace").removeprefix("\ufeff")


def _is_damaged(text: str, content: bytes, encoding: str) -> bool:
    """Whether characters had to be replaced; U+FFFD may also have been written."""
    return "\ufffd" in text and text.count("\ufffd") > content.decode(encoding, "ignore").count("\ufffd")


def _unmarked(content: bytes) -> tuple[str, bool]:
    """The text, and whether it is not UTF-8."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode(), False
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), True
    except UnicodeDecodeError:
        return content.decode("latin-1"), True


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return parts if parts[-1] else parts[:-1]
