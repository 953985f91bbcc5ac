"""A table in several files, or one larger than memory, as a `Domain`: looked at once part by part, then encoded.

What its cells mean is what `read_table` finds when it reads the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.bins import Bins
from acclimate.data.cache import content_key
from acclimate.data.domain import Domain
from acclimate.data.on_disk import RowsOnDisk
from acclimate.data.readers.cell_parts import CellParts
from acclimate.data.readers.cells import Cells, empty_table, lines_note
from acclimate.data.readers.encode import encode_columns
from acclimate.data.readers.first_look import FirstLook
from acclimate.data.readers.inference import Wanted
from acclimate.data.readers.label_counts import LabelCounts
from acclimate.data.readers.labels import Labels
from acclimate.data.readers.met import Met
from acclimate.data.readers.seen import with_values
from acclimate.data.readers.survey import survey
from acclimate.data.readers.tables import ids_of, label_cells, label_column_of
from acclimate.data.schema import Schema, TableSchema
from acclimate.data.table_store import stored
from acclimate.errors import DataError, RequestError
from acclimate.types import UNLABELLED

_FORMAT = 1


def read_in_parts(
    parts: CellParts,
    wanted: Wanted,
    *,
    on_disk: bool,
    name: str,
    like: Domain | Schema | None = None,
    bins: int | Bins | None = None,
) -> Domain:
    """Read tables that are one, one after the other.

    Args:
        parts: the tables.
        wanted: what a user says of their columns.
        on_disk: whether the features stay there; rows are then named by their number alone.
        name: what to call the domain.
        like: see `read_table`.
        bins: likewise.

    Raises:
        DataError: naming file, column, row and value, if a file or cells break a rule.
        RequestError: for ranges of a number that stays on disk.
        WorkError: if features cannot be written to disk.
    """
    if on_disk and bins is not None:
        fix = "Give a label of classes, more --memory, or a part of the rows."
        raise RequestError("bins", "must not be asked of a table that is larger than memory", bins, fix)
    schema = like.schema if isinstance(like, Domain) else like
    known = schema if isinstance(schema, TableSchema) else None
    table = Table(name, parts, wanted, known, bins)
    return _on_disk(table) if on_disk else _in_memory(table)


@dataclass
class Table:
    """A table to be read in parts.

    Attributes:
        name: what to call it.
        parts: its cells.
        wanted: what a user says of its columns.
        known: the schema that it has to match, if there is one.
        bins: see `read_table`.
        met: what was met in each column while it was encoded.
    """

    name: str
    parts: CellParts
    wanted: Wanted
    known: TableSchema | None
    bins: int | Bins | None
    met: dict[str, Met] = field(default_factory=dict)

    def looked(self) -> Looked:
        """What one look tells.

        Raises:
            DataError: if it is no table, or breaks a rule.
        """
        return _first(self) if self.known is None else _like(self, self.known)

    def encoded(self, look: Looked) -> Iterator[tuple[Cells, np.ndarray, np.ndarray]]:
        """Of each part the cells with a value, features `(m, d)` and labels `(m,)`."""
        for cells in map(with_values, self.parts):
            if not cells.frame.height:
                continue
            features, met = encode_columns(cells, look.schema)
            self.met = {name: self.met[name] + own if name in self.met else own for name, own in met.items()}
            yield cells, features, look.labels_of(cells)

    def notes(self, look: Looked) -> tuple[str, ...]:
        """What a user should know of it, once all of it is encoded."""
        met = [note for name, own in self.met.items() for note in own.notes(name)] if self.known is None else []
        told = dict.fromkeys(f"{self.name}: {note}" for note in (*self.parts.notes, *look.notes, *met))
        return tuple(told)

    def key(self, digests: Mapping[str, str]) -> str:
        """Names what encoding these files gives."""
        known = None if self.known is None else self.known.model_dump(mode="json")
        dialect, wanted = self.parts.dialect, self.wanted
        asked = [wanted.label, wanted.id, wanted.only, wanted.without, dialect.delimiter, dialect.quoting]
        facts = {"table": _FORMAT, "asked": asked, "known": known, "name": self.name}
        return content_key(digests, facts)


@dataclass(frozen=True)
class Looked:
    """What one look at a table tells.

    Attributes:
        schema: what its columns mean.
        label: the column of labels, if there is one.
        labels: each different one.
        places: which of them each value is.
        bins: see `read_table`.
        notes: what a user should know.
    """

    schema: TableSchema
    label: str | None
    labels: Labels | None
    places: Mapping[tuple[type, Any], int]
    bins: int | Bins | None
    notes: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names."""
        return () if self.labels is None else self.labels.classes

    def labels_of(self, cells: Cells) -> np.ndarray:
        """Indices into the classes `(m,)`; −1 where there is no label."""
        if self.label is None or self.label not in cells.frame.columns:
            return np.full(cells.frame.height, UNLABELLED, np.int64)
        return LabelCounts.indices(label_cells(cells, self.label, self.bins), self.places)


