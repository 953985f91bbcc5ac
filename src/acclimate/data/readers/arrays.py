"""Arrays as a `Domain`: a .npz file, or what a program already holds in memory."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile

from acclimate.data.archives import unpacked_limit
from acclimate.data.bins import Bins
from acclimate.data.class_names import each_once
from acclimate.data.domain import Domain
from acclimate.data.places import place
from acclimate.data.ragged import Ragged, from_texts
from acclimate.data.readers.frames import as_table
from acclimate.data.readers.labels import read_labels
from acclimate.data.readers.pixels import pixels
from acclimate.data.readers.tables import table_domain
from acclimate.data.schema import EncodedSchema
from acclimate.data.strings import as_texts, text_notes
from acclimate.errors import DataError, RequestError
from acclimate.types import UNLABELLED

_NAMES = {
    "inputs": ("X", "x", "images", "inputs", "features"),
    "labels": ("y", "Y", "labels"),
    "classes": ("classes",),
    "ids": ("ids",),
    "encoder": ("encoder",),
}
_BYTES_A_FEATURE = 4


def read_arrays(
    path: Path | str, *, name: str | None = None, bins: int | Bins | None = None, white: float | None = None
) -> Domain:
    """Read a .npz file.

    Args:
        path: holds the inputs as `X`, `x`, `images`, `inputs` or `features`; optionally labels as `y`, `Y` or
            `labels`, class names as `classes`, a name for each example as `ids`, and whose features they are as
            `encoder`, a name and a digest of weights. Pickled objects are never loaded.
        name: what to call the domain; by default the file's name without its suffix.
        bins: see `from_arrays`.
        white: likewise.

    Raises:
        RequestError: if there is no such file.
        DataError: if the file, or an array in it, breaks a rule; see `from_arrays`.
    """
    path = place(path, "the .npz file")
    if not path.is_file():
        raise RequestError(
            "the .npz file", "must exist", repr(str(path)), "Check the spelling and the current folder."
        )
    if not zipfile.is_zipfile(path):
        raise DataError(str(path), "must be a .npz file", "a file of another kind", "Save it with numpy.savez.")
    name = name or path.stem
    with _open(path) as file:
        keys = {role: _key(path, role, file.files) for role in _NAMES}
        arrays = {role: _member(path, file, key) for role, key in keys.items() if key}
        others = sorted(set(file.files) - set(keys.values()))
    found = arrays.get("labels")
    domain = from_arrays(arrays["inputs"], found, classes=arrays.get("classes"), name=name, bins=bins, white=white)
    if "ids" in arrays:
        domain = replace(domain, ids=tuple(map(str, arrays["ids"].ravel().tolist())))
    if "encoder" in arrays and arrays["encoder"].shape == (2,):
        encoder, weights = map(str, arrays["encoder"].tolist())
        domain = replace(domain, schema=EncodedSchema(encoder=encoder, weights=weights))
    return (
        domain.with_notes(f"{name}: arrays of other names were left out: {', '.join(others)}.") if others else domain
    )


def from_arrays(
    X: Any,
    y: Any = None,
    *,
    classes: Sequence[str] | np.ndarray | None = None,
    name: str = "domain",
    bins: int | Bins | None = None,
    white: float | None = None,
) -> Domain:
    """Make a domain of arrays, of what turns into arrays, or of a table.

    Args:
        X: images `(n, h, w)`, `(n, h, w, c)` or `(n, c, h, w)` with c = 1 or 3, in whole numbers from 0 to 255 or
            in floats, from 0 to 1 (scaled by 255) or to 255, rounded; or features `(n, d)` of real numbers, NaN where
            one is missing, or a sparse matrix of them that fits into memory; or texts: a list of strings, an array
            `(n,)` or `(n, 1)` of them, or such a column of a data frame; or a table (`frames.as_table`), that is a
            data frame, a list of dicts or a dict of columns, which is read as a file of such columns is; or a
            domain, whose labels and classes are then those given here.
        y: labels `(n,)`: whole numbers with −1 for unlabelled, or strings with "" or None for unlabelled.
        classes: names of the classes. Whole numbers in `y` are then indices into them. By default the values that
            occur in `y`, sorted.
        name: what to call the domain.
        bins: predict ranges of `y`, which is then a number: so many of equal size, or these.
        white: what float pixels have for white, 1 or 255; by default it is told by their values.

    Raises:
        DataError: if an array is ragged, holds objects, or breaks a rule above.
    """
    numbers = None
    made = X if isinstance(X, Domain) else _unlabelled(X, name, white)
    if bins is not None and y is not None:
        found = read_labels(y, len(made), f"the labels of {name}", bins)
        labels, names, about, bins = found.indices, found.classes, found.notes, found.bins
        numbers = found.numbers
    else:
        labels, names, about = _labels(y, len(made), classes, name)
    ranges = bins if isinstance(bins, Bins) else None
    noted = made.with_notes(*(f"{name}: {note}" for note in about))
    return replace(noted, labels=labels, classes=names, bins=ranges, numbers=numbers)


def _unlabelled(X: Any, name: str, white: float | None) -> Domain:
    """Inputs of any kind as a domain without labels."""
    what = f"the inputs of {name}"
    texts = as_texts(X, what)
    if texts is None and (table := as_table(X, what)) is not None:
        return table_domain(table, name)
    inputs: np.ndarray | Ragged
    if texts is None:
        inputs, notes, white = _numbers(X, what, name, white)
    else:
        inputs, notes = from_texts(texts), list(text_notes(texts))
    return Domain(inputs, name=name, notes=tuple(f"{name}: {note}" for note in notes), white=white)


def _numbers(X: Any, what: str, name: str, white: float | None) -> tuple[np.ndarray, list[str], float | None]:
    """Images or features in stored form, what a user should know about them, and what float pixels had for white."""
    array = _as_array(X, what)
    if array.dtype.kind not in "buif":
        raise DataError(
            what,
            "must be real numbers",
            f"values of type {array.dtype}",
            "Convert them first, for example with .astype('float32').",
        )
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise DataError(
            what,
            "must be images (n, h, w), (n, h, w, c) or (n, c, h, w), features (n, d) or texts, "
            "with at least one example",
            f"an array of shape {array.shape}",
            "Reshape it, for example with X.reshape(len(X), -1) for features.",
        )
    if array.ndim == 2:
        return _features(array), [], None
    images = _channels_last(array, name)
    return pixels(images, f"the images of {name}", white)


def _open(path: Path) -> NpzFile:
    """The file with its members unread.

    Raises:
        DataError: if it is damaged, or so small that what it announces must be a bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        file: NpzFile = np.load(path, allow_pickle=False)
    # zipfile and NumPy fail in more ways on damaged files than they document.
    except Exception as error:
        raise _damaged(str(path), "must be a .npz file that is whole", error) from None
    if size > (limit := unpacked_limit(path)):
        file.close()
        fix = "If these are real data, save them without compression: numpy.savez."
        raise DataError(str(path), f"must unpack to at most {limit:,} bytes", f"{size:,}", fix)
    return file


