"""Word vectors from files: word2vec's text and binary form and GloVe's, each also compressed with gzip.

    word2vec, text      a line "n d", then n lines "word x_1 … x_d"
    word2vec, binary    a line "n d", then n times: word, blank, d float32 (little-endian), often a line feed
    GloVe               lines "word x_1 … x_d" and no other

Such files have gigabytes, so they are read once from start to end, and only vectors of wanted words are kept.
"""

from __future__ import annotations

import gzip
import re
import zlib
from codecs import getincrementaldecoder
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from io import BufferedReader
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import numpy as np

from acclimate.data.words import folded
from acclimate.errors import DataError, RequestError

MAX_WIDTH = 10_000
_MAX_LINE = 2**20  # bytes; MAX_WIDTH numbers of 100 characters
_MAX_WORD = 2**12  # bytes; the tools that write such files cut words at 100 or 1,000
_BLOCK = 2**20
_BOM = b"\xef\xbb\xbf"
_HEADER = re.compile(rb"[ \t]*([0-9]{1,18})[ \t]+([0-9]{1,18})\s*")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_WHOLE = "Get the file again, or write it anew."
_FORMS = "Give word vectors in word2vec's form (text or binary) or in GloVe's, unpacked or as .gz."

# Where an entry begins (line or byte), its word, its numbers as they stand in the file.
_Entry = tuple[int, bytes, bytes]


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: n words.
        matrix: `(n, d)` float32, a row for each.
        notes: sentences that the user should know.
    """

    words: tuple[str, ...]
    matrix: np.ndarray
    notes: tuple[str, ...] = ()


def read_word_vectors(path: Path | str, width: int, wanted: Collection[str]) -> WordVectors:
    """The vectors of wanted words from a file.

    A word is looked up as it is. Where the file has no such word, the first one counts that is the same after folding
    (`words.folded`): wanted words are in lower case, and many files also or only have "London". Of two vectors of one
    word the first counts. What stands between is read past: numbers of words that nobody wants are counted in text
    files, and not looked at in binary ones. Needs memory for the wanted vectors and two megabytes more.

    Args:
        path: of the file; the form is told by its content.
        width: d, numbers that each vector must have.
        wanted: words, folded.

    Returns:
        Those of the wanted words that the file has, in the order in which they were asked for.

    Raises:
        RequestError: if there is no such file or it cannot be opened.
        DataError: if it is in none of the forms, has vectors of another width, is cut short, or its first line says
            other than what follows; if a wanted vector holds what is no finite float32.
    """
    path = Path(path)
    with _reading(path) as file:
        layout = _layout(path, file.read(_MAX_LINE))
        if layout.width != width:
            raise DataError(
                str(path),
                f"must have {_numbers(width)} for each word, as the network does",
                _numbers(layout.width),
                f"Set word_width={layout.width}, or leave word_width out: the network then takes the file's.",
            )
        file.seek(0)
        kept = _Kept(wanted, width)
        for at, word, numbers in (_binary_entries if layout.binary else _text_entries)(path, file, layout):
            row = kept.row_for(word)
            if row is not None:
                kept.matrix[row] = _vector(numbers, layout, f"{path}, {layout.unit} {at:,}", word)
    return kept.vectors()


def vectors_width(path: Path | str) -> int:
    """d, how many numbers the vectors in a file have, as its beginning says.

    Raises:
        RequestError: if there is no such file or it cannot be opened.
        DataError: if it does not begin as a file of word vectors does.
    """
    with _reading(Path(path)) as file:
        return _layout(Path(path), file.read(_MAX_LINE)).width


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked if it is a gzip file, and say in one sentence what goes wrong while it is open."""
    rule = "must be 'own', 'random' or a file of word vectors"
    if not path.is_file():
        got = f"{str(path)!r}, a folder" if path.is_dir() else f"{str(path)!r}, and there is no such file"
        raise RequestError("word_vectors", rule, got, _FORMS)
    try:
        with path.open("rb") as plain, _unpacked(plain) as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(str(path), "must be a whole gzip file", f"a damaged one ({error})", _WHOLE) from None
    except OSError as error:
        raise RequestError("word_vectors", rule, f"{str(path)!r}: {error.strerror or error}", _FORMS) from None


