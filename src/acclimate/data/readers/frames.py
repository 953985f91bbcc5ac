"""Tables as programs hold them: data frames of any library, lists of dicts, dicts of columns.

[Narwhals](https://narwhals-dev.github.io/narwhals/) reads the frames of pandas, Polars, PyArrow and others by one
interface; scikit-learn uses it for the same.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from acclimate.data.readers.wording import some
from acclimate.errors import DataError

_DAY = 86_400_000_000  # µs
_MISSING = ("NAType", "NaTType")  # pandas', which is no dependency
_WHOLE = 2**63


@dataclass(frozen=True)
class Table:
    """Columns under names.

    Attributes:
        frame: the columns. What they hold is not looked at yet.
        named: whether all names are text, and so names: those of pandas may be numbers, which are places.
    """

    frame: pl.DataFrame
    named: bool = True

    def __len__(self) -> int:
        return self.frame.height

    def __getitem__(self, rows: np.ndarray) -> Table:
        """The rows with these indices or, of a mask, those where it is true."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Table(self.frame[index], self.named)


def as_table(values: Any, what: str) -> Table | None:
    """The table that a caller gave; None for anything else, such as an array.

    Args:
        values: a frame of pandas, Polars, PyArrow or another library that narwhals knows, lazy ones too; a list of
            dicts, a dict of columns, or an array `(n, d)` of texts or objects, whose columns have no names.
        what: what to call it in messages.

    Raises:
        DataError: if two columns have one name, or columns differ in length, or hold neither numbers nor text.
    """
    if isinstance(values, Table):
        return values
    if isinstance(values, Mapping) and not hasattr(values, "__dataframe__"):
        return _of_columns({str(name): _listed(column) for name, column in values.items()}, what)
    if isinstance(values, list | tuple) and values and all(isinstance(row, Mapping) for row in values):
        names = dict.fromkeys(str(name) for row in values for name in row)
        rows = [{str(name): value for name, value in row.items()} for row in values]
        return _of_columns({name: [row.get(name) for row in rows] for name in names}, what)
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.dtype.kind in "OU":
        columns = {f"x{i}": values[:, i].tolist() for i in range(values.shape[1])}
        return Table(_of_columns(columns, what).frame, named=False)
    return _of_frame(values, what)


def _of_frame(values: Any, what: str) -> Table | None:
    try:
        frame = nw.from_native(values, pass_through=True)
    except nw.exceptions.NarwhalsError as error:
        raise DataError(
            what, "must name each column differently", str(error).partition("\n")[0], "Rename them."
        ) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, nw.DataFrame):
        return None
    names = list(frame.columns)
    texts = [str(name) for name in names]
    if len(set(texts)) < len(texts):
        repeated = sorted({name for name in texts if texts.count(name) > 1})
        raise DataError(what, "must name each column differently", f"{some(repeated)} more than once", "Rename them.")
    columns = [
        _of_series(series, f"column {str(name)!r} of {what}")
        for name, series in zip(names, frame.iter_columns(), strict=True)
    ]
    made = pl.DataFrame([column.alias(name) for name, column in zip(texts, columns, strict=True)])
    return Table(made, all(isinstance(name, str) for name in names))


def _listed(column: Any) -> list[Any]:
    values = (
        column.tolist() if hasattr(column, "tolist") else column.to_list() if hasattr(column, "to_list") else column
    )
    return list(values) if not isinstance(values, str) else [values]


def _of_columns(columns: Mapping[str, Sequence[Any]], what: str) -> Table:
    if len({len(column) for column in columns.values()}) > 1:
        lengths = [f"{len(column):,} in {name!r}" for name, column in columns.items()]
        raise DataError(what, "must have columns of one length", some(lengths), "Make all columns equally long.")
    return Table(
        pl.DataFrame(
            [of_values(column, f"column {name!r} of {what}").alias(name) for name, column in columns.items()]
        )
    )


def _of_series(series: nw.Series[Any], what: str) -> pl.Series:
    """A column of any library as one of Polars'."""
    native = series.to_native()
    if isinstance(native, pl.Series) and native.dtype != pl.Object:
        return native
    if series.dtype.is_float():
        return pl.Series(series.to_numpy()).cast(pl.Float64)
    if series.dtype.is_integer() and not series.null_count():
        return pl.Series(series.to_numpy())
    if isinstance(series.dtype, nw.Datetime):
        return pl.Series(series.dt.replace_time_zone(None).to_numpy().astype("datetime64[us]"))
    if isinstance(series.dtype, nw.Duration):
        return pl.Series(series.to_numpy().astype("timedelta64[us]"))
    return of_values(series.to_list(), what)


def of_values(values: Sequence[Any], what: str) -> pl.Series:
    """Python's values as a column: truth values, numbers, dates or, of a mixture, text; null where there is none.

    Raises:
        DataError: if one is none of these.
    """
    cleaned = [None if is_missing(value) else value for value in values]
    present = [value for value in cleaned if value is not None]
    if all(isinstance(value, bool | np.bool_) for value in present):
        return pl.Series(cleaned, dtype=pl.Boolean if present else pl.String)
    if all(isinstance(value, bool | np.bool_ | int | float | np.number | Decimal) for value in present):
        return _numbers(cleaned)
    if all(isinstance(value, datetime.date | datetime.time | np.datetime64) for value in present):
        return _dates(cleaned)
    if all(isinstance(value, datetime.timedelta | np.timedelta64) for value in present):
        return pl.Series(np.array(cleaned, dtype="timedelta64[us]"))
    return pl.Series([None if value is None else _text(value, what) for value in cleaned], dtype=pl.String)


def is_missing(value: Any) -> bool:
    """True for None, for NaN, and for pandas' two values that stand for nothing."""
    if value is None or type(value).__name__ in _MISSING:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _numbers(values: list[Any]) -> pl.Series:
    present = [value for value in values if value is not None]
    if all(isinstance(value, int | np.integer) and abs(int(value)) < _WHOLE for value in present):
        return pl.Series([None if value is None else int(value) for value in values], dtype=pl.Int64)
    if all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in present):
        # Longer than any number type: as a file has them, so that an id keeps all of its digits.
        return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
    return pl.Series([None if value is None else _float(value) for value in values], dtype=pl.Float64)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond what floats hold, which is refused as infinite
        return float("inf") if value > 0 else float("-inf")


def _dates(values: list[Any]) -> pl.Series:
    if any(isinstance(value, datetime.time) for value in values):
        return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
    plain = [value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value for value in values]
    return pl.Series(np.array(plain, dtype="datetime64[us]"))


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # halves of characters, which nothing can write
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, int | float | np.number | Decimal | datetime.date | datetime.time):
        return str(value)
    raise DataError(
        what,
        "must hold numbers, text, truth values or dates",
        f"{value!r:.60}, a {type(value).__name__}",
        "Leave the column out, or turn it into numbers first.",
    )