def _first(table: Table) -> Looked:
    look, counts, height, empty = FirstLook(table.wanted), LabelCounts(), 0, 0
    label, head = table.wanted.label, None
    for cells in table.parts:
        kept = with_values(cells)
        if head is None:
            head = replace(cells, frame=cells.frame[:0], places=cells.places[:0], called=table.parts.called)
            label_column_of(head, label, None)
        height, empty = height + cells.frame.height, empty + cells.frame.height - kept.frame.height
        look.add(cells)
        if label is not None:
            counts.add(label_cells(kept, label, table.bins), kept.where)
    assert head is not None
    if empty == height:
        raise empty_table(Path(table.parts.path), height)
    labels = counts.labels(head.what(label), table.bins) if label is not None else None
    schema, notes = look.schema(table.parts)
    lines = [lines_note(empty)] if empty else []
    told = (*head.notes, *lines, *(labels.notes if labels else ()), *notes)
    return Looked(schema, label, labels, counts.places(labels), table.bins, told)


def _like(table: Table, known: TableSchema) -> Looked:
    asked = {"label_column": table.wanted.label, "id_column": table.wanted.id}
    found = survey(table.parts, known, bins=table.bins, name=table.name, **asked)
    schema, counts = found.schema, found.labels
    called = f"column {schema.label_column!r} of {table.parts.called}"
    labels = counts.labels(called, table.bins) if counts.found else None
    notes = tuple(note.removeprefix(f"{table.name}: ") for note in found.notes)
    label = schema.label_column if labels else None
    return Looked(schema, label, labels, counts.places(labels), table.bins, notes)


def _in_memory(table: Table) -> Domain:
    look, features, labels = table.looked(), [], []
    ids: list[str] = []
    for cells, block, own in table.encoded(look):
        features.append(block)
        labels.append(own)
        ids += ids_of(cells, look.schema.id_column)
    bins = look.labels.bins if look.labels else None
    inputs, indices = np.concatenate(features), np.concatenate(labels)
    read = Domain(inputs, indices, look.classes, table.name, tuple(ids), table.notes(look), look.schema, bins=bins)
    return replace(read, files=digests_of(table.parts.files))


def _on_disk(table: Table) -> Domain:
    digests = digests_of(table.parts.files)
    looked: list[Looked] = []

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        looked.append(table.looked())
        for _, features, labels in table.encoded(looked[0]):
            yield features, labels

    def facts() -> dict[str, Any]:
        _check_unchanged(table.parts.files, digests)
        (look,) = looked
        schema = look.schema.model_dump(mode="json")
        return {"schema": schema, "classes": list(look.classes), "notes": list(table.notes(look))}

    found = stored(table.key(digests), parts, facts)
    schema, notes = TableSchema(**found.facts["schema"]), (*found.facts["notes"], _note(table.name, found.rows))
    classes = tuple(found.facts["classes"])
    return Domain(found.rows, found.labels, classes, table.name, notes=notes, schema=schema, files=digests)


def _note(name: str, rows: RowsOnDisk) -> str:
    n, d = rows.shape
    return (
        f"{name}: larger than memory may hold, so its {n:,} rows of {d} features stay on disk ({rows.path.parent}), "
        "are shuffled by blocks and windows, and are named by their number, from 0."
    )


def digests_of(files: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of each file, by its path."""
    return {str(file): _digest(file, (file.stat().st_size, file.stat().st_mtime_ns)) for file in files}


@cache
def _digest(file: Path, state: tuple[int, int]) -> str:  # noqa: ARG001  asked anew when that changes
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def check_files(before: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse files that are not what they were.

    Args:
        before: the SHA-256 of each by its path, by the role of the side.

    Raises:
        DataError: naming the first that is missing, or holds something else.
    """
    for path, digest in ((path, digest) for files in before.values() for path, digest in files.items()):
        fix = "Restore the file and go on, or start a new run."
        if not Path(path).is_file():
            raise DataError(path, "must be there, as when the run began", "no such file", fix)
        if digests_of([Path(path)])[path] != digest:
            raise DataError(path, "must hold what it held when the run began", "other content", fix)


def _check_unchanged(files: Sequence[Path], digests: Mapping[str, str]) -> None:
    """Refuse files that were written to while they were read.

    Raises:
        DataError: naming the first.
    """
    for file in files:
        if not file.is_file() or digests_of([file]) != {str(file): digests[str(file)]}:
            fix = "Begin again when nothing writes to it."
            raise DataError(str(file), "must stay as it is while it is read", "other content than before", fix)
