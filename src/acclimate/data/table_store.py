"""Encoded tables that stay on disk, kept by the content of the files that they were read of.

    <cache folder>/tables/<key>/rows.f32     float32 `(n, d)`, nothing else
    <cache folder>/tables/<key>/labels.npy   int64 `(n,)`
    <cache folder>/tables/<key>/facts.json   what was found out while reading

A folder gets its name when it is whole. It can be deleted at any time; what is missing is read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.cache import cache_folder
from acclimate.data.on_disk import RowsOnDisk
from acclimate.data.temporary import remove, temporary_beside
from acclimate.errors import unwritable

ROWS, LABELS, FACTS = "rows.f32", "labels.npy", "facts.json"
Part = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class StoredTable:
    """Features on disk, their labels in memory, and what else is known of them."""

    rows: RowsOnDisk
    labels: np.ndarray
    facts: dict[str, Any]


def stored(key: str, parts: Callable[[], Iterator[Part]], facts: Callable[[], dict[str, Any]]) -> StoredTable:
    """The table of that key, read if it is not there.

    Args:
        key: from `cache.content_key`.
        parts: gives features `(m, d)` and labels `(m,)` of one part after the other.
        facts: what else to keep, as JSON values; asked when all parts are written.

    Raises:
        WorkError: if the system will not write it.
    """
    folder = cache_folder() / "tables" / key
    if (found := _opened(folder)) is not None:
        return found
    remove(folder)  # if it is damaged
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(folder, Path.mkdir) as own:
            _write(own, parts(), facts)
            try:
                own.rename(folder)
            except OSError:  # another process was quicker; its table is the same
                if not folder.is_dir():
                    raise
    except OSError as error:
        raise unwritable(folder, error, "set ACCLIMATE_CACHE to a folder on another disk") from None
    found = _opened(folder)
    assert found is not None
    return found


def _write(folder: Path, parts: Iterator[Part], facts: Callable[[], dict[str, Any]]) -> None:
    labels, width = [], 0
    with (folder / ROWS).open("wb") as file:
        for features, own in parts:
            file.write(np.ascontiguousarray(features, "<f4").data)
            labels.append(own)
            width = features.shape[1]
        file.flush()
        os.fsync(file.fileno())
    joined = np.concatenate(labels)
    np.save(folder / LABELS, joined)
    told = {**facts(), "height": len(joined), "width": width}
    (folder / FACTS).write_text(json.dumps(told), encoding="utf-8")


def _opened(folder: Path) -> StoredTable | None:
    """The table, or None if it is absent or damaged."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        rows = RowsOnDisk(folder / ROWS, facts["width"], facts["height"])
        if rows.path.stat().st_size != rows.nbytes:
            return None
        return StoredTable(rows, np.load(folder / LABELS, allow_pickle=False), facts)
    except (OSError, ValueError, KeyError, EOFError):
        return None
