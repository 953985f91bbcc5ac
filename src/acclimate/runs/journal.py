"""`Journal`: what a training tells as it goes, one line at a time, in a file that outlives a kill."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate.errors import WorkError, unwritable
from acclimate.runs.rows import fault_of_row


@dataclass(frozen=True)
class Journal:
    """Rows of JSON in a file.

    Attributes:
        path: the file, which need not be there yet.
    """

    path: Path

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one line.

        Raises:
            WorkError: if the system will not write it.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise unwritable(self.path, error) from None

    def position(self) -> dict[str, Any]:
        """How far it has come, for `rewind`: its length and checksum, after flushing it to disk."""
        if not self.path.exists():
            return {"bytes": 0, "sha256": hashlib.sha256().hexdigest()}
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
            content = file.read()
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def rewind(self, position: Mapping[str, Any] | None) -> None:
        """Cut it back to a position, so that a resumed run writes its rows once; None drops all.

        Raises:
            WorkError: if what stands before that position is not what was written.
        """
        if position is None:
            self.path.unlink(missing_ok=True)
            return
        content = self.path.read_bytes()[: position["bytes"]] if self.path.exists() else b""
        if hashlib.sha256(content).hexdigest() != position["sha256"]:
            raise WorkError(
                f"{self.path} is damaged: it no longer begins with what the checkpoint knows of. Restore it, "
                "or start a new run; nothing was changed."
            )
        if self.path.exists():
            os.truncate(self.path, len(content))

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows; a last line cut short by a crash is left out.

        Raises:
            WorkError: if a row does not hold what its kind does.
        """
        if not self.path.is_file():
            return
        for number, line in enumerate(self.path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                return
            if not isinstance(row, dict) or not {"kind", "step"} <= row.keys():
                return
            if fault := fault_of_row(row):
                raise WorkError(f"{self.path} is not as acclimate writes it: line {number} has {fault}.")
            yield row
