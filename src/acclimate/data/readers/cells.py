"""A table as cells: columns of text, numbers, truth values or dates, and where each row is, whatever it came in."""

from __future__ import annotations

import re
from bisect import bisect
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs

from acclimate.data.archives import unpacked_limit
from acclimate.data.readers.csvs import Dialect, Text, check_names, header_names, parsed, read_text
from acclimate.data.readers.dates import is_temporal
from acclimate.data.readers.frames import Table, of_values
from acclimate.data.readers.wording import count_rows
from acclimate.errors import DataError, RequestError

TEXT_SUFFIXES = (".csv", ".tsv")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")

# What a column without a name is called, here and by pandas. Often it is pandas' row numbers, which say nothing about
# an example but its place in the file.
_NAMELESS = r"\0\d+|Unnamed: \d+|__index_level_\d+__"
_BYTES_A_VALUE = 8
_DAY = 86_400_000_000  # µs


@dataclass(frozen=True)
class Cells:
    """The cells of a table: text stripped, empty text and NaN null.

    Attributes:
        called: how messages call the table.
        frame: the columns that have a name, without the blank lines of a text.
        unit: what `places` are: `"line"` of a text, or `"row"`.
        places: for each row, where the table has it: line or row of a file, from 1; row of a frame, from 0.
        decimal_comma: whether `1,5` is a number rather than two.
        notes: what was left out.
        files: where a table lies in several, the first row of each and what it is called; no names for one.
    """

    called: str
    frame: pl.DataFrame
    unit: str
    places: np.ndarray
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()
    files: tuple[tuple[int, str], ...] = ()

    def what(self, column: str) -> str:
        """How messages call a column."""
        return f"column {column!r} of {self.called}"

    def where(self, row: int) -> str:
        """How messages and ids call a row."""
        place = f"{self.unit} {self.places[row]}"
        if not self.files:
            return place
        return f"{place} of {self.files[bisect(self.files, row, key=lambda file: file[0]) - 1][1]}"

    def wheres(self) -> list[str]:
        """`where` of every row."""
        if self.files:
            return [self.where(row) for row in range(len(self.places))]
        return [f"{self.unit} {place}" for place in self.places.tolist()]

    def column(self, name: str) -> pl.Series:
        """A column of text, numbers, truth values or dates; durations are numbers of days.

        Raises:
            DataError: if it is of any other type.
        """
        series = self.frame[name]
        if series.dtype == pl.Duration:
            return series.dt.total_microseconds() / _DAY
        if series.dtype in (pl.String, pl.Boolean) or series.dtype.is_numeric() or is_temporal(series):
            return series
        raise DataError(
            self.what(name),
            "must hold numbers, text, truth values or dates",
            f"values of type {series.dtype}",
            "Leave it out, or turn it into numbers first.",
        )


def open_cells(path: Path, dialect: Dialect | None = None) -> Cells:
    """Read a file with a suffix in `SUFFIXES`; of a text, lines without a value are left out.

    Raises:
        RequestError: if there is no such file.
        DataError: if it is no table, has no values, or names its columns badly.
    """
    cells, _ = _open(path, dialect or Dialect())
    empty = without_value(cells)
    if empty.all():
        raise empty_table(path, len(empty))
    return _without_lines(cells, empty) if cells.unit == "line" else cells


def empty_table(path: Path, rows: int) -> DataError:
    """The refusal of a table that has so many rows, and no value."""
    got, fix = f"{count_rows(rows)} without", "Check that this is the right file."
    return DataError(str(path), "must hold at least one row with values", got, fix)


