"""USPS: digits cut from American envelopes, in the three forms it is spread in."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.domain import Domain
from acclimate.errors import DataError

_LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
_PIXELS = 256
_LONGEST_LINE = 2**16
_MEND = "Delete it and get it again."


class Usps(Dataset):
    """Grey 16×16 handwritten digits, white on black, scaled to fill the frame."""

    name = "usps"
    title = "USPS"
    licence = "not stated by its authors; spread freely for research"
    source = "Hull (1994)"
    page = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps"
    classes = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    packed = True
    splits = ("train", "test")
    sizes: ClassVar[Mapping[str, int]] = {"train": 7291, "test": 2007}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "train": (("usps.bz2", "usps", "usps.h5", "zip.train.gz", "zip.train"),),
        "test": (("usps.t.bz2", "usps.t", "usps.h5", "zip.test.gz", "zip.test"),),
    }
    files = (
        RemoteFile("usps.bz2", (_LIBSVM + "usps.bz2",), "md5:ec16c51db3855ca6c91edd34d0e9b197"),
        RemoteFile("usps.t.bz2", (_LIBSVM + "usps.t.bz2",), "md5:8ea070ee2aca1ac39742fdd1ef5ed118"),
    )
    traps = (
        "Copies come with values −1…1, 0…1 or 0…255, and MNIST beside them 0…255; here all become the same bytes.",
        "In the LIBSVM files label 1 is digit 0 and label 10 is digit 9; here labels are the digits.",
        "Digits fill their 16×16 pixels, MNIST's keep a margin: at 28×28 USPS's are two fifths larger.",
        "The official test images are harder than the training images; a random split of both together looks better.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "train": "c7c1623f1ebc244ee785cc77098c8e4642d82aa1261cbcf09b173916040b69cf",
        "test": "8307635cffe1b09975c08bf0c39e02b55135cacdc6d143b709e92c85bd9ba3ec",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read a split from LIBSVM text, from HDF5, or from the text of `The Elements of Statistical Learning`."""
        path = self.official(raw, split)
        first = 0
        if path.suffix == ".h5":
            unit, labels = _read_hdf5(path, split)
        elif path.name.startswith("zip."):
            unit, labels = _read_text(path, _esl_row, most=self.sizes[split])
        else:
            unit, labels = _read_text(path, _libsvm_row, most=self.sizes[split])
            first = 1
        labels = checked_labels(labels, 10, path, first)
        return self.domain(split, grey_bytes(unit).reshape(-1, 16, 16, 1), labels)


def grey_bytes(unit: np.ndarray) -> np.ndarray:
    """Bytes ⌊255 · value⌋ of values in 0…1.

    The official values are multiples of 1/2000. Rounding to these first makes the result the same whether a copy
    states them as −1…1 or 0…1, in decimals or in single precision.
    """
    steps = np.rint(unit.astype(np.float64) * 2000).astype(np.int64)
    return (steps * 255 // 2000).astype(np.uint8)


def _read_text(path: Path, row: Callable[[bytes], list[float]], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Values in 0…1 `(n, 256)` and labels `(n,)` of a text file with one example a line.

    Args:
        path: the file, possibly compressed.
        row: turns a line into its label followed by 256 values in −1…1; raises ValueError if it cannot.
        most: how many examples there are in the official file.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(_lines(path), start=1):
        if number > most:
            raise DataError(str(path), f"must have at most {most:,} lines", "more", _MEND)
        try:
            rows.append(row(line))
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"{path}, line {number},", "must be a label and 256 values from −1 to 1", error, _MEND
            ) from None
    if not rows:
        raise DataError(str(path), "must have one example a line", "no lines", _MEND)
    table = np.array(rows)
    return (table[:, 1:] + 1) / 2, table[:, 0]


def _lines(path: Path) -> Iterator[bytes]:
    """Lines of a plain, gzipped or bzipped text file; none of them is ever longer than a true one could be."""
    openers: dict[str, Callable[..., bz2.BZ2File | gzip.GzipFile]] = {".bz2": bz2.open, ".gz": gzip.open}
    try:
        with openers.get(path.suffix, open)(path, "rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            str(path), "must be a readable text file", f"{type(error).__name__}: {error}", _MEND
        ) from None


def _libsvm_row(line: bytes) -> list[float]:
    """`label index:value …`, where label 1 is digit 0; an index that is left out has the value 0."""
    label, *pairs = line.split() or [b""]
    values = [0.0] * _PIXELS
    for pair in pairs:
        index, _, value = pair.partition(b":")
        if not 1 <= int(index) <= _PIXELS:
            raise ValueError(f"the index {int(index)}")
        values[int(index) - 1] = float(value)
    return [float(label), *_in_range(values)]


def _esl_row(line: bytes) -> list[float]:
    """`digit value …`, with all 256 values."""
    label, *values = line.split() or [b""]
    if len(values) != _PIXELS:
        raise ValueError(f"{len(values)} values")
    return [float(label), *_in_range([float(value) for value in values])]


def _in_range(values: list[float]) -> list[float]:
    for value in values:
        if not -1 <= value <= 1:
            raise ValueError(f"the value {value}")
    return values


def _read_hdf5(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Values in 0…1 `(n, 256)` and labels `(n,)` of the HDF5 form: `<split>/data` and `<split>/target`."""
    import h5py

    try:
        with h5py.File(path) as file:
            unit, labels = np.asarray(file[split]["data"]), np.asarray(file[split]["target"])
    except Exception as error:
        raise DataError(
            str(path), f"must be HDF5 with {split}/data and {split}/target", f"{type(error).__name__}: {error}", _MEND
        ) from None
    if unit.ndim != 2 or unit.shape[1] != _PIXELS or unit.dtype.kind != "f" or labels.shape != (len(unit),):
        raise DataError(
            str(path),
            f"must hold {_PIXELS} real values and one label an example",
            f"{unit.dtype} of shape {unit.shape} and labels of shape {labels.shape}",
            _MEND,
        )
    if labels.dtype.kind not in "iu" or not ((unit >= 0) & (unit <= 1)).all():
        raise DataError(
            str(path),
            "must hold values 0…1 and whole labels",
            f"values {unit.min()}…{unit.max()} and labels of type {labels.dtype}",
            "Copies with values 0…255 have lost the official grey levels; get another.",
        )
    return unit, labels
