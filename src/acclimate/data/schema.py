"""What the columns of a file mean, so that every further one is read the same way."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

OWN_COLUMNS = "If each side has columns of its own: with a few labels on the target, --method cgt needs no others."
SOME_SHARED = "Or keep each side's own: with a few labels on the target, --method bridge needs some in common only."


Part = Literal["age", "weekday", "hour"]
# Age is a number; weekday and hour are each a point on a circle, on which Sunday is beside Monday.
_WIDTHS: dict[Part, int] = {"age": 1, "weekday": 2, "hour": 2}


class Column(BaseModel):
    """One feature column. A cell without a value is missing in all of its features.

    Attributes:
        name: the column's name in the file.
        kind: `"numeric"` fills one feature, `"categorical"` one per category, `"date"` those of its parts.
        categories: the values of a categorical column, sorted; a value outside them is encoded as zeros.
        form: how its numbers or dates are written, where they came as text (`readers.numerals`, `readers.dates`). A
            later column may be written otherwise; where it can be read in several ways, this one is meant.
        parts: what the features of a date are: its age in days, the weekday, the hour.
        origin: the day from which ages count, the median of the source, in days since 1970.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["numeric", "categorical", "date"]
    categories: tuple[str, ...] = ()
    form: str = ""
    parts: tuple[Part, ...] = ()
    origin: float = 0.0

    @property
    def width(self) -> int:
        """How many features the column fills."""
        if self.kind == "date":
            return sum(_WIDTHS[part] for part in self.parts)
        return len(self.categories) if self.kind == "categorical" else 1


class TableSchema(BaseModel):
    """The feature columns of a table, in the order of the features, and what its other columns are.

    Attributes:
        columns: the feature columns.
        label_column: the column that holds the labels, or None if no column does.
        id_column: the column that names the rows, or None if no column does.
        left_out: further columns, which are no features: left out on request, or because they say nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]
    label_column: str | None = None
    id_column: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the feature columns."""
        return tuple(column.name for column in self.columns)

    @property
    def starts(self) -> tuple[int, ...]:
        """The first feature of each column."""
        return tuple(accumulate((column.width for column in self.columns[:-1]), initial=0))

    @property
    def width(self) -> int:
        """How many features a row has."""
        return sum(column.width for column in self.columns)


class TextSchema(BaseModel):
    """Which columns of a table, or fields of JSON, hold texts and their labels.

    Attributes:
        text_column: holds the texts.
        label_column: holds the labels; None if there are none.
        id_column: holds what names each text; None if it is their places.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_column: str = "text"
    label_column: str | None = None
    id_column: str | None = None


class EncodedSchema(BaseModel):
    """Whose features the columns are: those of another encoder are other numbers, however many there are.

    Attributes:
        encoder: the frozen encoder's name.
        weights: a digest of its weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str
    weights: str


Schema = TableSchema | TextSchema | EncodedSchema


def read_schema(facts: Mapping[str, Any]) -> Schema:
    """The schema that a run's `config.json` records."""
    if "encoder" in facts:
        return EncodedSchema(**facts)
    return TextSchema(**facts) if "text_column" in facts else TableSchema(**facts)
