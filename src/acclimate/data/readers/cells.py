"""A CSV or Parquet file as cells: columns of text, numbers or booleans, and where in the file each row is."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.archives import unpacked_limit
from acclimate.data.readers.encodings import decode_lines
from acclimate.data.readers.wording import count_rows, some
from acclimate.data.spreadsheets import unguard, unguarded
from acclimate.errors import DataError, RequestError

TEXT_SUFFIXES = (".csv", ".tsv")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")

# What a column without a name is called, here and by pandas. Often it is pandas' row numbers, which say nothing about
# an example but its place in the file.
_NAMELESS = r"\0\d+|Unnamed: \d+|__index_level_\d+__"


_BYTES_A_VALUE = 8


@dataclass(frozen=True)
class Cells:
    """The cells of a table: text stripped, empty text null.

    Attributes:
        path: the file.
        frame: the columns that have a name, without the blank lines of a text.
        places: for each row, where the file has it: line (of text) or row (of Parquet), from 1.
        decimal_comma: whether `1,5` can be a number.
        notes: what was left out.
    """

    path: Path
    frame: pl.DataFrame
    places: np.ndarray
    decimal_comma: bool
    notes: tuple[str, ...]

    def what(self, column: str) -> str:
        """How messages call a column."""
        return f"column {column!r} of {self.path.name}"

    def where(self, row: int) -> str:
        """How messages and ids call a row."""
        return f"{'line' if _is_text(self.path) else 'row'} {self.places[row]}"

    def column(self, name: str) -> pl.Series:
        """A column of text, numbers or booleans.

        Raises:
            DataError: if it is of any other type.
        """
        series = self.frame[name]
        if series.dtype == pl.String or series.dtype == pl.Boolean or series.dtype.is_numeric():
            return series
        raise DataError(
            self.what(name),
            "must hold numbers or text",
            f"values of type {series.dtype}",
            "Leave it out, or turn it into numbers first.",
        )

    def numbers(self, series: pl.Series) -> pl.Series:
        """Float64 values; null where there is no value or none that is a number. `true` is 1 and `false` 0."""
        if series.dtype != pl.String:
            return series.cast(pl.Float64)
        text = series.str.replace(",", ".", literal=True) if self.decimal_comma else series
        truth = text.str.to_lowercase().replace_strict({"true": 1.0, "false": 0.0}, default=None)
        return text.cast(pl.Float64, strict=False).fill_null(truth.cast(pl.Float64))


def open_cells(path: Path) -> Cells:
    """Read a file with a suffix in `SUFFIXES`; of a text, lines without a value are left out.

    Raises:
        RequestError: if there is no such file.
        DataError: if it is no table, has no values, or names its columns badly.
    """
    _check_is_file(path)
    if _is_text(path):
        header = _header(path, _utf8_lines(path))
        raw = _raw_text(path, "UTF-8 text", header, path, _utf8_lines(path))
        cells = _of_text(path, header, raw)
    else:
        cells = _of_parquet(path)
    empty = _without_value(cells)
    if empty.all():
        raise DataError(
            str(path),
            "must hold at least one row with values",
            f"{count_rows(len(empty))} without",
            "Check that this is the right file.",
        )
    return _without_lines(cells, empty) if _is_text(path) else cells


def open_text_cells(path: Path) -> Cells:
    """As `open_cells`, in any encoding that `decode_lines` takes, and with rows without a value: they may be texts.

    Blank lines are left out.
    """
    _check_is_file(path)
    if not _is_text(path):
        return _of_parquet(path)
    decoded = decode_lines(path.read_bytes())
    lines = decoded.texts
    header = _header(path, (f"{line}\n" for line in lines))
    raw = _raw_text(path, "text", header, "\n".join(lines).encode(), (f"{line}\n" for line in lines))
    cells = _of_text(path, header, raw)
    blank = _without_value(cells)
    rows = np.flatnonzero(blank)
    blank[rows] = [not "".join(lines[place - 1 : place]).strip() for place in cells.places[rows]]
    return _without_lines(replace(cells, notes=(*cells.notes, *decoded.notes("lines"))), blank)


def _without_value(cells: Cells) -> np.ndarray:
    """Which rows `(n,)` have no value in any column."""
    return cells.frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy().astype(bool)


def _without_lines(cells: Cells, mask: np.ndarray) -> Cells:
    """The other rows; a note counts these."""
    if not mask.any():
        return cells
    note = f"lines without a value were left out: {mask.sum():,}."
    return replace(cells, frame=cells.frame.filter(~mask), places=cells.places[~mask], notes=(*cells.notes, note))


def _check_is_file(path: Path) -> None:
    if not path.is_file():
        raise RequestError(
            "the table", "must be a file that exists", repr(str(path)), "Check the spelling and the current folder."
        )


def _of_parquet(path: Path) -> Cells:
    raw = _raw(path, "a Parquet file", _read_parquet)
    return _cells(path, raw, np.arange(1, raw.height + 1), decimal_comma=False)


def _of_text(path: Path, header: _Header, raw: pl.DataFrame) -> Cells:
    return _cells(path, raw, header.lines + _lines(raw), decimal_comma=header.separator == ";")


def _read_parquet(path: Path) -> pl.DataFrame:
    """All columns; refused where a few bytes stand for gigabytes, as equal values in a row may.

    Raises:
        DataError: if it unpacks to more than `unpacked_limit`.
    """
    announced = pl.scan_parquet(path, glob=False)
    size = _BYTES_A_VALUE * announced.select(pl.len()).collect().item() * len(announced.collect_schema())
    if size > (limit := unpacked_limit(path)):
        fix = "If these are real data, save them as .csv, or leave columns out."
        raise DataError(str(path), f"must unpack to at most {limit:,} bytes", f"{size:,}", fix)
    return pl.read_parquet(path, glob=False)


def _is_text(path: Path) -> bool:
    return path.suffix.lower() in TEXT_SUFFIXES


def _raw(path: Path, rule: str, read: Callable[[Path], pl.DataFrame]) -> pl.DataFrame:
    try:
        return read(path)
    # A panic of Polars' is no Exception. It is what some damaged Parquet files get.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = str(error).partition("\n")[0]
        raise DataError(
            str(path),
            f"must be {rule}",
            f"a file that cannot be read ({first})",
            f"Check that it is whole, and save it again as {path.suffix}.",
        ) from None


def _raw_text(path: Path, kind: str, header: _Header, source: Path | bytes, lines: Iterable[str]) -> pl.DataFrame:
    """All columns of a text as text; where they cannot be had, the line is named that most likely is why.

    Raises:
        DataError: if the text is no table.
    """
    rule = f"{kind} with the same number of values on every line"
    try:
        return _raw(path, rule, lambda _: header.read(source))
    except DataError:
        fault = header.fault(lines)
        if not fault:
            raise
    fix = f"Put double quotes around values that hold {header.called} or a quote, and double the quotes inside."
    raise DataError(str(path), f"must be {rule}", fault, fix) from None


@dataclass(frozen=True, slots=True)
class _Header:
    """How a text file begins: how many lines the header takes, what separates values, what the columns are called."""

    lines: int
    separator: str
    names: tuple[str, ...]

    def read(self, source: Path | bytes) -> pl.DataFrame:
        """The file, or its content, as columns of text under these names."""
        frame = pl.read_csv(source, separator=self.separator, infer_schema=False, glob=False)
        frame.columns = [name or f"\0{i}" for i, name in enumerate(self.names)]
        return unguarded(frame)

    @property
    def called(self) -> str:
        """How messages call what separates values."""
        return {",": "a comma", ";": "a semicolon", "\t": "a tab"}[self.separator]

    def fault(self, lines: Iterable[str]) -> str:
        """What is wrong with the first line that is no row of the table; empty if none is found."""
        # A quote in the middle of a value: after something and before something that are no quote, no end of a value.
        loose = re.compile(rf'[^{self.separator}"\r\n]"[^{self.separator}"\r\n]')
        row: list[str] = []

        def kept() -> Iterator[str]:
            for line in lines:
                row.append(line)
                yield line

        reader = csv.reader(kept(), delimiter=self.separator)
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


def _header(path: Path, lines: Iterable[str]) -> _Header:
    """Read the header. Its values are separated by whichever of comma, semicolon and tab it has most of.

    Raises:
        DataError: if there is no header, or one that cannot name columns.
    """
    text = _header_text(lines)
    bare = re.sub(r'"[^"]*"', "", text)
    separator = max(",;\t", key=bare.count)
    fields = next(csv.reader(io.StringIO(text.strip("\r\n"), newline=""), delimiter=separator), [])
    header = _Header(text.count("\n"), separator, tuple(unguard(name.strip()) for name in fields))
    names = [name for name in header.names if name]
    rule, fix = "must start with a line of column names", "Put a name above every column."
    if not names:
        raise DataError(str(path), rule, "nothing", fix)
    if pl.Series(names).cast(pl.Float64, strict=False).null_count() == 0:
        raise DataError(str(path), rule, f"the numbers {some(names)}", fix)
    _check_names(path, names)
    return header


def _utf8_lines(path: Path) -> Iterator[str]:
    """The lines of a file, with their ends.

    Raises:
        DataError: if they are not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except UnicodeDecodeError:
        raise DataError(str(path), "must be UTF-8 text", "other bytes", "Save it again as “CSV UTF-8”.") from None


