"""What the columns of a table mean, by their values: the schema that every later table is held to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from acclimate.data.readers import dates, numerals
from acclimate.data.readers.cells import Cells
from acclimate.data.readers.nothing import without_no_number, without_no_value
from acclimate.data.readers.wording import no_such_column, some
from acclimate.data.schema import Column, TableSchema
from acclimate.errors import DataError

MOST_CATEGORIES = 100
_NEARLY_EVERY, _OF_ROWS = 0.9, 20
_WORDS_OF_A_TEXT = 5
# id, ID, patient_id, sampleID, "Patient Nr.", order_number, customerNo; not "paid", "piano".
_ID_NAME = re.compile(
    r"(?i:(?:^|[\W_])(?:id|ids|uid|uuid|guid|identifier|nr|no|num|number|nummer|key))\.?$"
    r"|[a-z](?:ID|Id|Nr|No|Number|Key)\.?$"
)
_LONGEST_ID = 64

UNIQUE = "with a different text in nearly every row"
BLANK = "without a value in any row"


@dataclass(frozen=True)
class Wanted:
    """What a user says of the columns of a table.

    Attributes:
        label: the column of labels; None for none.
        id: the column that names the rows; None for one that looks like it, if there is one.
        only: the columns to learn from; all that are left if empty.
        without: columns not to learn from.
    """

    label: str | None = None
    id: str | None = None
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def infer(cells: Cells, wanted: Wanted) -> tuple[TableSchema, list[str]]:
    """The schema of a table, and what a user should know of it.

    Raises:
        DataError: if a column that is asked for is not there, or none is left to learn from.
    """
    check_asked(cells, wanted)
    id_column = wanted.id or find_id(cells, id_candidates(cells.frame.columns, wanted))
    asked = asked_columns(cells.frame.columns, wanted, id_column)
    found = {name: infer_column(cells, name) for name in asked}
    schema, notes = schema_of(cells, wanted, id_column, found, lambda name: may_be_id(cells.frame[name]))
    texts = [column.name for column in schema.columns if column.kind == "categorical"]
    distinct = {name: without_no_value(cells.frame[name]).drop_nulls().n_unique() for name in texts}
    return schema, [*notes, *notes_on_columns(cells, schema.columns, distinct)]


def id_candidates(names: Sequence[str], wanted: Wanted) -> list[str]:
    """The columns that may name the rows, where the user did not say which does."""
    return [name for name in names if name not in (wanted.label, *wanted.only, *wanted.without)]


def asked_columns(names: Sequence[str], wanted: Wanted, id_column: str | None) -> list[str]:
    """The columns that may be features."""
    free = [name for name in names if name not in (wanted.label, id_column, *wanted.without)]
    return [name for name in free if not wanted.only or name in wanted.only]


def schema_of(
    cells: Cells,
    wanted: Wanted,
    id_column: str | None,
    found: Mapping[str, Column | str],
    names_rows: Callable[[str], bool],
) -> tuple[TableSchema, list[str]]:
    """The schema that follows from what each column was found to be, and why some of them are no features.

    Args:
        cells: the table, or a part of it.
        wanted: what a user says of its columns.
        id_column: that names the rows, if one was found by its name.
        found: what `infer_column` says of the columns that are asked for.
        names_rows: whether a column of texts names every row differently.

    Raises:
        DataError: if no column is left to learn from.
    """
    columns = tuple(column for column in found.values() if isinstance(column, Column))
    reasons = {name: why for name, why in found.items() if isinstance(why, str)}
    if id_column is None:
        id_column = next((n for n, why in reasons.items() if why == UNIQUE and names_rows(n)), None)
    if not columns:
        raise _nothing_left(cells, wanted, reasons)
    others = [name for name in cells.frame.columns if name != wanted.label]
    left_out = tuple(n for n in others if n != id_column and n not in {column.name for column in columns})
    schema = TableSchema(columns=columns, label_column=wanted.label, id_column=id_column, left_out=left_out)
    return schema, list(_notes(schema, reasons))


def find_id(cells: Cells, names: Sequence[str]) -> str | None:
    """The first of these columns that is called an id and names every row differently; None if none does."""
    return next((n for n in names if is_id_name(n) and may_be_id(cells.frame[n])), None)


def is_id_name(name: str) -> bool:
    """Whether a column is called as ids are."""
    return _ID_NAME.search(name) is not None


def may_be_id(series: pl.Series) -> bool:
    """Whether whole numbers, or short texts that are neither numbers nor dates, name every row differently."""
    if series.null_count() or series.n_unique() < series.len():
        return False
    if series.dtype != pl.String:
        return series.dtype.is_integer()
    if series.str.contains(r"^[+-]?[0-9]+$").all():
        return True
    is_number = not numerals.find_style(series)[1].null_count()
    return not is_number and not dates.find_form(series) and bool((series.str.len_chars() <= _LONGEST_ID).all())


def check_asked(cells: Cells, wanted: Wanted) -> None:
    """Refuse names of columns that are not there, or that mean two things.

    Raises:
        DataError: naming them.
    """
    options = {"id_column": (wanted.id,) if wanted.id else (), "columns": wanted.only, "leave_out": wanted.without}
    for option, names in options.items():
        for name in names:
            if name not in cells.frame.columns:
                raise no_such_column(option, cells.called, name, cells.frame.columns)
    for option in ("id_column", "columns"):
        if wanted.label in options[option]:
            fix = f"Leave it out of {option}."
            raise DataError(option, "must not name the column of labels", repr(wanted.label), fix)


def _nothing_left(cells: Cells, wanted: Wanted, reasons: dict[str, str]) -> DataError:
    texts = [shlex.quote(name) for name, reason in reasons.items() if reason == UNIQUE]
    got = some([f"{name!r} {reason}" for name, reason in reasons.items()])
    return DataError(
        cells.called,
        f"must have a column {'besides the labels' if wanted.label else 'to learn from'}",
        got or f"only {wanted.label or wanted.id!r}",
        "Add the columns to learn from, as numbers, dates or a few words"
        + (f"; if it holds the texts to learn from, add --text-column {texts[0]}." if texts else "."),
    )


def infer_column(cells: Cells, name: str) -> Column | str:
    """What a column is, or why it is none to learn from.

    Numeric if half of the values or more are numbers; text among them is then an error when it is encoded.
    """
    series = cells.column(name)
    if series.null_count() == series.len():
        return BLANK
    if dates.is_temporal(series):
        return _date(name, series, "")
    if series.dtype != pl.String:
        return Column(name=name, kind="numeric")
    text = without_no_number(series)
    if not (present := text.len() - text.null_count()):
        return BLANK
    style, numbers = numerals.find_style(text, decimal_comma=cells.decimal_comma)
    if 2 * (numbers.len() - numbers.null_count()) >= present:
        return Column(name=name, kind="numeric", form=style)
    if form := dates.find_form(text):
        return _date(name, text, form)
    return categories_of(name, without_no_value(series).drop_nulls().value_counts())


def _date(name: str, series: pl.Series, form: str) -> Column:
    days = dates.read_days(series, form)
    parts = dates.parts_of(days, form, series.dtype)
    origin = days.median() if "age" in parts else 0.0
    return Column(name=name, kind="date", form=form, parts=parts, origin=origin)


def categories_of(name: str, counts: pl.DataFrame) -> Column | str:
    """The values of a column of texts, the most frequent where there are too many; or why it is none to learn from.

    Args:
        name: of the column.
        counts: each of its values, and how often it occurs.
    """
    value, count = counts.columns
    rows = int(counts[count].sum())
    if rows >= _OF_ROWS and len(counts) >= _NEARLY_EVERY * rows:
        return UNIQUE
    if len(counts) > MOST_CATEGORIES:
        counts = counts.sort([count, value], descending=[True, False])
    return Column(name=name, kind="categorical", categories=tuple(sorted(counts[value][:MOST_CATEGORIES])))


def _notes(schema: TableSchema, reasons: dict[str, str]) -> Iterator[str]:
    """Why columns are no features."""
    if schema.id_column is not None:
        yield f"column {schema.id_column!r} names the rows: it is carried beside the answers, and is no feature."
    for reason in (UNIQUE, BLANK):
        if names := [name for name, why in reasons.items() if why == reason and name != schema.id_column]:
            hint = (
                f" To learn from their words, add --text-column {shlex.quote(names[0])}." if reason == UNIQUE else ""
            )
            yield f"columns {reason} were left out: {some(names)}.{hint}"


def notes_on_columns(cells: Cells, columns: Sequence[Column], distinct: Mapping[str, int]) -> Iterator[str]:
    """What became of columns that are not plain numbers or a few words, of which `distinct` counts the values."""
    for column in columns:
        series = cells.frame[column.name]
        if column.kind == "date":
            yield _date_note(column)
        elif column.kind == "numeric" and series.dtype == pl.String:
            yield from style_note(column.name, series, column.form, decimal_comma=cells.decimal_comma)
        elif column.kind == "categorical":
            yield from _category_notes(column, distinct[column.name])


def style_note(name: str, text: pl.Series, style: str, *, decimal_comma: bool) -> Iterator[str]:
    """How numbers are written, if not as programs do, with the longest of them as an example."""
    if style == numerals.PLAIN or (style == "," and decimal_comma):
        return
    if not len(text := without_no_number(text).drop_nulls()):
        return
    example = text.gather([text.str.len_chars().arg_max() or 0])
    value = numerals.read_numbers(example, style)[0]
    if value is not None:
        yield f"column {name!r} has numbers such as {example[0]!r}, which was read as {value:.15g}."


def _date_note(column: Column) -> str:
    written = f" ({column.form})" if column.form else ""
    if column.parts == ("hour",):
        return f"column {column.name!r} holds times{written}; their features are the hour, as a point on a circle."
    hour = " and the hour" if "hour" in column.parts else ""
    return (
        f"column {column.name!r} holds dates{written}; their features are the age in days from the median day, and "
        f"the weekday{hour} as points on a circle."
    )


def _category_notes(column: Column, distinct: int) -> Iterator[str]:
    if distinct > len(column.categories):
        yield (
            f"column {column.name!r} has {distinct:,} different texts; the {len(column.categories)} most frequent "
            "are told apart, and the others are encoded as zeros."
        )
    if sum(len(value.split()) for value in column.categories) >= _WORDS_OF_A_TEXT * len(column.categories):
        yield (
            f"column {column.name!r} holds texts of several words, and each is taken as a value of its own; to learn "
            f"from their words, add --text-column {shlex.quote(column.name)}."
        )
