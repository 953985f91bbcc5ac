"""A table (CSV or Parquet) as a `Domain` of features, by a schema that later tables are held to."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.domain import Domain
from acclimate.data.readers.cells import Cells, open_cells
from acclimate.data.readers.labels import WHOLE_NUMBER, in_order, numbered
from acclimate.data.readers.places import place
from acclimate.data.readers.wording import count_rows, no_such_column, some
from acclimate.data.schema import OWN_COLUMNS, Column, Schema, TableSchema
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

MOST_CATEGORIES = 100
_WORDS_OF_A_TEXT = 5


def read_table(
    path: Path | str,
    *,
    label_column: str | None = None,
    name: str | None = None,
    like: Domain | Schema | None = None,
) -> Domain:
    """Read a table: numbers become float32, text with up to 100 distinct values one feature per value.

    CSV is UTF-8 with a header line; commas, semicolons (then also with decimal commas) and tabs are told apart by
    that line. White space around values does not count; columns without a name and blank lines are left out.

    Args:
        path: a .csv, .tsv or .parquet file.
        label_column: the column that holds the labels. Rows with no value in it are unlabelled. If None, the label
            column of `like`, if there is one; otherwise every column is a feature.
        name: what to call the domain; by default the file's name without its suffix.
        like: a table read before, or its schema. This one then gets the same features in the same order, its own
            further columns are left out, and its label column may be missing.

    Returns:
        Features `(n, d)` with their `schema`. The ids say where in the file a row is: `"line 2"` is the first below
        the header of a CSV file, `"row 1"` the first of a Parquet file. Class names are the label values as text:
        whole numbers in numeric order, otherwise alphabetically.

    Raises:
        RequestError: if there is no such file.
        DataError: naming column, row and value, if the file or a cell breaks a rule.
    """
    path = place(path, "the table")
    schema = like.schema if isinstance(like, Domain) else like
    known = schema if isinstance(schema, TableSchema) else None
    cells = open_cells(path)
    label = _label_column(cells, label_column, known)
    labels, classes = _labels(cells, label)
    used = known or _infer(cells, label)
    features, notes = _encode(cells, used, label)
    name = name or path.stem
    prefixed = tuple(f"{name}: {note}" for note in (*cells.notes, *notes))
    ids = tuple(cells.where(row) for row in range(len(features)))
    return Domain(features, labels, classes, name, ids, prefixed, used)


def _label_column(cells: Cells, asked: str | None, known: TableSchema | None) -> str | None:
    """The column to take labels from; None if the table has none and needs none."""
    expected = known.label_column if known else None
    wanted = asked or expected
    if wanted is None or wanted in cells.frame.columns:
        return wanted
    if wanted == expected:
        return None
    raise no_such_column("label_column", cells.path.name, wanted, cells.frame.columns)


def _labels(cells: Cells, column: str | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as indices into the class names; −1 where the cell is empty."""
    if column is None:
        return np.full(cells.frame.height, UNLABELLED), ()
    series = cells.column(column)
    series = series.fill_nan(None) if series.dtype.is_float() else series
    values = series.cast(pl.String)
    whole = values.str.extract(WHOLE_NUMBER)
    values = whole.fill_null(values)
    _check_are_classes(cells, column, values)
    classes = in_order(values.drop_nulls().unique())
    return numbered(values.fill_null("").to_list(), classes), classes


def _check_are_classes(cells: Cells, column: str, values: pl.Series) -> None:
    """Refuse a column of measurements; a class is something that can be met again."""
    fractions = values.filter(~values.str.contains(WHOLE_NUMBER)).cast(pl.Float64, strict=False)
    if fractions.null_count() == 0 and fractions.n_unique() > MOST_CATEGORIES:
        raise DataError(
            cells.what(column),
            "must hold classes, to be used as labels",
            f"{fractions.n_unique():,} different fractions",
            "Turn it into classes first, for example 'low' and 'high'.",
        )


def _infer(cells: Cells, label: str | None) -> TableSchema:
    """What each column means, by its values."""
    names = [column for column in cells.frame.columns if column != label]
    if not names:
        raise DataError(
            str(cells.path),
            "must have a column besides the labels",
            f"only {label!r}",
            "Add the columns to learn from.",
        )
    return TableSchema(columns=tuple(_infer_column(cells, name) for name in names), label_column=label)


