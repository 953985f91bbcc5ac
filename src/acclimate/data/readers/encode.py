"""The cells of a table as features by a schema, the same for every table whatever it came in."""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from acclimate.data.readers import dates, numerals
from acclimate.data.readers.cells import Cells
from acclimate.data.readers.inference import style_note
from acclimate.data.readers.met import Met, counted
from acclimate.data.readers.nothing import without_no_number, without_no_value
from acclimate.data.readers.wording import some
from acclimate.data.schema import OWN_COLUMNS, SOME_SHARED, Column, TableSchema
from acclimate.errors import DataError


@dataclass(frozen=True)
class FaultError(Exception):
    """Why a column cannot be encoded: the rule, the first cell that breaks it, and the next move."""

    rule: str
    got: str
    fix: str


def encode(cells: Cells, schema: TableSchema, label: str | None) -> tuple[np.ndarray, list[str]]:
    """Features float32 `(n, d)` by the schema, NaN where a value is missing, and what a user should know about them.

    Args:
        cells: the table.
        schema: of the source.
        label: this table's column of labels.

    Raises:
        DataError: listing all columns that are not there, or all whose values break a rule.
    """
    notes = names_notes(cells, schema, label)
    features, met = encode_columns(cells, schema)
    return features, [*notes, *(note for name, own in met.items() for note in own.notes(name))]


def encode_columns(cells: Cells, schema: TableSchema) -> tuple[np.ndarray, dict[str, Met]]:
    """Features float32 `(n, d)` as `encode` gives them, of columns that are all there, and what was met in each.

    Raises:
        DataError: listing all columns whose values break a rule.
    """
    features = np.full((cells.frame.height, schema.width), np.nan, dtype=np.float32)
    met, faults = dict[str, Met](), dict[str, FaultError]()
    for column, start in zip(schema.columns, schema.starts, strict=True):
        try:
            met[column.name] = encode_column(cells, column, features[:, start : start + column.width])
        except FaultError as fault:
            faults[column.name] = fault
    refuse(cells, faults)
    return features, met


def names_notes(cells: Cells, schema: TableSchema, label: str | None) -> list[str]:
    """What a user should know of the columns that are there.

    Args:
        cells: the table.
        schema: of the source.
        label: this table's column of labels.

    Raises:
        DataError: listing all columns that are not there.
    """
    _check_there(cells, schema)
    known = (*schema.names, *schema.left_out, schema.label_column, schema.id_column, label)
    extra = [name for name in cells.frame.columns if name not in known]
    return [f"columns that the source does not have were left out: {some(extra)}."] if extra else []


def _check_there(cells: Cells, schema: TableSchema) -> None:
    names, present = schema.names, cells.frame.columns
    missing = [name for name in names if name not in present]
    if not missing:
        return
    others = [name for name in present if name not in names]
    folded = {name.casefold(): name for name in others}
    close = {n: difflib.get_close_matches(n.casefold(), folded, n=1, cutoff=0.75) for n in missing}
    hint = next((f" Is {folded[near[0]]!r} meant by {name!r}?" for name, near in close.items() if near), "")
    them = "it" if len(missing) == 1 else "them"
    fix = f"Add {them}, or leave {them} out of the source: --leave-out {shlex.quote(','.join(missing))}."
    raise DataError(
        cells.called,
        f"must have the {len(names)} feature columns of the source",
        f"none called {some(missing)}",
        # Not one of them: then it may be meant.
        f"{fix}{hint} {OWN_COLUMNS if len(missing) == len(names) else SOME_SHARED}",
    )


def refuse(cells: Cells, faults: dict[str, FaultError]) -> None:
    """Raise what is wrong with columns, all at once.

    Raises:
        DataError: if there is a fault.
    """
    if not faults:
        return
    first = next(iter(faults.values()))
    if len(faults) == 1:
        raise DataError(cells.what(next(iter(faults))), first.rule, first.got, first.fix)
    told = [f"in {name!r}, which {fault.rule}, {fault.got}" for name, fault in faults.items()]
    fix = f"{first.fix.rstrip('.')}: --leave-out {','.join(faults)}."
    raise DataError(f"{len(faults)} columns of {cells.called}", "must be readable", "; ".join(told), fix)


def encode_column(cells: Cells, column: Column, block: np.ndarray) -> Met:
    """Fill the column's features in `block` `(n, width)`; returns what was met there.

    Raises:
        FaultError: if its values break a rule.
        DataError: if they are of a type that no column is.
    """
    found = _ENCODERS[column.kind](cells, column, block)
    return replace(found, rows=len(block), first=block[0].copy() if len(block) else None,
                   constant=bool(len(block)) and bool((block == block[0]).all()))  # fmt: skip


