"""What the columns of a file mean, so that every further one is read the same way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

OWN_COLUMNS = "If each side has columns of its own: with a few labels on the target, --method cgt needs no others."


class Column(BaseModel):
    """One feature column.

    Attributes:
        name: the column's name in the file.
        kind: `"numeric"` fills one feature, `"categorical"` one per category.
        categories: the values of a categorical column, sorted; a value outside them is encoded as zeros.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["numeric", "categorical"]
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many features the column fills."""
        return len(self.categories) if self.kind == "categorical" else 1


class TableSchema(BaseModel):
    """The feature columns of a table, in the order of the features, and the name of its label column.

    Attributes:
        columns: the feature columns.
        label_column: the column that holds the labels, or None if all columns are features.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]
    label_column: str | None = None

    @property
    def width(self) -> int:
        """How many features a row has."""
        return sum(column.width for column in self.columns)


class TextSchema(BaseModel):
    """Which columns of a table, or fields of JSON, hold texts and their labels.

    Attributes:
        text_column: holds the texts.
        label_column: holds the labels; None if there are none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_column: str = "text"
    label_column: str | None = None


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
