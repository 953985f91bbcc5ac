"""Arrays in a run's files, read as from a stranger: nothing is unpickled, and nothing unpacks to more than it may."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.archives import unpacked_limit
from acclimate.errors import WorkError

_ENDS = ("uncertain", "certain")
_OF_AN_END = ("images", "predicted", "confidence", "label")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, by name.

    Raises:
        WorkError: if the file is damaged, holds anything but plain arrays, or unpacks to more than it may.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > (limit := unpacked_limit(path)):
            raise ValueError(f"it would unpack to {size:,} bytes, and at most {limit:,} are taken")
        # Opened here: NumPy leaves open what it finds to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
    except Exception as error:  # zipfile and NumPy fail in more ways on damaged files than they document
        raise WorkError(f"{path} cannot be read: {error!s:.300}") from None
    if odd := sorted(name for name, array in found.items() if not _is_plain(array)):
        raise WorkError(f"{path} must hold plain arrays, without pickled objects; got others: {', '.join(odd)[:200]}")
    return found


def _is_plain(array: Any) -> bool:
    """Whether it is an array of numbers or text; NumPy gives bytes for a member that is none."""
    return isinstance(array, np.ndarray) and array.dtype.kind in "buifU"


def read_sample(path: Path, classes: int) -> dict[str, np.ndarray]:
    """What `sample.npz` holds: features of some examples `(n, d)`, what they are, and pictures of a few.

    Args:
        path: the file.
        classes: how many classes have a name.

    Raises:
        WorkError: if it is damaged or its arrays do not fit together.
    """
    sample = read_arrays(path)
    fault = _fault_of_examples(sample, classes) or next(
        filter(None, (_fault_of_end(sample, e, classes) for e in _ENDS)), ""
    )
    if fault:
        raise WorkError(f"{path} is not as acclimate writes it: {fault}.")
    return sample


def _fault_of_examples(sample: Mapping[str, np.ndarray], classes: int) -> str:
    if missing := [name for name in ("features", "is_target", "label", "predicted") if name not in sample]:
        return f"{', '.join(missing)} missing"
    n = len(sample["is_target"]) if sample["is_target"].ndim else 0
    for name in ("features", "untrained"):
        if name in sample and (sample[name].ndim != 2 or len(sample[name]) != n or sample[name].dtype.kind != "f"):
            return f"{name} must be numbers ({n}, d)"
    if sample["is_target"].ndim != 1 or sample["is_target"].dtype.kind != "b":
        return "is_target must be truth values (n)"
    return next((f for name in ("label", "predicted") if (f := _fault_of_classes(sample, name, n, classes))), "")


def _fault_of_end(sample: Mapping[str, np.ndarray], end: str, classes: int) -> str:
    """What is wrong with the pictures at one end of confidence; tables and texts have none."""
    names = [f"{end}_{name}" for name in _OF_AN_END]
    if not any(name in sample for name in names):
        return ""
    if missing := [name for name in names if name not in sample]:
        return f"{', '.join(missing)} missing"
    images, _, confidence, _ = (sample[name] for name in names)
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] not in (1, 3) or 0 in images.shape[1:]:
        return f"{end}_images must be bytes (n, h, w, 1 or 3)"
    if confidence.shape != (len(images),) or confidence.dtype.kind != "f":
        return f"{end}_confidence must be {len(images)} numbers"
    checked = (_fault_of_classes(sample, f"{end}_{name}", len(images), classes) for name in ("predicted", "label"))
    return next(filter(None, checked), "")


def _fault_of_classes(sample: Mapping[str, np.ndarray], name: str, n: int, classes: int) -> str:
    array = sample[name]
    known = array.shape == (n,) and array.dtype.kind in "iu" and bool(((array >= -1) & (array < classes)).all())
    return "" if known else f"{name} must be {n} whole numbers from -1 to {classes - 1}"
