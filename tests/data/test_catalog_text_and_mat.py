"""USPS in its three forms, SVHN's MATLAB files, and scikit-learn's digits."""

from __future__ import annotations

import bz2
import gzip
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat
from sklearn.datasets import load_digits

from acclimate.data import catalog
from acclimate.data.catalog.usps import grey_bytes
from acclimate.errors import DataError

# Official grey levels: multiples of 1/2000.
STEPS = np.random.default_rng(0).integers(0, 2001, (4, 256))
STEPS[0, :4] = (0, 2000, 1000, 1)
DIGITS = np.array([0, 9, 5, 5])


def signed(steps: np.ndarray) -> list[str]:
    """Values −1…1 with three decimals, as the official files state them."""
    return [f"{step / 1000 - 1:.3f}" for step in steps.tolist()]


def libsvm(leave_out_zeros: bool = False) -> bytes:
    lines = []
    for digit, steps in zip(DIGITS, STEPS, strict=True):
        pairs = [f"{i}:{v}" for i, v in enumerate(signed(steps), start=1) if not (leave_out_zeros and float(v) == 0)]
        lines.append(f"{digit + 1} {' '.join(pairs)}\n")
    return "".join(lines).encode()


def esl() -> bytes:
    return "".join(f"{d}.0000 {' '.join(signed(s))} \n" for d, s in zip(DIGITS, STEPS, strict=True)).encode()


def write_hdf5(path: Path, values: np.ndarray, digits: np.ndarray = DIGITS) -> None:
    with h5py.File(path, "w") as file:
        for split in ("train", "test"):
            file[f"{split}/data"], file[f"{split}/target"] = values, digits


def parse_usps(folder: Path) -> object:
    return catalog.dataset("usps").parse(folder, "train")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("usps.bz2", bz2.compress(libsvm())),
        ("usps.bz2", bz2.compress(libsvm(leave_out_zeros=True))),
        ("usps", libsvm()),
        ("zip.train.gz", gzip.compress(esl(), mtime=0)),
        ("zip.train", esl()),
    ],
)
def test_every_text_form_of_usps_gives_the_same_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    domain = catalog.dataset("usps").parse(tmp_path, "train")
    np.testing.assert_array_equal(domain.inputs.reshape(4, 256), STEPS * 255 // 2000)
    assert domain.inputs.shape == (4, 16, 16, 1)
    np.testing.assert_array_equal(domain.labels, DIGITS)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_usps_in_hdf5_gives_the_same_bytes(tmp_path: Path, kind: type) -> None:
    write_hdf5(tmp_path / "usps.h5", (STEPS / 2000).astype(kind))
    domain = catalog.dataset("usps").parse(tmp_path, "test")
    np.testing.assert_array_equal(domain.inputs.reshape(4, 256), STEPS * 255 // 2000)
    np.testing.assert_array_equal(domain.labels, DIGITS)


@given(st.integers(0, 2000))
def test_grey_bytes_are_exact_floors_in_any_precision(step: int) -> None:
    expected = int(Fraction(step, 2000) * 255)
    decimals = (float(f"{step / 1000 - 1:.3f}") + 1) / 2
    for value in (np.float64(step / 2000), np.float32(step / 2000), np.float64(decimals)):
        assert grey_bytes(np.array([value]))[0] == expected


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "must have one example a line; got no lines"),
        (b"1 1:0.5\n11 1:0.5\n", "must have whole labels 1…10; got 11.0 as label number 1"),
        (b"1.5 1:0.5\n", "must have whole labels"),
        (b"nan 1:0.5\n", "must have whole labels"),
        (b"1 257:0.5\n", "line 1, must be a label and 256 values.*got the index 257"),
        (b"1 0:0.5\n", "got the index 0"),
        (b"1 1:0.5\n2 1:200\n", "line 2, must be a label and 256 values from −1 to 1; got the value 200.0"),
        (b"1 1:nan\n", "got the value nan"),
        (b"1 half:0.5\n", "line 1"),
        (b"\n", "line 1"),
        (b"1\n" * 7292, "must have at most 7,291 lines"),
    ],
)
def test_what_is_wrong_with_a_libsvm_file_is_said(tmp_path: Path, content: bytes, rule: str) -> None:
    (tmp_path / "usps").write_bytes(content)
    with pytest.raises(DataError, match=rule):
        parse_usps(tmp_path)


