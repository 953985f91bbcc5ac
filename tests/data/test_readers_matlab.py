"""Feature tables as .mat files, in the two forms they are published in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from acclimate.data.readers import read
from acclimate.errors import DataError, RequestError

ROWS = np.random.default_rng(0).random((6, 4))


@pytest.mark.parametrize(("inputs", "shape"), [("features", (6, 1)), ("fts", (6, 1)), ("fts", (1, 6))])
def test_published_forms_are_read(tmp_path: Path, inputs: str, shape: tuple[int, int]) -> None:
    savemat(tmp_path / "a.mat", {inputs: ROWS, "labels": np.array([3, 1, 2, 1, 2, 3]).reshape(shape), "note": "x"})
    domain = read(tmp_path / "a.mat")
    assert domain.classes == ("1", "2", "3")
    assert domain.labels.tolist() == [2, 0, 1, 0, 1, 2]
    np.testing.assert_array_equal(domain.inputs, ROWS.astype(np.float32))


def test_labels_may_be_missing(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"X": ROWS})
    assert read(tmp_path / "a.mat").num_labelled == 0


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"other": ROWS}, "must hold a matrix .* called features or fts or X or x; got no such array.*save"),
        ({"X": np.zeros((2, 2, 2))}, r"got an array of shape \(2, 2, 2\)"),
        ({"X": ROWS, "y": np.arange(5)}, "must be 6, one for each example; got shape"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, arrays: dict[str, np.ndarray], words: str) -> None:
    savemat(tmp_path / "a.mat", arrays)
    with pytest.raises(DataError, match=words):
        read(tmp_path / "a.mat")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="must be a folder or file that exists"):
        read(tmp_path / "a.mat")