def _unpacked(plain: BufferedReader) -> AbstractContextManager[BinaryIO]:
    packed = plain.peek(2)[:2] == b"\x1f\x8b"
    return cast(AbstractContextManager[BinaryIO], gzip.open(plain)) if packed else nullcontext(plain)


@dataclass(frozen=True)
class _Layout:
    """What the beginning of a file says.

    Attributes:
        width: d.
        count: n, or None where no line says so.
        binary: numbers are float32, not decimal.
        start: where the entries begin, in bytes.
    """

    width: int
    count: int | None = None
    binary: bool = False
    start: int = 0

    @property
    def unit(self) -> str:
        """In what places in the file are counted."""
        return "byte" if self.binary else "line"


def _layout(path: Path, beginning: bytes) -> _Layout:
    start = len(_BOM) if beginning.startswith(_BOM) else 0
    first, _, rest = beginning[start:].partition(b"\n")
    if not beginning[start:].strip():
        raise DataError(str(path), "must hold word vectors", "an empty file", _FORMS)
    header = _HEADER.fullmatch(first)
    if header:
        return _headed_layout(path, int(header[1]), int(header[2]), rest, start + len(first) + 1)
    width = _numbers_at_end(first)
    if not width or _CONTROL.search(first):
        packed = " Unpack it first." if beginning.startswith(b"PK") else ""
        raise DataError(
            str(path),
            "must begin with a word and its numbers, or with how many words and numbers there are",
            repr(first[:40]).removeprefix("b"),
            _FORMS + packed,
        )
    _check_width(path, width)
    return _Layout(width, start=start)


def _headed_layout(path: Path, count: int, width: int, rest: bytes, start: int) -> _Layout:
    _check_width(path, width)
    line = rest.partition(b"\n")[0]
    found = _numbers_at_end(line)
    numbers = rest.find(b" ") + 1
    if found != width and not _is_text(
        rest[: numbers + 4 * width]
    ):  # the first line feed may be one of float32's bytes
        return _Layout(width, count, binary=True, start=start)
    if line and found != width:
        _refuse_line(path, 2, found, width, "as its first line says")
    return _Layout(width, count, start=start)


def _check_width(path: Path, width: int) -> None:
    if not 1 <= width <= MAX_WIDTH:
        got = _numbers(width)
        raise DataError(f"{path}, line 1", f"must tell of 1 to {MAX_WIDTH:,} numbers for each word", got, _FORMS)


def _is_text(start: bytes) -> bool:
    """Whether bytes, which may end inside a letter, are text."""
    try:
        getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(start)


def _numbers_at_end(line: bytes) -> int:
    """How many fields at the end of a line are numbers, its first field not counted."""
    return sum(1 for _ in takewhile(_is_number, reversed(line.split()[1:])))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _text_entries(path: Path, file: BinaryIO, layout: _Layout) -> Iterator[_Entry]:
    file.seek(layout.start)
    read = 0
    for at, line in enumerate(_lines(path, file), start=1 if layout.count is None else 2):
        body = line.rstrip()
        if not body:
            continue
        read += 1
        # Almost every line has single blanks; splitting all of them would take ten times as long.
        usual = body.count(b" ") == layout.width
        yield at, *(body.split(b" ", 1) if usual else _split(path, at, body, layout.width))
    if layout.count is not None and read != layout.count:
        _refuse_count(path, layout.count, f"{read:,}")


def _lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_MAX_LINE):
        if len(line) == _MAX_LINE and not line.endswith(b"\n"):
            got = f"one of {_MAX_LINE:,} bytes or more"
            raise DataError(str(path), "must have a word and its numbers on each line", got, _WHOLE)
        yield line


def _split(path: Path, at: int, body: bytes, width: int) -> tuple[bytes, bytes]:
    """The word, which may have blanks in it, and its numbers."""
    fields = body.split()
    blank_word = body[:1].isspace() and len(fields) == width
    surplus = fields[1 : len(fields) - width]
    if not blank_word and (len(fields) <= width or (surplus and all(map(_is_number, surplus)))):
        _refuse_line(path, at, len(fields) - 1, width, "as the lines before")
    return b" ".join(fields[: len(fields) - width]), b" ".join(fields[-width:])


