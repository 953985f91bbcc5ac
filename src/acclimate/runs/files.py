"""Writing files so that a reader sees the old content or the new, never half of either."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acclimate.errors import WorkError


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then rename it into place.

    Args:
        path: the final name; its folder must exist.
        write: receives the temporary path.

    Raises:
        WorkError: if the disk is full or cannot be written; what stood at `path` is still there.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _flush_folder(path.parent)
    except Exception as error:
        # Rust libraries (safetensors, Polars) have error types of their own for what the system says.
        if isinstance(error, OSError) or "(os error" in str(error):
            raise unwritable(path, error) from None
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def unwritable(path: Path, error: Exception) -> WorkError:
    """The error for a file that could not be written."""
    reason = getattr(error, "strerror", None) or str(error).partition(" (os error")[0]
    return WorkError(f"Cannot write {path}: {reason}. Free some space, or choose another disk.")


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
    """Write text atomically."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
