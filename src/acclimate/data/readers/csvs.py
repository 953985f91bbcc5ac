"""A text of separated values as columns of text: its encoding, its header, what separates and what quotes values."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.readers.encodings import decode_lines, is_marked
from acclimate.data.readers.wording import some
from acclimate.data.spreadsheets import unguard, unguarded
from acclimate.errors import DataError, RequestError

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
QUOTING = ("auto", "double", "none")
_LIKELY = ",;\t|"
_WRAPPED = r'^"((?:[^"]|"")*)"$'
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Dialect:
    """How values stand in a text.

    Attributes:
        delimiter: what separates them, a character or one of `DELIMITERS`; None: whichever the header has most of.
        quoting: `"double"`: a value may stand in double quotes, and those inside are doubled. `"none"`: quotes are
            signs like any other. `"auto"` is double, but of values between tabs one that is not quoted throughout
            keeps its quotes.

    Raises:
        RequestError: if either is none of these.
    """

    delimiter: str | None = None
    quoting: str = "auto"

    def __post_init__(self) -> None:
        sign = self.sign
        if sign is not None and (len(sign) != 1 or not sign.isascii() or sign in '"\r\n'):
            fix = f"Give one character, or one of {', '.join(DELIMITERS)}."
            raise RequestError("delimiter", "must be one plain character", repr(self.delimiter), fix)
        if self.quoting not in QUOTING:
            fix = "Leave quoting out, unless quotes are signs like any other: then none."
            raise RequestError("quoting", f"must be one of {', '.join(QUOTING)}", repr(self.quoting), fix)

    @property
    def sign(self) -> str | None:
        """The delimiter as a character."""
        return None if self.delimiter is None else DELIMITERS.get(self.delimiter, self.delimiter.replace("\\t", "\t"))


@dataclass(frozen=True, slots=True)
class Text:
    """A text as a table.

    Attributes:
        frame: columns of text; one without a name has one that begins with NUL.
        places: for each row, its line in the file, from 1.
        separator: what separates values.
        notes: what a user should know of its encoding.
        lines: the lines of the file, with their ends.
    """

    frame: pl.DataFrame
    places: np.ndarray
    separator: str
    notes: tuple[str, ...]
    lines: Callable[[], Iterator[str]]

    def blank(self, rows: np.ndarray) -> np.ndarray:
        """Which of these rows, none of which has a value, are blank lines rather than a delimiter or two quotes."""
        wanted = set(self.places[rows].tolist())
        found = {place for place, line in enumerate(self.lines(), start=1) if place in wanted and not line.strip()}
        return np.array([place in found for place in self.places[rows]], dtype=bool)


def read_text(path: Path, dialect: Dialect) -> Text:
    """Read a file of separated values under a header.

    Raises:
        DataError: if it is no table, or names its columns badly.
    """
    content, notes = _content(path)
    header = header_of(path, content, dialect)
    raw = read_rows(path, header, content, content.source)
    return Text(raw, starts(raw, header.lines)[0], header.separator, notes, content.lines)


def header_names(path: Path, dialect: Dialect) -> tuple[str, ...]:
    """What the columns of a file are called, empty where they have no name.

    Raises:
        DataError: if there is no header.
    """
    content, _ = _content(path)
    return header_of(path, content, dialect).names


def parsed(path: Path, rule: str, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """What `read` gives.

    Raises:
        DataError: if Polars cannot read the file.
    """
    try:
        return read()
    # A panic of Polars' is no Exception. It is what some damaged Parquet files get.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = str(error).partition("\n")[0]
        raise DataError(
            str(path),
            f"must be {rule}",
            f"a file that cannot be read ({first})",
            f"Check that it is whole, and save it again as {path.suffix}.",
        ) from None


def check_names(path: str, names: Sequence[str]) -> None:
    """Refuse columns of one name.

    Raises:
        DataError: naming them.
    """
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            path,
            "must name each column differently",
            f"{some(repeated)} more than once",
            "Give each column a name of its own.",
        )


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file: Polars reads one of UTF-8 by itself, and of any other what it was turned into."""

    source: Path | bytes

    def lines(self) -> Iterator[str]:
        """The lines, with their ends."""
        if isinstance(self.source, bytes):
            yield from io.StringIO(self.source.decode(), newline="")
            return
        with self.source.open(encoding="utf-8-sig", newline="") as file:
            yield from file


def _content(path: Path) -> tuple[Content, tuple[str, ...]]:
    """The content as UTF-8, and what a user should know of how it was had."""
    if is_utf8(path):
        return Content(path), ()
    decoded = decode_lines(path.read_bytes())
    return Content("\n".join(decoded.texts).encode("utf-8", "replace")), tuple(decoded.notes("lines"))