def test_a_line_of_the_wrong_length_is_refused_in_the_other_text_form(tmp_path: Path) -> None:
    (tmp_path / "zip.train").write_bytes(b"6.0 " + b"0.0 " * 255)
    with pytest.raises(DataError, match="got 255 values"):
        parse_usps(tmp_path)


def test_a_cut_off_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "usps.bz2").write_bytes(bz2.compress(libsvm())[:-20])
    with pytest.raises(DataError, match="must be a readable text file"):
        parse_usps(tmp_path)


@pytest.mark.parametrize(
    ("values", "digits", "rule"),
    [
        (STEPS / 2000 * 255, DIGITS, "must hold values 0…1.*255"),
        (np.full((4, 256), np.nan), DIGITS, "must hold values 0…1"),
        (STEPS / 2000, DIGITS / 2, "whole labels"),
        (STEPS / 2000, DIGITS + 1, "must have whole labels 0…9; got 10"),
        (STEPS[:, :9] / 2000, DIGITS, "must hold 256 real values"),
        (STEPS, DIGITS, "must hold 256 real values"),
        (STEPS / 2000, DIGITS[:3], "one label an example"),
    ],
)
def test_what_is_wrong_with_an_hdf5_file_is_said(
    tmp_path: Path, values: np.ndarray, digits: np.ndarray, rule: str
) -> None:
    write_hdf5(tmp_path / "usps.h5", values, digits)
    with pytest.raises(DataError, match=rule):
        parse_usps(tmp_path)


def test_hdf5_without_the_groups_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "usps.h5", "w") as file:
        file["data"] = STEPS
    with pytest.raises(DataError, match="must be HDF5 with train/data and train/target"):
        parse_usps(tmp_path)


STREET = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_svhn_is_read_with_its_ten_as_zero(tmp_path: Path, kind: type) -> None:
    y = np.array([[1], [10], [9], [2], [10], [5]], kind)
    savemat(tmp_path / "extra_32x32.mat", {"X": STREET.transpose(1, 2, 3, 0), "y": y})
    domain = catalog.dataset("svhn").parse(tmp_path, "extra")
    np.testing.assert_array_equal(domain.inputs, STREET)
    assert domain.inputs.flags.c_contiguous
    np.testing.assert_array_equal(domain.labels, [1, 0, 9, 2, 0, 5])


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ({"X": STREET.transpose(1, 2, 3, 0), "y": [[0]] * 6}, "must have whole labels 1…10; got 0"),
        ({"X": STREET.transpose(1, 2, 3, 0), "y": [[1.5]] * 6}, "must have whole labels"),
        ({"X": STREET.transpose(1, 2, 3, 0), "y": [[1]] * 5}, "one label for each of the 6 images"),
        ({"X": STREET.transpose(1, 2, 3, 0)}, "must hold y"),
        ({"X": STREET, "y": [[1]] * 6}, r"must hold X, bytes of 32×32×3×n; got uint8 of shape \(6, 32, 32, 3\)"),
        ({"X": STREET.transpose(1, 2, 3, 0) / 255, "y": [[1]] * 6}, "got float64"),
        ({"y": [[1]]}, "must hold X"),
    ],
)
def test_what_is_wrong_with_a_mat_file_is_said(tmp_path: Path, content: dict[str, object], rule: str) -> None:
    savemat(tmp_path / "train_32x32.mat", content)
    with pytest.raises(DataError, match=rule):
        catalog.dataset("svhn").parse(tmp_path, "train")


def test_digits_come_from_scikit_learn_as_bytes() -> None:
    bundled = load_digits()
    whole = catalog.load("digits", "all")
    assert whole.inputs.shape == (1797, 8, 8, 1)
    np.testing.assert_array_equal(np.rint(whole.inputs[..., 0] / 255 * 16), bundled.images)
    assert (whole.inputs.min(), whole.inputs.max()) == (0, 255)
    np.testing.assert_array_equal(whole.labels, bundled.target)


def test_the_parts_of_digits_are_the_whole() -> None:
    train, test = catalog.load("digits", "train"), catalog.load("digits", "test")
    joined = np.concatenate([train.inputs, test.inputs])
    np.testing.assert_array_equal(joined, catalog.load("digits", "all").inputs)
    assert (len(train), len(test)) == (1437, 360)