def _damaged(what: str, rule: str, error: Exception) -> DataError:
    return DataError(what, rule, f"{type(error).__name__}: {error!s:.200}", "Save it again with numpy.savez.")


def _key(path: Path, role: str, present: Sequence[str]) -> str | None:
    """The one name under which the file has the inputs, the labels or the class names; None if it has none."""
    found = [name for name in _NAMES[role] if name in present]
    if len(found) > 1:
        raise DataError(
            str(path), f"must hold the {role} under one name", " and ".join(found), "Leave out all but one."
        )
    if role == "inputs" and not found:
        sparse = {"data", "indices", "indptr"}.issubset(present)
        raise DataError(
            str(path),
            f"must have an array called {', '.join(_NAMES[role][:-1])} or {_NAMES[role][-1]}",
            "a sparse matrix" if sparse else f"only {', '.join(present) or 'nothing'}",
            f"Save it with numpy.savez(path, X={'matrix.toarray()' if sparse else 'inputs'}, y=labels).",
        )
    return found[0] if found else None


def _member(path: Path, file: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    try:
        return file[key]
    except Exception as error:
        rule = "must be a plain array, without pickled objects"
        raise _damaged(f"{key} in {path}", rule, error) from None


def _as_array(values: Any, what: str) -> np.ndarray:
    """An array of numbers or strings, from whatever can become one."""
    if hasattr(values, "toarray"):
        values = _dense(values, what)
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    elif hasattr(values, "to_numpy"):
        values = values.to_numpy()
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(
            what, "must be an array", "rows of different lengths", "Make all rows equally long."
        ) from None
    if array.dtype.hasobject and not _is_text(array):
        raise DataError(
            what,
            "must be an array of plain numbers or strings",
            f"objects such as {array.flat[0]!r:.80}" if array.size else "objects",
            "Convert it first, for example with .astype('float32').",
        )
    return array


def _dense(matrix: Any, what: str) -> np.ndarray:
    """A sparse matrix as an array, which is what networks take.

    Raises:
        DataError: if that would fill more than half of the memory.
    """
    size, limit = _BYTES_A_FEATURE * int(np.prod(matrix.shape)), _memory() // 2
    if size > limit:
        fix = "Keep the columns that matter, for example the most frequent words, or fewer rows."
        got = f"{size:,} for {matrix.shape[0]:,} rows of {matrix.shape[-1]:,} columns"
        raise DataError(what, f"must fit into {limit:,} bytes, half of the memory, as rows of numbers", got, fix)
    return np.asarray(matrix.astype(np.float32).toarray())


def _memory() -> int:
    """The memory of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**34


def _is_text(array: np.ndarray) -> bool:
    """True for what data frames hold in columns of text: strings as objects, None where there is no value."""
    return array.ndim == 1 and all(value is None or isinstance(value, str) for value in array)


def _features(array: np.ndarray) -> np.ndarray:
    # What does not fit into 32 bits becomes infinite, which Domain refuses with its row and column.
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)


def _channels_last(array: np.ndarray, name: str) -> np.ndarray:
    """Images as `(n, h, w, c)`."""
    if array.ndim == 3:
        return array[..., None]
    first, last = array.shape[1] in (1, 3), array.shape[3] in (1, 3)
    if first == last:
        raise DataError(
            f"the images of {name}",
            "must have 1 or 3 channels, in the second or the last place",
            f"shape {array.shape}, {'where either can be meant' if first else 'with neither'}",
            "Put the channels last, as images.transpose(0, 2, 3, 1) does, and convert to RGB or grey.",
        )
    return array if last else np.moveaxis(array, 1, 3)


def _labels(
    y: Any, n: int, classes: Sequence[str] | np.ndarray | None, name: str
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Labels `(n,)` as indices into class names, −1 where there is none; the names; and what to know of them."""
    names = None if classes is None else _class_names(classes, name)
    if y is None:
        return np.full(n, UNLABELLED), names or (), ()
    what = f"the labels of {name}"
    found = read_labels(y, n, what)
    if names is None:
        return found.indices, found.classes, found.notes
    if any(isinstance(value, str | bytes) for value in found.values):
        return found.among(names, what), names, found.notes
    places = [float(value) for value in found.values]
    if any(place % 1 for place in places):
        fix = "Give indices into classes, or the names themselves."
        raise DataError(what, "must be whole numbers, where classes have names", found.classes[:5], fix)
    return np.array([*places, UNLABELLED])[found.indices].astype(np.int64), names, found.about


def _class_names(classes: Sequence[str] | np.ndarray, name: str) -> tuple[str, ...]:
    what = f"the classes of {name}"
    array = _as_array(classes, what)
    names = tuple(_texts(array, what)) if array.ndim == 1 else ()
    if array.ndim != 1 or len(each_once(names)) < len(names):
        got = names[:5] if names else f"an array of shape {array.shape}"
        raise DataError(what, "must be a list of different names", got, "Give one name for each class.")
    return names


def _texts(array: np.ndarray, what: str) -> list[str]:
    """Each value `(n,)` as text; None becomes empty.

    Raises:
        DataError: if bytes are not UTF-8, or text is none that UTF-8 could hold.
    """
    try:
        values = (np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array).tolist()
        texts = [str(value) if value is not None else "" for value in values]
        "".join(texts).encode()
    # NumPy raises a SystemError for numbers that are no letters, Python a UnicodeError for halves of letters.
    except (ValueError, SystemError) as error:
        raise DataError(what, "must be UTF-8 text", f"other bytes ({error})", "Save them as text again.") from None
    return texts
