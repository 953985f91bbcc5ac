"""`manifest.json`: the size and SHA-256 of the files beside it, so that a damaged one is told from a good one.

A file's entry is written before the file gets its name. A writer killed between the two leaves an entry without a
file, which means nothing; a file without its right entry can only be damaged, or not ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from acclimate.runs.files import write_atomically, write_json

NAME = "manifest.json"


class Manifest:
    """The checksums of one folder's files.

    Args:
        folder: where they lie; the manifest is written there with the first file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / NAME

    def write(self, path: Path, write: Callable[[Path], None]) -> None:
        """Let `write` fill a file of this folder, atomically, its checksum recorded.

        Raises:
            WorkError: if the system will not write it.
        """
        write_atomically(path, write, lambda temporary: self._record(path.name, temporary))

    def _record(self, name: str, content: Path) -> None:
        entries = {known: entry for known, entry in self._entries().items() if (self.folder / known).exists()}
        entries[name] = {"bytes": content.stat().st_size, "sha256": file_hash(content)}
        write_json(self.path, dict(sorted(entries.items())))

    def _entries(self) -> dict[str, dict[str, object]]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def listed(self) -> list[Path]:
        """The files with an entry that are there."""
        return [path for name in self._entries() if (path := self.folder / name).is_file()]

    def fault(self, path: Path) -> str | None:
        """What is wrong with a file of this folder, as the end of a sentence about it; None if nothing is."""
        if not path.is_file():
            return "is missing"
        entry = self._entries().get(path.name)
        if not isinstance(entry, dict):
            return f"is not listed in {self.path}"
        size, told = path.stat().st_size, entry.get("bytes")
        if size != told:
            return f"has {size:,} bytes instead of {f'{told:,}' if isinstance(told, int) else repr(told)[:80]}"
        if file_hash(path) != entry.get("sha256"):
            return "does not have the content that was written: its SHA-256 differs"
        return None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
