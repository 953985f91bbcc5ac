"""Writing files so that a reader sees the old content or the new, never half of either."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acclimate.data.temporary import is_temporary, remove, temporary_beside
from acclimate.errors import unwritable

_HALF = re.compile("[\ud800-\udfff]")


def write_atomically(
    path: Path, write: Callable[[Path], None], before_naming: Callable[[Path], None] = lambda temporary: None
) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then rename it into place.

    Args:
        path: the final name; its folder must exist.
        write: receives the temporary path.
        before_naming: receives it again, when its content is on disk and `path` is still the old one.

    Raises:
        WorkError: if the disk is full or cannot be written; what stood at `path` is still there.
    """
    try:
        with temporary_beside(path) as temporary:
            write(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            before_naming(temporary)
            temporary.replace(path)
            _flush_folder(path.parent)
    except Exception as error:
        # Rust libraries (safetensors, Polars) have error types of their own for what the system says.
        if isinstance(error, OSError) or "(os error" in str(error):
            raise unwritable(path, error) from None
        raise


def remove_leftovers(*folders: Path) -> None:
    """Remove all temporary files of writers that were killed; call it only where nobody else is writing.

    `write_atomically` removes those of the same name by itself, wherever it writes.
    """
    for folder in folders:
        for path in [path for path in folder.iterdir() if is_temporary(path)] if folder.is_dir() else ():
            remove(path)


def _flush_folder(folder: Path) -> None:
    """Make a rename survive a power cut; a no-op where folders cannot be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write text atomically.

    Raises:
        WorkError: as `write_atomically`.
    """

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically.

    Raises:
        WorkError: as `write_atomically`.
    """
    write_text(path, as_json(value))


def as_json(value: Any) -> str:
    """Indented JSON, as every file of a run has it; what is no text in UTF-8, such as half a pair, is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return f"{json.dumps(value, indent=2) if _HALF.search(text) else text}\n"
