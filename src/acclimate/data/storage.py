"""Domains kept as plain arrays on disk, opened memory-mapped.

A stored domain is a folder of `inputs.npy`, `labels.npy`, `about.json` and, for texts, `offsets.npy`. It is written
under a temporary name and renamed, so a reader sees a whole domain or none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.ragged import Ragged
from acclimate.data.temporary import temporary_beside
from acclimate.errors import DataError, WorkError, unwritable

_FACTS = {"name", "examples", "classes", "notes", "content_hash", "made_from", "ids"}


def store(domain: Domain, folder: Path, made_from: str) -> Domain:
    """Write `domain` as `folder`, in place of what was there, and return it memory-mapped.

    Args:
        domain: the examples.
        folder: the final folder; its parents are made.
        made_from: where the arrays come from, for example `"official files"` or `"sha256:…"` of a pack.

    Raises:
        WorkError: if the disk cannot be written to.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(folder, Path.mkdir) as temporary:
            _fill(temporary, domain, folder, made_from)
    except OSError as error:
        raise WorkError(
            f"Cannot write below {folder.parent}: {error}. Set ACCLIMATE_DATA to a folder of yours."
        ) from None
    return load(folder)


def load(folder: Path) -> Domain:
    """Open a stored domain; its inputs are memory-mapped, read-only.

    Raises:
        DataError: if the folder does not hold a whole domain.
    """
    facts = about(folder)
    try:
        inputs = np.load(folder / "inputs.npy", mmap_mode="r", allow_pickle=False)
        if (folder / "offsets.npy").is_file():
            inputs = Ragged(inputs, np.load(folder / "offsets.npy", allow_pickle=False))
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        return Domain(
            inputs, labels, tuple(facts["classes"]), facts["name"], tuple(facts["ids"]), tuple(facts["notes"])
        )
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise _damaged(folder, error) from None


def about(folder: Path) -> dict[str, Any]:
    """What `about.json` says: name, examples, classes, notes, content_hash, made_from, ids.

    Raises:
        DataError: if it is damaged.
    """
    try:
        facts = dict(json.loads((folder / "about.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise _damaged(folder, error) from None
    if missing := _FACTS - facts.keys():
        raise _damaged(folder, f"about.json lacks {', '.join(sorted(missing))}")
    return facts


def _damaged(folder: Path, error: object) -> DataError:
    return DataError(
        str(folder),
        "must hold a whole stored domain",
        f"a damaged one ({error})",
        "Delete that folder and try again.",
    )


def is_stored(folder: Path) -> bool:
    """True if a domain has been stored as `folder`."""
    return (folder / "about.json").is_file()


def _fill(temporary: Path, domain: Domain, folder: Path, made_from: str) -> None:
    """Write a domain, and give it its place unless another process has stored the same meanwhile."""
    try:
        _write(domain, temporary, made_from)
        if not _holds_the_same(folder, temporary):
            _put_in_place(temporary, folder)
    except OSError as error:
        raise unwritable(folder, error, "set ACCLIMATE_DATA to another folder") from None


def _write(domain: Domain, folder: Path, made_from: str) -> None:
    for name, array in domain.arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array))
    np.save(folder / "labels.npy", domain.labels)
    facts = {
        "name": domain.name,
        "examples": len(domain),
        "classes": domain.classes,
        "notes": domain.notes,
        "content_hash": domain.content_hash,
        "made_from": made_from,
        "ids": domain.ids,
    }
    (folder / "about.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")


def _holds_the_same(folder: Path, temporary: Path) -> bool:
    """True if another process has stored the same meanwhile; it may be using it already."""
    try:
        return is_stored(folder) and about(folder) == about(temporary)
    except DataError:
        return False


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename `temporary` to `folder`; whatever stood there is moved aside first and removed."""
    if folder.exists():
        with temporary_beside(folder, Path.mkdir) as aside:
            folder.replace(aside / "old")
    temporary.replace(folder)