def _numeric(cells: Cells, column: Column, block: np.ndarray) -> Met:
    """A column of numbers.

    Raises:
        FaultError: at text among them, and at what is no finite number.
    """
    series, met = cells.column(column.name), Met()
    if dates.is_temporal(series):
        raise FaultError("must hold numbers, as in the source", f"values of type {series.dtype}", _LEAVE_OUT)
    if series.dtype == pl.String:
        text = without_no_number(series)
        style, numbers = numerals.find_style(text, column.form, decimal_comma=cells.decimal_comma)
        _check_cells(
            cells, (text.is_not_null() & numbers.is_null()).to_numpy(), series, "must hold a number in every row"
        )
        if style != column.form:
            told = tuple(style_note(column.name, series, style, decimal_comma=cells.decimal_comma))
            met = Met(form=style, written=told)
    else:
        numbers = series.cast(pl.Float64)
    with np.errstate(over="ignore"):
        values = numbers.fill_null(np.nan).to_numpy().astype(np.float32)
    _check_cells(cells, np.isinf(values), numbers, "must hold finite numbers (of 32 bits)")
    block[:, 0] = values
    return met


_WHOLE = r"^([+-]?[0-9]+)\.0+$"
_LEAVE_OUT = "Leave the column out."


def _check_cells(cells: Cells, bad: np.ndarray, series: pl.Series, rule: str) -> None:
    if not bad.any():
        return
    row = int(bad.argmax())
    first = f", the first of {bad.sum():,} such cells" if bad.sum() > 1 else ""
    fix = "Write a number there or nothing, or leave the rows or the column out."
    raise FaultError(rule, f"{series[row]!r} in {cells.where(row)}{first}", fix)


def _date(cells: Cells, column: Column, block: np.ndarray) -> Met:
    """A column of dates.

    Raises:
        FaultError: if it holds none, or some that are not written as the others.
    """
    series, met = cells.column(column.name), Met()
    form = ""
    if series.dtype == pl.String:
        series = without_no_number(series)
        form = dates.find_form(series, column.form)
        if not form and series.null_count() < series.len():
            raise _no_dates(cells, column, series)
        if form != column.form and form:
            met = Met(form=form, written=(f"column {column.name!r} has dates written as {form}.",))
    elif not dates.is_temporal(series):
        raise FaultError("must hold dates, as in the source", f"values of type {series.dtype}", _LEAVE_OUT)
    if not form and series.dtype == pl.String:
        return met
    if (series.dtype == pl.Time or form == dates.TIME) != (column.parts == ("hour",)):
        raise FaultError("must hold dates, or times, as in the source", f"{series.drop_nulls()[0]}", _LEAVE_OUT)
    days = dates.read_days(series, form).fill_null(np.nan).to_numpy()
    dates.fill(column, days, block)
    return met


def _no_dates(cells: Cells, column: Column, series: pl.Series) -> FaultError:
    """At the first cell that is not written as the source's dates are."""
    form = column.form or next(iter(dates.FORMS))
    bad = (series.is_not_null() & dates.read_days(series, form).is_null()).to_numpy()
    row = int(bad.argmax())
    first = f", the first of {bad.sum():,} such cells" if bad.sum() > 1 else ""
    got = f"{series[row]!r} in {cells.where(row)}{first}"
    return FaultError(f"must hold dates ({form}), as in the source", got, "Write all dates in one form, or nothing.")


def _one_hot(cells: Cells, column: Column, block: np.ndarray) -> Met:
    """A column of a few values."""
    values = cells.column(column.name).cast(pl.String)
    if "" in column.categories:  # runs of before took an empty cell for a value of its own
        values = values.fill_null("")
    written, values = values, without_no_value(values, column.categories)
    index = {_whole(category): i for i, category in enumerate(column.categories)}
    index |= {category: i for i, category in enumerate(column.categories)}
    found = values.replace_strict(index, default=None, return_dtype=pl.Int64)
    if found.null_count() > values.null_count():
        whole = values.str.replace(_WHOLE, "$1")
        found = found.fill_null(whole.replace_strict(index, default=-1, return_dtype=pl.Int64))
    codes = found.set(values.is_null(), -2).to_numpy()
    rows = np.flatnonzero(codes >= 0)
    block[codes > -2] = 0
    block[rows, codes[rows]] = 1
    return Met(signs=counted(written.filter(values.is_null())), unseen=counted(values.filter(codes == -1)))


def _whole(text: str) -> str:
    """A whole number without the fraction that it has where others of its column miss a value: 1 for 1.0."""
    return re.sub(_WHOLE, r"\1", text)


_ENCODERS = {"numeric": _numeric, "categorical": _one_hot, "date": _date}
