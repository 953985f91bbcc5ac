"""The examples of an audit as a CSV to fill in, and the CSV that comes back, however a spreadsheet has saved it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.readers.cells import TEXT_SUFFIXES, Cells, open_text_cells
from acclimate.data.readers.labels import label_name
from acclimate.data.readers.wording import no_such_column, some
from acclimate.errors import DataError, RequestError, UnknownNameError
from acclimate.runs.audits import Asked
from acclimate.runs.predictions import write_csv

# The answer for what is of no class the model knows; no model can be right about it.
NONE_OF_THESE = "none of these"
ITEM, LABEL, CHOICES = "item", "label", "one of"
_LOOKS = {"text": "text", "file": "file", "values": "values"}
# A spreadsheet's cell takes 32,767 characters.
_LONGEST = 30_000


def write_sheet(path: Path, asked: Asked, labels: dict[str, str] | None = None) -> None:
    """Write the examples as a CSV with an empty column `label`, or with the labels that are known, by item.

    Columns: `item`, what there is to look at (`text`, `file` or `values`), `id`, `label`, and `one of`, the answers
    there are. What a model answered is not among them: whoever sees it tends to agree.

    Raises:
        WorkError: if the system will not write it.
    """
    given, kinds = labels or {}, {item.kind for item in asked.items}
    columns: dict[str, list[str | None]] = {
        ITEM: [item.name for item in asked.items],
        "id": [item.id for item in asked.items],
    }
    for kind, name in _LOOKS.items():
        if kind in kinds:
            columns[name] = [_cut(item.shown) if item.kind == kind else "" for item in asked.items]
    columns[LABEL] = [given.get(item.name) or None for item in asked.items]
    columns[CHOICES] = [" | ".join((*asked.classes, NONE_OF_THESE))] * len(asked.items)
    write_csv(path, pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))


def read_sheet(path: Path) -> tuple[str, dict[str, str]]:
    """What stands in a CSV that was filled in: the code of its audit, and each item's label, "" where there is none.

    Separators, encodings, further columns and another order of rows or columns are taken as they come.

    Raises:
        RequestError: if there is no such file.
        DataError: if it is no such CSV, names an item twice, or items of several audits.
    """
    if path.suffix.lower() not in TEXT_SUFFIXES:
        fix = "Save it from the spreadsheet as CSV."
        raise RequestError("answers", "must be a .csv file", repr(str(path)), fix)
    cells = open_text_cells(path)
    items, labels = (_texts(cells, column) for column in (ITEM, LABEL))
    pairs = [(item, label) for item, label in zip(items, labels, strict=True) if item or label]
    if nameless := [label for item, label in pairs if not item]:
        fix = "Put back the names that acclimate wrote there."
        raise DataError(cells.what(ITEM), "must name the item of every label", f"none for {some(nameless)}", fix)
    if twice := [item for item, count in Counter(item for item, _ in pairs).items() if count > 1]:
        fix = "Leave one line for each item."
        raise DataError(cells.what(ITEM), "must name each item once", f"{some(twice)} more than once", fix)
    found = sorted({item.partition("-")[0] for item, _ in pairs})
    if len(found) != 1:
        got = f"items of {some(found)}" if found else "no item"
        raise DataError(cells.what(ITEM), "must be of one audit", got, "Give the file of a single audit.")
    return found[0], dict(pairs)


def labels_of(asked: Asked, given: dict[str, str]) -> np.ndarray:
    """Labels `(items,)` as indices into the audit's classes, in the order of its items.

    What is none of these classes has an index after theirs.

    Raises:
        DataError: if an item is unknown or without a label: accuracy cannot be told then.
        UnknownNameError: for a label that is no class.
    """
    names = [item.name for item in asked.items]
    if strange := sorted(given.keys() - set(names)):
        fix = "Give the file that acclimate wrote for these runs."
        raise DataError("answers", f"must be items of audit {asked.code!r}", some(strange), fix)
    if missing := [name for name in names if not given.get(name)]:
        rule = f"must have a label for all {len(names)} items, or accuracy cannot be told"
        fix = f"Label them too, with “{NONE_OF_THESE}” where no class fits: what is left out may be what is hard."
        raise DataError("answers", rule, f"{len(names) - len(missing)}; none for {some(missing)}", fix)
    return np.array([_class(given[name], asked.classes) for name in names])


def _class(label: str, classes: Sequence[str]) -> int:
    """The index of a class by its name, by another way to write the same, or by its name in other case."""
    known = (*classes, NONE_OF_THESE)
    for same in (str, label_name, lambda name: label_name(name).casefold()):
        matches = [i for i, name in enumerate(known) if same(name) == same(label)]
        if len(matches) == 1:
            return matches[0]
    raise UnknownNameError("label", label, known)


def _texts(cells: Cells, column: str) -> list[str]:
    called = {name.casefold(): name for name in cells.frame.columns}
    if column not in called:
        raise no_such_column(column, cells.called, column, cells.frame.columns)
    return [value or "" for value in cells.column(called[column]).cast(pl.String)]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