def _header_text(lines: Iterable[str]) -> str:
    """The first line that is not blank, with any blank ones before it and those that its quoted names go on to."""
    text = ""
    for line in lines:
        text += line
        if text.strip() and text.count('"') % 2 == 0:
            break
    return text


def _check_names(path: Path, names: Sequence[str]) -> None:
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            str(path),
            "must name each column differently",
            f"{some(repeated)} more than once",
            "Give each column a name of its own.",
        )


def _lines(raw: pl.DataFrame) -> np.ndarray:
    """How many lines below the header each row starts. Quoted values may span lines."""
    breaks = raw.select(pl.sum_horizontal(pl.all().str.count_matches("\n"))).to_series().to_numpy().astype(np.int64)
    return np.arange(1, raw.height + 1) + np.cumsum(breaks) - breaks


def _cells(path: Path, raw: pl.DataFrame, places: np.ndarray, *, decimal_comma: bool) -> Cells:
    """The cells in their final form, without columns that have no name."""
    nameless = [column for column in raw.columns if re.fullmatch(_NAMELESS, column)]
    if len(nameless) == raw.width:
        raise DataError(
            str(path), "must have a column with a name", f"{len(nameless)} without", "Put a name above every column."
        )
    frame = raw.drop(nameless).with_columns(pl.col(pl.Categorical, pl.Enum, pl.Null).cast(pl.String))
    frame = frame.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
    _check_names(path, names := [column.strip() for column in frame.columns])
    frame.columns = names
    notes = (f"columns without a name were left out: {len(nameless)}.",) if nameless else ()
    return Cells(path, frame, places, decimal_comma, notes)
