"""A table read part by part: looked at once for what only the whole can tell, then encoded as if read whole.

The first look adds up what adds up: missing values, unknown words, labels, empty lines. What does not, how the
numbers or dates of a column are written where not as in the source, is asked of that column alone, whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acclimate.data.bins import Bins
from acclimate.data.domain import Domain
from acclimate.data.gaps import Missing
from acclimate.data.readers.cell_parts import CellParts
from acclimate.data.readers.cells import empty_table, lines_note
from acclimate.data.readers.encode import encode, names_notes
from acclimate.data.readers.inference import Wanted
from acclimate.data.readers.label_counts import LabelCounts
from acclimate.data.readers.seen import Seen, with_values
from acclimate.data.readers.tables import ids_of, label_column_of, own_names
from acclimate.data.schema import TableSchema


@dataclass(frozen=True)
class Surveyed:
    """A table of which all is known but its rows.

    Attributes:
        name: what to call it.
        parts: its cells.
        schema: of the source, with this table's own column of ids and way of writing.
        rows: how many examples there are.
        notes: what a user should know of them.
        missing: how many lack each feature.
        least: the least of all features; NaN if there is none.
        whole_ids: whether ids that are floats are whole numbers.
        labels: what its column of labels holds.
    """

    name: str
    parts: CellParts
    schema: TableSchema
    rows: int
    notes: tuple[str, ...]
    missing: Missing
    least: float
    whole_ids: bool
    labels: LabelCounts

    def domains(self, start: int = 0) -> Iterator[Domain]:
        """The examples of each part from row `start` on, without labels, as `read_table` encodes them in one."""
        return self._parts(lambda first, after: np.arange(max(first, start), max(after, start)))

    def taken(self, rows: np.ndarray) -> Domain:
        """The examples in these rows, in ascending order."""
        found = self._parts(lambda first, after: rows[(rows >= first) & (rows < after)])
        return joined(list(found))

    def _parts(self, wanted: Callable[[int, int], np.ndarray]) -> Iterator[Domain]:
        """Of each part, from its first row to the one after it, the examples in the rows that are wanted."""
        row = 0
        for cells in self.parts:
            kept = with_values(cells)
            places = wanted(row, row + kept.frame.height) - row
            row += kept.frame.height
            if len(places):
                all_of_it = len(places) == kept.frame.height
                some = kept if all_of_it else replace(kept, frame=kept.frame[places], places=kept.places[places])
                features, _ = encode(some, self.schema, None)
                ids = ids_of(some, self.schema.id_column, whole=self.whole_ids)
                yield Domain(features, name=self.name, ids=ids, schema=self.schema)


def joined(domains: Sequence[Domain]) -> Domain:
    """Unlabelled features of one table, one after the other."""
    if len(domains) == 1:
        return domains[0]
    features = np.concatenate([domain.array for domain in domains])
    ids = tuple(name for domain in domains for name in domain.ids)
    return Domain(features, name=domains[0].name, ids=ids, schema=domains[0].schema)


def survey(
    parts: CellParts,
    known: TableSchema,
    *,
    label_column: str | None = None,
    id_column: str | None = None,
    bins: int | Bins | None = None,
    name: str,
) -> Surveyed:
    """Look at a table once, as `read_table` looks at it `like` another.

    Args:
        parts: its cells.
        known: the schema of the source.
        label_column: see `read_table`.
        id_column: likewise.
        bins: likewise.
        name: what to call it.

    Raises:
        DataError: as `read_table` would, naming the same rows.
    """
    label = label_column or known.label_column
    seen = Seen(known, label, bins, tuple(filter(None, (id_column, known.id_column))))
    for cells in parts:
        seen.add(cells)
    head = replace(seen.head, called=parts.called)
    if seen.empty == seen.height:
        raise empty_table(Path(parts.path), seen.height)
    label = label_column_of(head, label_column, known)
    about = seen.labels_read(head.what(label)).notes if label else ()
    schema = own_names(head, Wanted(label, id_column), known, lambda column: parts.whole([column]))
    notes = names_notes(head, schema, label)
    seen.look_at_odd(parts, head)
    told = [note for column in known.columns for note in seen.met[column.name].notes(column.name)]
    lines = [lines_note(seen.empty)] if seen.empty and head.unit == "line" else []
    return Surveyed(
        name,
        parts,
        schema.model_copy(update={"columns": tuple(map(seen.as_written, known.columns))}),
        seen.rows,
        tuple(f"{name}: {note}" for note in (*head.notes, *parts.notes, *lines, *about, *notes, *told)),
        Missing(name, seen.rows, schema, seen.missing),
        seen.least,
        seen.whole_ids,
        seen.labels,
    )
