"""The user's own data: a folder of images or texts, a table, JSON lines or an array file becomes a `Domain`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.bins import Bins
from acclimate.data.domain import Domain
from acclimate.data.pairing import check_same_encoder
from acclimate.data.places import check_there, place
from acclimate.data.ragged import to_texts
from acclimate.data.readers.arrays import from_arrays, read_arrays
from acclimate.data.readers.cell_parts import CellParts, table_files
from acclimate.data.readers.cells import SUFFIXES as TABLES
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.folders import walk
from acclimate.data.readers.images import IMAGES, read_images
from acclimate.data.readers.inference import Wanted
from acclimate.data.readers.jsonl import SUFFIXES as JSON_LINES
from acclimate.data.readers.jsonl import is_jsonl
from acclimate.data.readers.large_tables import read_in_parts
from acclimate.data.readers.matlab import read_matlab
from acclimate.data.readers.sizes import stay_on_disk
from acclimate.data.readers.tables import read_table
from acclimate.data.readers.texts import TEXTS, read_texts
from acclimate.data.row_hashes import shared_rows
from acclimate.data.schema import EncodedSchema, Schema, TextSchema
from acclimate.data.words import text_digest
from acclimate.errors import DataError, RequestError

__all__ = [
    "duplicates_between",
    "from_arrays",
    "holds_texts",
    "read",
    "read_arrays",
    "read_images",
    "read_matlab",
    "read_table",
    "read_texts",
]

_ARRAYS = (".npz", ".mat")
_CHUNK = 4096


def read(
    path: Path | str,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    columns: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    delimiter: str | None = None,
    quoting: str = "auto",
    name: str | None = None,
    like: Domain | Schema | None = None,
    image_size: int | None = None,
    bins: int | Bins | None = None,
    white: float | None = None,
    memory: str | None = None,
) -> Domain:
    """Read whatever lies at `path`.

    That is a folder of images or of .txt files, JSON lines (.jsonl, .jsonl.gz), a table (.csv, .tsv, .parquet) of
    features or of texts, a folder of tables of features or a pattern of their names, which are one table in the order
    of their names, or arrays (.npz, .mat).

    Args:
        path: a folder or a file. A folder with images is one of images; one with more .txt files than images is
            refused.
        text_column: for tables and JSON lines, the column that holds texts. A table is read as texts if this is given
            or `like` is texts, and else as features.
        label_column: for tables and JSON lines, the column that holds the labels.
        id_column: for these, the column that names the rows.
        columns: for tables of features, the columns to learn from, if not all.
        leave_out: for these, columns not to learn from.
        delimiter: for tables as text, what separates values; see `csvs.Dialect`.
        quoting: for these, how values are quoted.
        name: what to call the domain, in messages too.
        like: what was read before and this has to match, as a target has to match its source. Options that do not
            apply to `path` are then taken to be meant for that.
        image_size: for folders of images, the side of the stored images in pixels.
        bins: predict ranges of the label, which is then a number: so many of equal size, or these. By default those
            of `like`.
        white: for .npz files of images, what float pixels have for white, 1 or 255; by default told by their values.
        memory: what data may take, such as `"2GB"`; half of what is free by default. Features of a table that would
            take more than half of that stay on disk.

    Raises:
        RequestError: if nothing readable lies there, or an option does not apply to it.
        DataError: if the data break a rule.
    """
    what = name or "the data"
    path = place(path, what)
    tables = table_files(str(path))
    if not tables or path.exists():
        _check_path(path, what)
    bins = bins or (like.bins if isinstance(like, Domain) else None)
    is_table = bool(tables) or (path.suffix.lower() in TABLES and not path.is_dir())
    _check_option("text_column", "one table", tables in ((), (path,)) or not (text_column or _is_text(like)), path)
    is_text = holds_texts(path, text_column) or (is_table and _is_text(like))
    if like is None:
        in_file = is_table or is_jsonl(path)
        _check_option("text_column", "tables and .jsonl files", text_column is None or in_file, path)
        _check_option("label_column", "tables and .jsonl files", label_column is None or in_file, path)
        _check_option("id_column", "tables and .jsonl files", id_column is None or in_file, path)
        of_features = is_table and not is_text
        _check_option("columns", "tables of features", not columns or of_features, path)
        _check_option("leave_out", "tables of features", not leave_out or of_features, path)
        of_images = path.is_dir() and not is_text
        _check_option("image_size", "folders of images", image_size is None or of_images, path)
        _check_option("bins", "tables, .jsonl and array files", bins is None or not path.is_dir(), path)
    shared: dict[str, Any] = {
        "label_column": label_column,
        "id_column": id_column,
        "name": name,
        "like": like,
        "bins": bins,
    }
    shared |= {"delimiter": delimiter, "quoting": quoting}
    if is_text:
        return read_texts(path, text_column=text_column, **shared)
    if path.is_dir() and not tables:
        return read_images(path, name=name, size=image_size)
    if is_table:
        on_disk = stay_on_disk(tables, memory)
        if on_disk or tables != (path,):
            parts = CellParts(str(path), tables, Dialect(delimiter, quoting))
            wanted = Wanted(label_column, id_column, tuple(columns), tuple(leave_out))
            return read_in_parts(parts, wanted, on_disk=on_disk, name=name or path.stem, like=like, bins=bins)
        return read_table(path, columns=columns, leave_out=leave_out, **shared)
    if path.suffix.lower() == ".mat":
        found = read_matlab(path, name=name, bins=bins)
    else:
        found = read_arrays(path, name=name, bins=bins, white=white)
    _check_encoder(like, found)
    return found


def holds_texts(path: Path, text_column: str | None = None) -> bool:
    """Whether `read` finds texts at `path`: JSON lines, .txt files, or a table whose column of texts is named.

    Nothing is read for that.

    Raises:
        DataError: if it is a folder with images and more .txt files than those.
    """
    if not path.is_dir():
        return is_jsonl(path) or (path.suffix.lower() in TABLES and text_column is not None)
    suffixes = [file.suffix.lower() for file in walk(path) if not file.name.startswith(".")]
    images, texts = (sum(suffix in kind.suffixes for suffix in suffixes) for kind in (IMAGES, TEXTS))
    if images and texts > images:
        raise DataError(
            str(path),
            "must hold either images or texts",
            f"{images:,} images beside {texts:,} .txt files",
            "Move the one kind or the other to a folder of its own.",
        )
    return texts > images


def _check_encoder(like: Domain | Schema | None, found: Domain) -> None:
    """Refuse features of another encoder than those before.

    Raises:
        DataError: if they are.
    """
    if isinstance(like, EncodedSchema):
        like = Domain(np.empty((0, 1), np.float32), name="the training data", schema=like)
    if isinstance(like, Domain):
        check_same_encoder(like, found)


def _is_text(like: Domain | Schema | None) -> bool:
    return like.kind == "text" if isinstance(like, Domain) else isinstance(like, TextSchema)


def duplicates_between(a: Domain, b: Domain) -> int:
    """How many examples of `b` have inputs that also occur in `a`: bit for bit, texts by `words.text_key`.

    Inputs of different shapes have nothing in common.
    """
    if a.inputs.shape[1:] != b.inputs.shape[1:] or a.inputs.dtype != b.inputs.dtype:
        return 0
    if a.is_on_disk or b.is_on_disk:
        return shared_rows(a, b)
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
    check_there(path, what)
    if path.is_dir() or is_jsonl(path) or path.suffix.lower() in (*TABLES, *_ARRAYS):
        return
    files = ", ".join((*TABLES, *JSON_LINES, _ARRAYS[0]))
    raise RequestError(
        what,
        f"must be a folder of images or of .txt files, or a file ending in {files} or {_ARRAYS[1]}",
        repr(str(path)),
        "Give the folder that holds an image or a text; save a table as .csv, and arrays with numpy.savez.",
    )


def _check_option(option: str, use: str, fits: bool, path: Path) -> None:
    if not fits:
        raise RequestError(option, f"applies to {use} only", f"{str(path)!r}", f"Leave {option} out.")
