"""The user's own data: a folder of images, a table or an array file becomes a `Domain`."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.readers.arrays import from_arrays, read_arrays
from acclimate.data.readers.cells import SUFFIXES as TABLES
from acclimate.data.readers.images import read_images
from acclimate.data.readers.matlab import read_matlab
from acclimate.data.readers.places import place
from acclimate.data.readers.tables import read_table
from acclimate.data.schema import TableSchema
from acclimate.data.words import text_digest
from acclimate.errors import RequestError

__all__ = ["duplicates_between", "from_arrays", "read", "read_arrays", "read_images", "read_matlab", "read_table"]

_ARRAYS = (".npz", ".mat")
_CHUNK = 4096


def read(
    path: Path | str,
    *,
    label_column: str | None = None,
    name: str | None = None,
    like: Domain | TableSchema | None = None,
    image_size: int | None = None,
) -> Domain:
    """Read whatever lies at `path`: a folder of images, a table (.csv, .tsv, .parquet) or arrays (.npz, .mat).

    Args:
        path: a folder or a file.
        label_column: for tables, the column that holds the labels.
        name: what to call the domain, in messages too.
        like: what was read before and this has to match, as a target has to match its source. Options that do not
            apply to `path` are then taken to be meant for that.
        image_size: for folders, the side of the stored images in pixels.

    Raises:
        RequestError: if nothing readable lies there, or an option does not apply to it.
        DataError: if the data break a rule.
    """
    what = name or "the data"
    path = place(path, what)
    _check_path(path, what)
    is_table = path.suffix.lower() in TABLES and not path.is_dir()
    if like is None:
        _check_option("label_column", "tables", label_column is None or is_table, path)
        _check_option("image_size", "folders of images", image_size is None or path.is_dir(), path)
    if path.is_dir():
        return read_images(path, name=name, size=image_size)
    if is_table:
        return read_table(path, label_column=label_column, name=name, like=like)
    return read_matlab(path, name=name) if path.suffix.lower() == ".mat" else read_arrays(path, name=name)


def duplicates_between(a: Domain, b: Domain) -> int:
    """How many examples of `b` have inputs that also occur in `a`: bit for bit, texts by `words.text_key`.

    Inputs of different shapes have nothing in common.
    """
    if a.inputs.shape[1:] != b.inputs.shape[1:] or a.inputs.dtype != b.inputs.dtype:
        return 0
    seen = set(_digests(a))
    return sum(digest in seen for digest in _digests(b))


def _digests(domain: Domain) -> Iterator[bytes]:
    if domain.kind == "text":
        return (text_digest(text) for text in to_texts(domain.rows))
    return _row_digests(domain.array)


def _row_digests(inputs: np.ndarray) -> Iterator[bytes]:
    for start in range(0, len(inputs), _CHUNK):
        # Adding 0 turns −0.0 into 0.0: equal numbers, equal bytes.
        for row in np.ascontiguousarray(inputs[start : start + _CHUNK]) + inputs.dtype.type(0):
            yield hashlib.blake2b(row.data, digest_size=16).digest()


def _check_path(path: Path, what: str) -> None:
    if not path.exists():
        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, near, n=1)
        fix = (
            f"Did you mean {str(path.parent / close[0])!r}?"
            if close
            else "Check the spelling and the current folder."
        )
        raise RequestError(what, "must be a folder or file that exists", repr(str(path)), fix)
    if path.is_dir() or path.suffix.lower() in (*TABLES, *_ARRAYS):
        return
    raise RequestError(
        what,
        f"must be a folder of images, or a file ending in {', '.join((*TABLES, _ARRAYS[0]))} or {_ARRAYS[1]}",
        repr(str(path)),
        "Give the folder that holds an image; save a table as .csv, and arrays with numpy.savez.",
    )


def _check_option(option: str, use: str, fits: bool, path: Path) -> None:
    if not fits:
        raise RequestError(option, f"applies to {use} only", f"{str(path)!r}", f"Leave {option} out.")
