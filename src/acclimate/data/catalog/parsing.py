"""Steps that several official formats have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acclimate.data.catalog.base import Dataset
from acclimate.data.domain import Domain
from acclimate.data.idx import read_idx
from acclimate.data.mat import read_mat
from acclimate.errors import DataError


def checked_labels(labels: np.ndarray, count: int, file: Path | str, first: int = 0) -> np.ndarray:
    """Labels renumbered from 0, as int64.

    Args:
        labels: whole numbers from `first` to `first + count − 1`.
        count: number of classes.
        file: what to call the file in errors.
        first: the number that the official files give to the first class.

    Raises:
        DataError: if a label is outside that range.
    """
    last = first + count - 1
    # Written so that not-a-number is wrong too.
    wrong = np.flatnonzero(~((labels >= first) & (labels <= last)))
    if not len(wrong):
        wrong = np.flatnonzero(labels != np.rint(labels))
    if len(wrong):
        raise DataError(
            str(file),
            f"must have whole labels {first}…{last}",
            f"{labels[wrong[0]]} as label number {wrong[0]}",
            "Get the file again.",
        )
    return labels.astype(np.int64) - first


def idx_pair(dataset: Dataset, raw: Path, split: str) -> Domain:
    """Read a split that `needs` an idx file of 28×28 images, then one of labels.

    Raises:
        DataError: if the files are damaged or do not belong together.
    """
    images_file, labels_file = dataset.official(raw, split, 0), dataset.official(raw, split, 1)
    images, labels = read_idx(images_file, dimensions=3), read_idx(labels_file, dimensions=1)
    if images.shape[1:] != (28, 28):
        raise DataError(
            str(images_file), "must hold images of 28×28", "×".join(map(str, images.shape[1:])), "Get the file again."
        )
    if len(images) != len(labels):
        raise DataError(
            str(labels_file),
            f"must hold one label for each of the {len(images):,} images in {images_file.name}",
            f"{len(labels):,} labels",
            "Put the two files of the same split together.",
        )
    return dataset.domain(split, images[..., None], checked_labels(labels, len(dataset.classes), labels_file))


def mat_digits(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the MATLAB form that SVHN set: `X` of 32×32×3×n bytes and `y` with a label for each.

    Returns:
        Images as uint8 `(n, 32, 32, 3)` and labels as they stand in the file, `(n,)`.

    Raises:
        DataError: if the file is damaged or holds something else.
    """
    mend = "Delete it and get it again."
    found = read_mat(path, ["X", "y"])
    images, labels = np.asarray(found.get("X")), np.asarray(found.get("y"))
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:3] != (32, 32, 3):
        raise DataError(str(path), "must hold X, bytes of 32×32×3×n", f"{images.dtype} of shape {images.shape}", mend)
    if labels.dtype.kind not in "iuf" or labels.size != images.shape[3]:
        raise DataError(
            str(path),
            f"must hold y, one label for each of the {images.shape[3]:,} images",
            f"{labels.dtype} of shape {labels.shape}",
            mend,
        )
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels.ravel()