def column_names(path: Path, dialect: Dialect | None = None) -> list[str]:
    """The names of a table's columns; none for a file of another kind."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not path.is_file():
        return []
    if suffix not in TEXT_SUFFIXES:
        rule = "a Parquet file"
        return parsed(path, rule, lambda: pl.scan_parquet(path, glob=False).limit(0).collect()).columns
    return [name for name in header_names(path, dialect or Dialect()) if name]


def open_text_cells(path: Path, dialect: Dialect | None = None) -> Cells:
    """As `open_cells`, and with rows without a value, which may be texts. Blank lines are left out."""
    cells, text = _open(path, dialect or Dialect())
    blank = without_value(cells)
    if text is None or not blank.any():
        return cells
    blank[blank] = text.blank(np.flatnonzero(blank))
    return _without_lines(cells, blank)


def cells_of(table: Table, called: str) -> Cells:
    """The cells of a table that a program holds; its rows are numbered from 0.

    Raises:
        DataError: if it has no rows, or no column.
    """
    if not table.frame.width or not table.frame.height:
        got = f"{count_rows(table.frame.height)} and {table.frame.width} columns"
        raise DataError(called, "must have at least one row and one column", got, "Check what was given.")
    return make_cells(called, table.frame, "row", np.arange(table.frame.height))


def _open(path: Path, dialect: Dialect) -> tuple[Cells, Text | None]:
    """The cells of a file, and the text that they stood in, if it is one."""
    if not path.is_file():
        raise RequestError(
            "the table", "must be a file that exists", repr(str(path)), "Check the spelling and the current folder."
        )
    if path.suffix.lower() not in TEXT_SUFFIXES:
        raw = parsed(path, "a Parquet file", lambda: _read_parquet(path))
        return make_cells(str(path), raw, "row", np.arange(1, raw.height + 1)), None
    text = read_text(path, dialect)
    cells = make_cells(str(path), text.frame, "line", text.places)
    notes = (*cells.notes, *text.notes)
    return replace(cells, decimal_comma=text.separator == ";", notes=notes), text


def _read_parquet(path: Path) -> pl.DataFrame:
    """All columns; refused where a few bytes stand for gigabytes, as equal values in a row may.

    Raises:
        DataError: if it unpacks to more than `unpacked_limit`.
    """
    announced_rows(path)
    return pl.read_parquet(path, glob=False)


def announced_rows(path: Path) -> int:
    """How many rows a Parquet file says that it has.

    Raises:
        DataError: if it unpacks to more than `unpacked_limit`.
    """
    announced = pl.scan_parquet(path, glob=False)
    rows: int = announced.select(pl.len()).collect().item()
    if (size := _BYTES_A_VALUE * rows * len(announced.collect_schema())) > (limit := unpacked_limit(path)):
        fix = "If these are real data, save them as .csv, or leave columns out."
        raise DataError(str(path), f"must unpack to at most {limit:,} bytes", f"{size:,}", fix)
    return rows


def without_value(cells: Cells) -> np.ndarray:
    """Which rows `(n,)` have no value in any column."""
    return cells.frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy().astype(bool)


def _without_lines(cells: Cells, mask: np.ndarray) -> Cells:
    """The other rows; a note counts these."""
    if not mask.any():
        return cells
    return replace(without_rows(cells, mask), notes=(*cells.notes, lines_note(int(mask.sum()))))


def without_rows(cells: Cells, mask: np.ndarray) -> Cells:
    """The rows that a mask `(n,)` does not have."""
    return replace(cells, frame=cells.frame.filter(~mask), places=cells.places[~mask])


def lines_note(count: int) -> str:
    """That so many lines were left out."""
    return f"lines without a value were left out: {count:,}."


def make_cells(called: str, raw: pl.DataFrame, unit: str, places: np.ndarray) -> Cells:
    """The cells in their final form, without columns that have no name."""
    nameless = [column for column in raw.columns if re.fullmatch(_NAMELESS, column)]
    if len(nameless) == raw.width:
        raise DataError(
            called, "must have a column with a name", f"{len(nameless)} without", "Put a name above every column."
        )
    frame = raw.drop(nameless).with_columns(
        cs.categorical().cast(pl.String), cs.by_dtype(pl.Enum, pl.Null).cast(pl.String)
    )
    frame = frame.with_columns(_of_objects(frame, called))
    frame = frame.with_columns(cs.string().str.strip_chars().replace("", None), cs.float().fill_nan(None))
    check_names(called, names := [column.strip() for column in frame.columns])
    frame.columns = names
    notes = (f"columns without a name were left out: {len(nameless)}.",) if nameless else ()
    return Cells(Path(called).name, frame, unit, places, notes=notes)


def _of_objects(frame: pl.DataFrame, called: str) -> list[pl.Series]:
    """Polars' columns of Python objects, which the frames of a program may have."""
    objects = [series for series in frame if series.dtype == pl.Object]
    return [
        of_values(series.to_list(), f"column {series.name!r} of {called}").alias(series.name) for series in objects
    ]