def is_utf8(path: Path) -> bool:
    """Whether a file is UTF-8, by its mark and every byte of it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        if is_marked(file.read(4)):
            return False
        file.seek(0)
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Header:
    """How a text file begins.

    Attributes:
        lines: how many lines it takes.
        separator: what separates values.
        names: what the columns are called.
        quoted: whether values may stand in quotes, with separators and ends of lines inside.
        unwrapped: if not, whether quotes around a whole value are no part of it.
    """

    lines: int
    separator: str
    names: tuple[str, ...]
    quoted: bool
    unwrapped: bool

    def read(self, source: Path | bytes) -> pl.DataFrame:
        """The file, or its content, as columns of text under these names."""
        quote = '"' if self.quoted else None
        frame = pl.read_csv(source, separator=self.separator, infer_schema=False, glob=False, quote_char=quote)
        frame.columns = [name or f"\0{i}" for i, name in enumerate(self.names)]
        return unguarded(frame.with_columns(pl.all().pipe(_unwrapped)) if self.unwrapped else frame)

    @property
    def called(self) -> str:
        """How messages call what separates values."""
        name = next((name for name, sign in DELIMITERS.items() if sign == self.separator), repr(self.separator))
        return f"a {name}"

    def fault(self, lines: Iterable[str]) -> str:
        """What is wrong with the first line that is no row of the table; empty if none is found."""
        # A quote in the middle of a value: after something and before something that are no quote, no end of a value.
        sign = re.escape(self.separator)
        loose = re.compile(rf'[^{sign}"\r\n]"[^{sign}"\r\n]')
        row: list[str] = []

        def kept() -> Iterator[str]:
            for line in lines:
                row.append(line)
                yield line

        reader = _reader(kept(), self.separator, quoted=self.quoted)
        try:
            for values in reader:
                if len(values) > len(self.names):
                    return f"{len(values)} values in line {reader.line_num}, under {len(self.names)} names"
                if len(row) == 1 and loose.search(row[0]):
                    return f"a quote inside a value in line {reader.line_num}"
                row.clear()
        except csv.Error:  # a value longer than Python's reader takes
            pass
        return ""


def _reader(lines: Iterable[str], separator: str, *, quoted: bool):  # type: ignore[no-untyped-def]  # csv's is private
    return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)


def _unwrapped(column: pl.Expr) -> pl.Expr:
    """Without the quotes around whole values."""
    inside = column.str.extract(_WRAPPED, 1).str.replace_all('""', '"', literal=True)
    return inside.fill_null(column)


def read_rows(path: Path, header: Header, content: Content, rows: Path | bytes) -> pl.DataFrame:
    """All columns as text; where they cannot be had, the line is named that most likely is why.

    Args:
        path: the file.
        header: how it begins.
        content: all that it holds.
        rows: the header and those rows of it that are wanted.

    Raises:
        DataError: if the text is no table.
    """
    rule = "text with the same number of values on every line"
    try:
        return parsed(path, rule, lambda: header.read(rows))
    except DataError:
        fault = header.fault(content.lines())
        if not fault:
            raise
    fix = (
        f"Put double quotes around values that hold {header.called} or a quote, and double the quotes inside; where "
        "quotes are signs like any other, add --quoting none."
    )
    raise DataError(str(path), f"must be {rule}", fault, fix) from None


def header_of(path: Path, content: Content, dialect: Dialect) -> Header:
    """Read the header. Its values are separated by whichever of comma, semicolon, tab and bar it has most of.

    Raises:
        DataError: if there is no header, or one that cannot name columns.
    """
    text = _header_text(content.lines(), quoted=dialect.quoting != "none")
    separator = dialect.sign or _separator(text, path.suffix.lower() == ".tsv")
    literal = dialect.quoting == "auto" and separator == "\t" and _quotes_hold_no_tab(content.lines())
    quoted = dialect.quoting != "none" and not literal
    fields: list[str] = next(
        _reader(io.StringIO(text.strip("\r\n"), newline=""), separator, quoted=dialect.quoting != "none"), []
    )
    names = tuple(unguard(name.strip()) for name in fields)
    header = Header(text.count("\n") or 1, separator, names, quoted, literal)
    _check_header(path, [name for name in header.names if name])
    return header


def _separator(header: str, prefers_tab: bool) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return "\t" if prefers_tab and "\t" in bare else max(_LIKELY, key=bare.count)


def _quotes_hold_no_tab(lines: Iterable[str]) -> bool:
    """Whether every line with a quote has as many tabs as the first line, so that no value in quotes needs them."""
    tabs = None
    for line in lines:
        tabs = line.count("\t") if tabs is None and line.strip() else tabs
        if '"' in line and line.count("\t") != tabs:
            return False
    return True


def _check_header(path: Path, names: Sequence[str]) -> None:
    rule, fix = "must start with a line of column names", "Put a name above every column."
    if not names:
        raise DataError(str(path), rule, "nothing", fix)
    if pl.Series(names).cast(pl.Float64, strict=False).null_count() == 0:
        raise DataError(str(path), rule, f"the numbers {some(names)}", fix)
    check_names(str(path), names)


def _header_text(lines: Iterable[str], *, quoted: bool) -> str:
    """The first line that is not blank, with any blank ones before it and those that its quoted names go on to."""
    text = ""
    for line in lines:
        text += line
        if text.strip() and (not quoted or text.count('"') % 2 == 0):
            break
    return text


def starts(raw: pl.DataFrame, before: int) -> tuple[np.ndarray, int]:
    """The line that each row starts in, from 1, and the last line of all; `before` is the last one before them.

    Quoted values may span lines.
    """
    breaks = raw.select(pl.sum_horizontal(pl.all().str.count_matches("\n"))).to_series().to_numpy().astype(np.int64)
    return before + np.arange(1, raw.height + 1) + np.cumsum(breaks) - breaks, before + raw.height + int(breaks.sum())
