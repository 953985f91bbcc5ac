"""A table in one file or in several as cells, part by part, for tables that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from glob import has_magic
from pathlib import Path

import numpy as np
import polars as pl

from acclimate.data.readers.cells import (
    SUFFIXES,
    TEXT_SUFFIXES,
    Cells,
    announced_rows,
    make_cells,
    without_rows,
    without_value,
)
from acclimate.data.readers.csv_parts import TextParts, text_parts
from acclimate.data.readers.csvs import Dialect, parsed
from acclimate.data.readers.wording import some
from acclimate.errors import DataError

BYTES, ROWS = 4 * 2**20, 2**16  # of a part: of a text, and of a Parquet file


@dataclass(frozen=True)
class CellParts:
    """The cells of a table, part by part, as often as they are asked for.

    Attributes:
        path: what the user named: a file, a folder of tables, or a pattern of their names.
        files: the files, in the order of their names.
        dialect: how values stand in texts.
        size: bytes of a part of a text.
        rows: rows of a part of a Parquet file.
    """

    path: str
    files: tuple[Path, ...]
    dialect: Dialect
    size: int = BYTES
    rows: int = ROWS

    def __iter__(self) -> Iterator[Cells]:
        """Parts with all their rows; at least one.

        Raises:
            DataError: if a file is no table, or has other columns than the first.
        """
        names: list[str] | None = None
        for number, file in enumerate(self.files):
            for cells in self._of_file(number):
                names = cells.frame.columns if names is None else names
                _check_names(file, names, cells.frame.columns, self.files[0])
                yield cells if len(self.files) == 1 else replace(cells, files=((0, file.name),))

    def whole(self, columns: Sequence[str]) -> Cells:
        """Some of the columns from the first row to the last, without the lines that have no value in any."""
        kept = []
        for cells in self:
            full = cells if cells.unit != "line" else without_rows(cells, without_value(cells))
            kept.append(replace(full, frame=full.frame.select(columns)))
        first, height, files = kept[0], 0, []
        for part in kept:
            files += [(height, part.files[0][1])] if part.files else []
            height += part.frame.height
        frame = pl.concat([part.frame for part in kept], how="vertical_relaxed")
        places = np.concatenate([part.places for part in kept])
        return replace(first, called=self.called, frame=frame, places=places, files=tuple(files))

    @property
    def called(self) -> str:
        """How messages call the table."""
        return Path(self.path).name

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the files' encodings."""
        found = [text.notes for text in self._texts.values()]
        return tuple(note for notes in found for note in notes)

    @cached_property
    def _texts(self) -> dict[int, TextParts]:
        return {
            number: text_parts(file, self.dialect, self.size)
            for number, file in enumerate(self.files)
            if file.suffix.lower() in TEXT_SUFFIXES
        }

    def _of_file(self, number: int) -> Iterator[Cells]:
        file = self.files[number]
        if number in self._texts:
            text = self._texts[number]
            for frame, places in text:
                cells = make_cells(str(file), frame, "line", places)
                yield replace(cells, decimal_comma=text.header.separator == ";")
            return
        rows = parsed(file, "a Parquet file", lambda: pl.DataFrame({"rows": [announced_rows(file)]})).item()
        for start in range(0, max(rows, 1), self.rows):
            yield make_cells(
                str(file), self._slice(file, start), "row", np.arange(start, min(start + self.rows, rows)) + 1
            )

    def _slice(self, file: Path, start: int) -> pl.DataFrame:
        return parsed(
            file, "a Parquet file", lambda: pl.scan_parquet(file, glob=False).slice(start, self.rows).collect()
        )


def table_files(path: str) -> tuple[Path, ...]:
    """The tables at a path: a file, those right inside a folder, or those that match a pattern; none if none is."""
    place = Path(path).expanduser()
    if place.is_dir():
        found = [file for file in place.iterdir() if not file.name.startswith(".")]
        return tuple(sorted(found)) if found and all(map(_is_table, found)) else ()
    if not place.exists() and has_magic(path):
        matching = place.parent.glob(place.name) if place.parent.is_dir() else ()
        return tuple(file for file in sorted(matching) if _is_table(file))
    return (place,) if _is_table(place) else ()


def _is_table(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES


def _check_names(file: Path, names: Sequence[str], own: Sequence[str], first: Path) -> None:
    """Refuse a file with other columns than the first one has."""
    if own is names or set(own) == set(names):
        return
    other = sorted(set(own) ^ set(names))
    raise DataError(
        str(file),
        f"must have the columns of {first.name}, as one table in several files",
        f"{some([repr(name) for name in other])} in one of them alone",
        "Give these files the same columns, or name them one by one.",
    )