def _refuse_line(path: Path, at: int, got: int, width: int, why: str) -> NoReturn:
    raise DataError(f"{path}, line {at:,}", f"must hold a word and {_numbers(width)}, {why}", _numbers(got), _WHOLE)


def _refuse_count(path: Path, count: int, got: str) -> NoReturn:
    raise DataError(str(path), f"must hold {count:,} words with their vectors, as its first line says", got, _WHOLE)


def _binary_entries(path: Path, file: BinaryIO, layout: _Layout) -> Iterator[_Entry]:
    size, count = 4 * layout.width, layout.count or 0
    file.seek(layout.start)
    block, here, before = b"", 0, layout.start  # the entry begins at block[here], which is byte before + here
    for number in range(count):
        if len(block) - here < _MAX_WORD + 1 + size:
            block, here, before = block[here:] + file.read(_BLOCK), 0, before + here
        blank = block.find(b" ", here, here + _MAX_WORD)
        if blank < 0 and len(block) - here >= _MAX_WORD:
            where, rule = f"{path}, byte {before + here:,}", f"must begin a word of at most {_MAX_WORD:,} bytes"
            raise DataError(where, rule, "no blank after one", _WHOLE)
        end = blank + 1 + size
        if blank < 0 or end > len(block):
            _refuse_count(path, count, f"{number:,} before it ends")
        yield before + here, block[here:blank].lstrip(b"\n"), block[blank + 1 : end]
        here = end
    if (block[here:] + file.read(_BLOCK)).strip(b"\n"):
        _refuse_count(path, count, "more bytes after them")


def _vector(numbers: bytes, layout: _Layout, where: str, word: bytes) -> np.ndarray:
    """The numbers of one word `(d,)` in float32, all finite."""
    rule = f"must have {_numbers(layout.width)} for the word {word.decode('utf-8', 'replace')!r}"
    if layout.binary:
        vector = np.frombuffer(numbers, dtype="<f4")
    else:
        fields = numbers.split()
        wrong = next((field for field in fields if not _is_number(field)), None)
        if wrong is not None or len(fields) != layout.width:
            got = _numbers(len(fields)) if wrong is None else repr(wrong[:40]).removeprefix("b")
            raise DataError(where, rule, got, _WHOLE)
        with np.errstate(over="ignore"):  # what is too large is refused below
            vector = np.array([float(field) for field in fields]).astype(np.float32)
    if not np.isfinite(vector).all():
        got = str(vector[~np.isfinite(vector)][0])
        raise DataError(where, f"{rule} that are finite in single precision", got, _WHOLE)
    return vector


def _numbers(n: int) -> str:
    return f"{n:,} number{'' if n == 1 else 's'}"


class _Kept:
    """Room for the vectors of wanted words.

    Attributes:
        matrix: `(n, d)`, a row for each wanted word.
    """

    def __init__(self, wanted: Collection[str], width: int) -> None:
        self._rows = {word: row for row, word in enumerate(dict.fromkeys(wanted))}
        self.matrix = np.empty((len(self._rows), width), dtype=np.float32)
        self._found = np.zeros(len(self._rows), dtype=bool)
        self._exact = np.zeros(len(self._rows), dtype=bool)

    def row_for(self, word: bytes) -> int | None:
        """Where the vector of a word belongs; None if it is not wanted or a better one was there before."""
        text = word.decode("utf-8", "replace")
        row = self._rows.get(text)
        if row is not None and not self._exact[row]:
            self._exact[row] = self._found[row] = True
            return row
        row = self._rows.get(folded(text))
        if row is None or self._found[row]:
            return None
        self._found[row] = True
        return row

    def vectors(self) -> WordVectors:
        """The words that were found."""
        words = tuple(word for word, row in self._rows.items() if self._found[row])
        return WordVectors(words, self.matrix[self._found])
