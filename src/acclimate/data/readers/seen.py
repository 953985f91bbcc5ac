"""What adds up over the parts of a table, and what is asked of one of its columns as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from acclimate.data.bins import Bins
from acclimate.data.readers.cell_parts import CellParts
from acclimate.data.readers.cells import Cells, without_rows, without_value
from acclimate.data.readers.encode import FaultError, encode_column, refuse
from acclimate.data.readers.label_counts import LabelCounts
from acclimate.data.readers.labels import Labels
from acclimate.data.readers.met import Met
from acclimate.data.readers.tables import label_cells, whole_numbers
from acclimate.data.schema import Column, TableSchema
from acclimate.errors import DataError

_AT_ONCE = 2**23  # cells of whole columns


def with_values(cells: Cells) -> Cells:
    """The rows that a table has: of a text, without the lines that have no value."""
    return without_rows(cells, without_value(cells)) if cells.unit == "line" else cells


@dataclass
class Seen:
    """Adds up parts of a table. What is wrong with a value is kept until the whole is known.

    Attributes:
        schema: of the source.
        label: the column of labels, if there is one.
        bins: see `read_table`.
        ids: columns that may name the rows.
        labels: what the column of labels holds.
        heads: the first part without its rows, once there is one.
        height: rows, of a text those too that have no value.
        empty: rows without a value.
        rows: rows that are examples.
        whole_ids: whether ids that are floats are whole numbers so far.
        odd: columns that only their whole can tell about: written otherwise than in the source, or wrong.
    """

    schema: TableSchema
    label: str | None
    bins: int | Bins | None
    ids: Sequence[str]
    heads: list[Cells] = field(default_factory=list)
    height: int = 0
    empty: int = 0
    rows: int = 0
    whole_ids: bool = True
    odd: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.met = {column.name: Met() for column in self.schema.columns}
        self._missing = {column.name: np.zeros(column.width, np.int64) for column in self.schema.columns}
        self._least = dict.fromkeys(self.met, np.nan)
        self.labels = LabelCounts()
        self._no_labels: DataError | None = None

    @property
    def head(self) -> Cells:
        """The table without its rows."""
        return self.heads[0]

    @property
    def missing(self) -> np.ndarray:
        """How many rows lack each feature, `(d,)`."""
        return np.concatenate(list(self._missing.values()))

    @property
    def least(self) -> float:
        """The least of all features; NaN if there is none."""
        return float(np.fmin.reduce(list(self._least.values())))

    def add(self, cells: Cells) -> None:
        """The next part."""
        if not self.heads:
            self.heads.append(replace(cells, frame=cells.frame[:0], places=cells.places[:0]))
        empty, kept = without_value(cells), with_values(cells)
        self.height, self.empty = self.height + len(empty), self.empty + int(empty.sum())
        self.rows += kept.frame.height
        if not kept.frame.height:
            return
        self._add_labels(kept)
        present = set(kept.frame.columns)
        self.whole_ids &= not any(whole_numbers(kept.frame[n]).dtype.is_float() for n in self.ids if n in present)
        for column in self.schema.columns:
            if column.name in present - self.odd:
                self._add_column(kept, column)

    def labels_read(self, what: str) -> Labels:
        """The labels of all parts.

        Raises:
            DataError: if they are none.
        """
        if self._no_labels is not None:
            raise self._no_labels
        return self.labels.labels(what, self.bins)

    def look_at_odd(self, parts: CellParts, head: Cells) -> None:
        """Ask odd columns as a whole, as many at once as are few cells.

        Args:
            parts: the table.
            head: its names.

        Raises:
            DataError: listing all columns whose values break a rule.
        """
        faults: dict[str, FaultError] = {}
        odd = [column for column in self.schema.columns if column.name in self.odd]
        step = max(1, _AT_ONCE // max(1, self.rows))
        for some in (odd[i : i + step] for i in range(0, len(odd), step)):
            cells = parts.whole([column.name for column in some])
            for column in some:
                try:
                    met, block = _encoded(cells, column)
                except FaultError as fault:
                    faults[column.name] = fault
                else:
                    self.met[column.name] = met
                    self._count(column, block, np.zeros(column.width, np.int64), np.nan)
        refuse(head, faults)

    def as_written(self, column: Column) -> Column:
        """A column of the source as this table has it."""
        form = self.met[column.name].form
        return column if form is None else column.model_copy(update={"form": form})

    def _add_labels(self, cells: Cells) -> None:
        if self.label is None or self.label not in cells.frame.columns or self._no_labels is not None:
            return
        try:
            self.labels.add(label_cells(cells, self.label, self.bins), cells.where)
        except DataError as error:
            self._no_labels = error

    def _add_column(self, cells: Cells, column: Column) -> None:
        name = column.name
        try:
            met, block = _encoded(cells, column)
        except (FaultError, DataError):
            self.odd.add(name)
            return
        if met.form is not None:
            self.odd.add(name)
            return
        self.met[name] += met
        self._count(column, block, self._missing[name], self._least[name])

    def _count(self, column: Column, block: np.ndarray, missing: np.ndarray, least: float) -> None:
        """Count a column's features `(n, width)` on top of what was counted before."""
        self._missing[column.name] = missing + np.isnan(block).sum(axis=0)
        self._least[column.name] = float(np.fmin(least, np.fmin.reduce(block, axis=None)))


def _encoded(cells: Cells, column: Column) -> tuple[Met, np.ndarray]:
    block = np.full((cells.frame.height, column.width), np.nan, np.float32)
    return encode_column(cells, column, block), block
