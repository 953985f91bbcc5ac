"""A table, in a file or a program, as a `Domain` of features, by a schema that later tables are held to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.bins import Bins
from acclimate.data.domain import Domain
from acclimate.data.places import place
from acclimate.data.readers.cells import Cells, cells_of, open_cells
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.encode import encode
from acclimate.data.readers.frames import Table
from acclimate.data.readers.inference import Wanted, find_id, infer, is_id_name
from acclimate.data.readers.labels import Labels, labels_of_values
from acclimate.data.readers.wording import no_such_column
from acclimate.data.schema import Schema, TableSchema

_ALL_WHOLE = 2**53  # from here on floats leave whole numbers out


def read_table(
    path: Path | str,
    *,
    label_column: str | None = None,
    id_column: str | None = None,
    columns: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    delimiter: str | None = None,
    quoting: str = "auto",
    name: str | None = None,
    like: Domain | Schema | None = None,
    bins: int | Bins | None = None,
) -> Domain:
    """Read a table: numbers become float32, dates a few numbers, text one feature for each of its values.

    CSV has a header line; commas, semicolons (then also with decimal commas), tabs and bars are told apart by that
    line, and encodings as `encodings` says. White space around values does not count; columns without a name and
    blank lines are left out. Numbers are read with thousands separators, decimal commas and percent signs where a
    whole column has them (`numerals`), dates in any form that a whole column has (`dates`). Of texts the 100 most
    frequent are told apart; a column that has a different one in nearly every row is left out. A value that is
    missing is NaN, for the model to fill in. The notes tell all of it.

    Args:
        path: a .csv, .tsv or .parquet file.
        label_column: the column that holds the labels. Rows with no value in it, −1 or "NA" and the like
            (`nothing.NO_VALUE`) are unlabelled. If None, the label column of `like`, if there is one; otherwise there
            are no labels.
        id_column: the column that names the rows. If None, that of `like`, or a column that is called an id and has
            another whole number or text in every row.
        columns: those to learn from, if not all. A table read `like` another has that one's.
        leave_out: those not to learn from; likewise.
        delimiter: what separates the values of a text, if it cannot be told by the header: a character, or
            `"comma"`, `"semicolon"`, `"tab"`, `"pipe"`, `"space"`.
        quoting: see `csvs.Dialect`.
        name: what to call the domain; by default the file's name without its suffix.
        like: a table read before, or its schema. This one then gets the same features in the same order, its own
            further columns are left out, and its label column may be missing.
        bins: predict ranges of the label, which is then a number: so many of equal size, or these.

    Returns:
        Features `(n, d)` with their `schema`. The ids are the values of the id column, and where there is none say
        where in the file a row is: `"line 2"` is the first below the header of a CSV file, `"row 1"` the first of a
        Parquet file. Class names are the label values as text: whole numbers in numeric order, otherwise
        alphabetically.

    Raises:
        RequestError: if there is no such file.
        DataError: naming columns, row and value, if the file or cells break a rule.
    """
    path = place(path, "the table")
    schema = like.schema if isinstance(like, Domain) else like
    known = schema if isinstance(schema, TableSchema) else None
    cells = open_cells(path, Dialect(delimiter, quoting))
    label = label_column_of(cells, label_column, known)
    labels = _labels(cells, label, bins)
    table = encoded(cells, Wanted(label, id_column, tuple(columns), tuple(leave_out)), known)
    name = name or path.stem
    notes = tuple(f"{name}: {note}" for note in (*cells.notes, *labels.notes, *table.notes))
    found = labels.indices, labels.classes
    return Domain(
        table.features, *found, name, table.ids, notes, table.schema, bins=labels.bins, numbers=labels.numbers
    )


def table_domain(table: Table, name: str, known: TableSchema | None = None) -> Domain:
    """A table that a program holds as a domain without labels; its ids are those of a column that has them.

    Raises:
        DataError: if it has no rows, a column is missing, or values break a rule.
    """
    cells = cells_of(table, name)
    made = encoded(cells, Wanted(), known)
    ids = made.ids if made.schema.id_column in cells.frame.columns else ()
    notes = tuple(f"{name}: {note}" for note in (*cells.notes, *made.notes))
    return Domain(made.features, name=name, ids=ids, notes=notes, schema=made.schema)


@dataclass(frozen=True)
class Encoded:
    """A table as features.

    Attributes:
        features: float32 `(n, d)`, NaN where a value is missing.
        schema: what they mean.
        ids: what names each row: its id, or where it has none, its place.
        notes: what a user should know.
    """

    features: np.ndarray
    schema: TableSchema
    ids: tuple[str, ...]
    notes: tuple[str, ...]


def encoded(cells: Cells, wanted: Wanted, known: TableSchema | None) -> Encoded:
    """The features of a table, by the schema `known` or by its own.

    Raises:
        DataError: if a column is missing, or its values break a rule.
    """
    schema, notes = infer(cells, wanted) if known is None else (own_names(cells, wanted, known), [])
    features, more = encode(cells, schema, wanted.label)
    return Encoded(features, schema, ids_of(cells, schema.id_column), (*notes, *more))


def own_names(
    cells: Cells, wanted: Wanted, known: TableSchema, found: Callable[[str], Cells] | None = None
) -> TableSchema:
    """The schema of another table, with the names that this one has for its labels and ids.

    Args:
        cells: the table.
        wanted: what a user says of its columns.
        known: the schema.
        found: gives a column with all of its rows, where `cells` are not all.

    Raises:
        DataError: if a column of ids that is asked for is not there.
    """
    names = cells.frame.columns
    if wanted.id is not None and wanted.id not in names and wanted.id != known.id_column:
        raise no_such_column("id_column", cells.called, wanted.id, names)
    own_id = next((name for name in (wanted.id, known.id_column) if name in names), None)
    if own_id is None:
        free = [name for name in names if name not in (*known.names, wanted.label)]
        ids = (name for name in free if find_id(found(name) if found and is_id_name(name) else cells, [name]))
        own_id = next(ids, known.id_column)
    return known.model_copy(update={"label_column": wanted.label or known.label_column, "id_column": own_id})


def ids_of(cells: Cells, column: str | None, *, whole: bool = True) -> tuple[str, ...]:
    """What names each row: its id, or where it has none, its place.

    Args:
        cells: the table.
        column: of the ids; None, or one that is not there, for none.
        whole: whether floats are whole numbers where all of these are; not if others of their column are none.
    """
    if column is None or column not in cells.frame.columns:
        return tuple(cells.wheres())
    ids = whole_numbers(cells.frame[column]) if whole else cells.frame[column]
    if ids.dtype.is_float():  # as Python writes them into a file
        written = [None if value is None else repr(value) for value in ids.fill_nan(None)]
    else:
        written = ids.cast(pl.String, strict=False).to_list()
    return tuple(own or cells.where(row) for row, own in enumerate(written))


def whole_numbers(values: pl.Series) -> pl.Series:
    """Whole numbers as such, where they came as floats because one beside them was missing."""
    if not values.dtype.is_float():
        return values
    known = values.fill_nan(None).drop_nulls()
    whole = known.cast(pl.Int64, strict=False)
    if whole.null_count() or not ((whole.cast(known.dtype) == known) & (whole.abs() < _ALL_WHOLE)).all():
        return values
    return values.fill_nan(None).cast(pl.Int64)


def label_column_of(cells: Cells, asked: str | None, known: TableSchema | None) -> str | None:
    """The column to take labels from; None if the table has none and needs none."""
    expected = known.label_column if known else None
    wanted = asked or expected
    if wanted is None or wanted in cells.frame.columns:
        return wanted
    if wanted == expected:
        return None
    raise no_such_column("label_column", cells.called, wanted, cells.frame.columns)


def _labels(cells: Cells, column: str | None, bins: int | Bins | None) -> Labels:
    """The labels in a column, where there is one."""
    if column is None:
        return labels_of_values([None] * cells.frame.height, "labels")
    series = label_cells(cells, column, bins)
    return labels_of_values(series.to_list(), cells.what(column), cells.where, bins)


def label_cells(cells: Cells, column: str, bins: int | Bins | None) -> pl.Series:
    """The cells of a column of labels, as `labels_of_values` takes them.

    Raises:
        DataError: if they are of a type that no column is.
    """
    series = cells.column(column)
    if series.dtype == pl.Float32:  # as text it has the digits that it was written with
        series = series.fill_nan(None).cast(pl.String)
    if bins is not None and series.dtype == pl.String and cells.decimal_comma:
        series = series.str.replace(",", ".", literal=True)
    return series
