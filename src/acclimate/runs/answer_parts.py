"""Answers that are written part by part: killed, the same command goes on; whole, they are one file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from acclimate.data.spreadsheets import guarded
from acclimate.errors import RequestError
from acclimate.runs.files import write_atomically, write_json
from acclimate.runs.lock import lock

_FACTS = "begun.json"


@dataclass(frozen=True)
class AnswerParts:
    """The parts of a table of answers, in a folder beside the file that they are to become.

    Attributes:
        output: that file, .csv or .parquet.
        facts: what the answers follow from: data, run, options. Others are not gone on with.
    """

    output: Path
    facts: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where the parts lie until all are there."""
        return self.output.with_name(f"{self.output.name}.begun")

    def begin(self) -> int:
        """Take the folder; how many parts are there from before.

        Raises:
            RequestError: if another process writes them, or they follow from something else.
            WorkError: if the folder cannot be written.
        """
        self._lock  # noqa: B018  # taken here, held until this object goes
        path = self.folder / _FACTS
        if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != self.facts:
            raise RequestError(
                "out",
                "must not have answers to other data or of another run begun beside it",
                f"{str(self.folder)!r}",
                "Remove that folder, or choose another name.",
            )
        write_json(path, self.facts)
        return len(self._written())

    def add(self, part: pl.DataFrame) -> None:
        """Write the next part.

        Raises:
            WorkError: if the disk is full; what was written before stays.
        """
        write_atomically(self.folder / f"{len(self._written()):06d}.parquet", part.write_parquet)

    def finish(self) -> None:
        """Make one file of the parts, atomically, and remove them."""
        write = self._write_csv if self.output.suffix == ".csv" else self._write_parquet
        write_atomically(self.output, write)
        self._lock.release()
        shutil.rmtree(self.folder)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The parts, in order."""
        return (pl.read_parquet(path, glob=False) for path in self._written())

    @cached_property
    def _lock(self) -> Any:
        return lock(self.folder, "out", option="out")

    def _written(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.parquet") if not path.name.startswith("."))

    def _write_csv(self, temporary: Path) -> None:
        with temporary.open("wb") as file:
            for number, part in enumerate(self.frames()):
                guarded(part.drop("probabilities")).write_csv(file, include_header=not number)

    def _write_parquet(self, temporary: Path) -> None:
        pl.scan_parquet(self._written(), glob=False).sink_parquet(temporary)
