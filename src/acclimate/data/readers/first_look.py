"""What a table's columns mean, found in one look at its parts: the schema that a look at the whole gives.

A column that every part takes for the same is that, as a rule that holds in each part holds in the whole; of texts
the values are counted. A column on which parts differ, and one of dates, whose median day is part of the schema, is
asked as a whole by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from acclimate.data.readers.cell_parts import CellParts
from acclimate.data.readers.cells import Cells
from acclimate.data.readers.inference import (
    BLANK,
    UNIQUE,
    Wanted,
    asked_columns,
    categories_of,
    check_asked,
    id_candidates,
    infer_column,
    is_id_name,
    may_be_id,
    notes_on_columns,
    schema_of,
)
from acclimate.data.readers.nothing import without_no_value
from acclimate.data.readers.seen import with_values
from acclimate.data.schema import Column, TableSchema

# Different texts of a column that are counted. With more it says nothing about an example, as with one in each row.
MOST_TEXTS = 2**20
_COUNTS = {"value": pl.String(), "n": pl.Int64()}


@dataclass
class ColumnLook:
    """What the parts so far take a column for.

    Attributes:
        name: of the column.
        kinds: each different answer; of texts that they are texts.
        counts: how often each text occurs; None once there are too many.
        hashes: of the values, as long as each of them may name its row.
    """

    name: str
    kinds: set[Column | str] = field(default_factory=set)
    counts: pl.DataFrame | None = field(default_factory=lambda: pl.DataFrame(schema=_COUNTS))
    hashes: list[np.ndarray] | None = field(default_factory=list)

    def add(self, cells: Cells) -> None:
        """Look at the next part."""
        found = infer_column(cells, self.name)
        if isinstance(found, Column) and found.kind == "categorical":
            found = UNIQUE
        if isinstance(found, str):  # of a part where nothing but "-" stands, too: beside words it is one
            self._count(cells)
        self.kinds.add(found)
        if self.hashes is not None:
            series = cells.frame[self.name]
            named = (is_id_name(self.name) or found == UNIQUE) and may_be_id(series)
            self.hashes = [*self.hashes, series.hash().to_numpy()] if named else None

    def found(self, parts: CellParts) -> Column | str:
        """What the whole column is, or why it is none to learn from, as `infer_column` says."""
        kinds = self.kinds - {BLANK}
        if not kinds:
            return BLANK
        if kinds == {UNIQUE}:
            return UNIQUE if self.counts is None else categories_of(self.name, self.counts)
        (only, *others) = kinds
        if not others and isinstance(only, Column) and only.kind == "numeric":
            return only
        return infer_column(parts.whole([self.name]), self.name)

    @property
    def names_rows(self) -> bool:
        """Whether the column names every row differently."""
        if not self.hashes:
            return False
        joined = np.sort(np.concatenate(self.hashes))
        return not (joined[1:] == joined[:-1]).any()

    @property
    def distinct(self) -> int:
        """How many different texts it has."""
        return 0 if self.counts is None else len(self.counts)

    def _count(self, cells: Cells) -> None:
        if self.counts is None:
            return
        series = cells.column(self.name)
        if series.dtype != pl.String:
            return
        texts = without_no_value(series).drop_nulls().alias("value")
        own = texts.value_counts(name="n").cast({"n": pl.Int64})
        joined = pl.concat([self.counts, own]).group_by("value").agg(pl.col("n").sum())
        self.counts = joined if len(joined) <= MOST_TEXTS else None


@dataclass
class FirstLook:
    """Adds up the parts of a table of which nothing is known."""

    wanted: Wanted
    heads: list[Cells] = field(default_factory=list)
    columns: dict[str, ColumnLook] = field(default_factory=dict)

    def add(self, cells: Cells) -> None:
        """Look at the next part."""
        kept = with_values(cells)
        if not self.heads:
            check_asked(cells, self.wanted)
        if not kept.frame.height:
            return
        if not self.heads:
            self.heads.append(kept)
            candidates = [name for name in id_candidates(kept.frame.columns, self.wanted) if is_id_name(name)]
            names = {*asked_columns(kept.frame.columns, self.wanted, self.wanted.id), *candidates}
            self.columns = {name: ColumnLook(name) for name in kept.frame.columns if name in names}
        for look in self.columns.values():
            look.add(kept)

    def schema(self, parts: CellParts) -> tuple[TableSchema, list[str]]:
        """The schema of the table, and what a user should know of it.

        Raises:
            DataError: if no column is left to learn from.
        """
        head, columns = replace(self.heads[0], called=parts.called), self.columns
        names = head.frame.columns
        candidates = [n for n in id_candidates(names, self.wanted) if is_id_name(n)]
        id_column = self.wanted.id or next((n for n in candidates if columns[n].names_rows), None)
        found = {name: columns[name].found(parts) for name in asked_columns(names, self.wanted, id_column)}
        schema, notes = schema_of(head, self.wanted, id_column, found, lambda name: columns[name].names_rows)
        distinct = {name: look.distinct for name, look in columns.items()}
        return schema, [*notes, *notes_on_columns(head, schema.columns, distinct)]
