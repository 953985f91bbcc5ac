"""Feature tables in MATLAB's form, as the data sets of heterogeneous adaptation are published."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acclimate.data.bins import Bins
from acclimate.data.domain import Domain
from acclimate.data.mat import read_mat
from acclimate.data.places import place
from acclimate.data.readers.arrays import from_arrays
from acclimate.errors import DataError, RequestError

_INPUTS, _LABELS = ("features", "fts", "X", "x"), ("labels", "y", "Y")


def read_matlab(path: Path | str, *, name: str | None = None, bins: int | Bins | None = None) -> Domain:
    """Read a .mat file of MATLAB 5 (`save -v7`) with one example a row.

    Args:
        path: holds the inputs `(n, d)` as `features`, `fts`, `X` or `x`, and optionally the labels, `(n, 1)` or
            `(1, n)`, as `labels`, `y` or `Y`: numbers, which become names of classes, −1 for unlabelled.
        name: what to call the domain; by default the file's name without its suffix.
        bins: see `from_arrays`.

    Raises:
        RequestError: if there is no such file.
        DataError: if the file is damaged, of another form, or holds no such arrays.
    """
    path = place(path, "the .mat file")
    if not path.is_file():
        raise RequestError(
            "the .mat file", "must exist", repr(str(path)), "Check the spelling and the current folder."
        )
    found = read_mat(path, (*_INPUTS, *_LABELS))
    inputs = next((found[key] for key in _INPUTS if key in found), None)
    if inputs is None or inputs.ndim != 2:
        got = "no such array" if inputs is None else f"an array of shape {inputs.shape}"
        fix = "Save full matrices with one example a row: save('a.mat', 'features', 'labels', '-v7')."
        raise DataError(str(path), f"must hold a matrix (n, d) called {' or '.join(_INPUTS)}", got, fix)
    labels = next((found[key] for key in _LABELS if key in found), None)
    column = None if labels is None else _column(labels, len(inputs), path)
    return from_arrays(inputs, column, name=name or path.stem, bins=bins)


def _column(labels: np.ndarray, n: int, path: Path) -> np.ndarray:
    """Labels `(n,)`."""
    if labels.size != n or max(labels.shape) != n:
        fix = "Save one label for each row of the features."
        raise DataError(f"the labels of {path}", f"must be {n}, one for each example", f"shape {labels.shape}", fix)
    return labels.ravel()