def _infer_column(cells: Cells, name: str) -> Column:
    """Numeric if half of the values or more are numbers; text among them is then an error when it is encoded."""
    series = cells.column(name)
    present = series.drop_nulls()
    if 2 * cells.numbers(present).drop_nulls().len() >= present.len():
        return Column(name=name, kind="numeric")
    categories = sorted(series.fill_null("").unique())
    if len(categories) > MOST_CATEGORIES:
        raise DataError(
            cells.what(name),
            f"must hold numbers, or text with at most {MOST_CATEGORIES} distinct values",
            f"text with {len(categories):,} distinct values, such as {present[0]!r}",
            "Leave the column out or encode it as numbers first; if it holds the texts to learn from, add "
            f"--text-column {shlex.quote(name)}.",
        )
    return Column(name=name, kind="categorical", categories=tuple(categories))


def _encode(cells: Cells, schema: TableSchema, label: str | None) -> tuple[np.ndarray, list[str]]:
    """Features `(n, d)` by the schema, and what a user should know about them."""
    names = [column.name for column in schema.columns]
    missing = [name for name in names if name not in cells.frame.columns]
    if missing:
        raise DataError(
            str(cells.path),
            f"must have the {len(names)} feature columns of the source",
            f"none called {some(missing)}",
            "Add these columns, or leave them out of the source."
            # Not one of them: then it may be meant.
            + (f" {OWN_COLUMNS}" if len(missing) == len(names) else ""),
        )
    extra = [c for c in cells.frame.columns if c not in names and c not in (label, schema.label_column)]
    notes = [f"columns that the source does not have were left out: {some(extra)}."] if extra else []
    features = np.zeros((cells.frame.height, schema.width), dtype=np.float32)
    start = 0
    for column in schema.columns:
        block = features[:, start : start + column.width]
        notes += _encode_column(cells, column, block)
        start += column.width
    return features, notes


def _encode_column(cells: Cells, column: Column, block: np.ndarray) -> Iterator[str]:
    """Fill the column's features in `block` `(n, width)`; yields notes."""
    if column.kind == "numeric":
        block[:, 0] = _finite(cells, column.name)
    else:
        yield from _one_hot(cells, column, block)
    if len(block) > 1 and (block == block[0]).all():
        yield f"column {column.name!r} has the same value in every row."


def _finite(cells: Cells, name: str) -> np.ndarray:
    """A numeric column as float32.

    Raises:
        DataError: naming the first cell that is no finite number.
    """
    series = cells.column(name)
    numbers = cells.numbers(series)
    if series.dtype == pl.String:
        text = (series.is_not_null() & numbers.is_null()).to_numpy()
        if text.any():
            row = int(text.argmax())
            raise DataError(
                cells.what(name),
                "must hold a number in every row",
                f"{series[row]!r} in {cells.where(row)}{_first_of(text)}",
                "Put a number there, or leave the row or the column out.",
            )
    with np.errstate(over="ignore"):
        values = numbers.fill_null(np.nan).to_numpy().astype(np.float32)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(bad.argmax())
        found = "no value" if numbers[row] is None else repr(numbers[row])
        raise DataError(
            cells.what(name),
            "must hold a finite number (of 32 bits) in every row",
            f"{found} in {cells.where(row)}{_first_of(bad)}",
            "Fill these cells, or leave the rows or the column out.",
        )
    return values


def _one_hot(cells: Cells, column: Column, block: np.ndarray) -> Iterator[str]:
    values = cells.column(column.name).cast(pl.String)
    if "" in column.categories and values.null_count():
        empty = count_rows(values.null_count())
        yield f"column {column.name!r} is empty in {empty}; this counts as a value of its own."
    if sum(len(value.split()) for value in column.categories) >= _WORDS_OF_A_TEXT * len(column.categories):
        yield (
            f"column {column.name!r} holds texts of several words, and each is taken as a value of its own; to learn "
            f"from their words, add --text-column {shlex.quote(column.name)}."
        )
    index = {category: i for i, category in enumerate(column.categories)}
    codes = np.array([index.get(value or "", -1) for value in values])
    rows = np.flatnonzero(codes >= 0)
    block[rows, codes[rows]] = 1
    if len(rows) < len(codes):
        unseen = sorted({values[int(row)] or "" for row in np.flatnonzero(codes < 0)})
        yield (
            f"column {column.name!r} has values that the source does not have ({some([repr(v) for v in unseen])}) "
            f"in {count_rows(len(codes) - len(rows))}; they are encoded as zeros."
        )


def _first_of(cells: np.ndarray) -> str:
    """How many cells share the fault, if there are several."""
    return f", the first of {cells.sum():,} such cells" if cells.sum() > 1 else ""
