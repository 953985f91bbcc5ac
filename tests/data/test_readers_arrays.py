from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from acclimate.data.readers import from_arrays, read_arrays
from acclimate.errors import DataError, RequestError

RNG = np.random.default_rng(0)
GREY = RNG.integers(64, 256, (3, 5, 4), dtype=np.uint8)
COLOUR = RNG.integers(64, 256, (3, 5, 4, 3), dtype=np.uint8)
COLOUR[0, 0, 0, 0] = GREY[0, 0, 0] = 255


def npz(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


# --- images


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (GREY, GREY[..., None]),
        (GREY[..., None], GREY[..., None]),
        (GREY[:, None], GREY[..., None]),
        (COLOUR, COLOUR),
        (COLOUR.transpose(0, 3, 1, 2), COLOUR),
        (GREY.astype(np.int64), GREY[..., None]),
        (GREY.astype(np.float64), GREY[..., None]),
        (GREY + np.float32(0.25), GREY.clip(0, 254)[..., None]),
        (GREY.tolist(), GREY[..., None]),
    ],
    ids=["nhw", "nhw1", "n1hw", "nhw3", "n3hw", "int", "float", "rounded", "list"],
)
def test_images_of_any_layout(given_: Any, expected: np.ndarray) -> None:
    if isinstance(given_, np.ndarray) and given_.max() > 255:
        given_ = given_.clip(0, 254.25)
    domain = from_arrays(given_, name="t")
    assert domain.kind == "images"
    np.testing.assert_array_equal(domain.inputs, expected)
    assert domain.notes == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_up_to_one_are_scaled_and_that_is_noted(dtype: type) -> None:
    domain = from_arrays((COLOUR / 255).astype(dtype), name="t")
    np.testing.assert_array_equal(domain.inputs, COLOUR)
    assert domain.notes == ("t: images were floats from 0 to 1; they were scaled by 255 and rounded.",)


@pytest.mark.parametrize(
    ("images", "brightest"),
    [(np.full((2, 4, 4), 16.0), "16"), (np.eye(4, dtype=np.uint8)[None], "1"), (np.full((2, 4, 4), 0.1), "25.5")],
)
def test_images_that_look_too_dark_are_noted(images: np.ndarray, brightest: str) -> None:
    assert f"the brightest pixel is {brightest} of 255" in from_arrays(images).notes[-1]


@pytest.mark.parametrize(
    "images",
    [
        np.full((2, 4, 4), -0.5),
        np.full((2, 4, 4), 255.5),
        np.full((2, 4, 4), np.nan),
        np.full((2, 4, 4), np.inf),
        np.full((2, 4, 4), 256),
        np.full((2, 4, 4), 60_000, dtype=np.uint16),
        np.ones((2, 4, 4), dtype=bool),
    ],
    ids=["negative", "above 255", "nan", "inf", "int", "16 bits", "bool"],
)
def test_images_on_another_scale_are_refused(images: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"the images of t must be whole numbers from 0 to 255, or floats"):
        from_arrays(images, name="t")


@pytest.mark.parametrize("stray", [1.004, -0.004, 1.09])
def test_a_stray_pixel_does_not_darken_the_others(stray: float) -> None:
    images = GREY / 255
    images[0, 0, 0] = stray
    domain = from_arrays(images, name="t")
    expected = GREY.copy()
    expected[0, 0, 0] = 255 * (stray > 0)
    np.testing.assert_array_equal(domain.inputs, expected[..., None])
    assert domain.white == 1
    assert any(f"{stray:g}" in note and "were cut off: 1." in note for note in domain.notes)


@pytest.mark.parametrize("high", [1.2, 1.9, -0.2])
def test_floats_of_neither_range_are_refused(high: float) -> None:
    images = np.full((2, 4, 4), 0.5)
    images[0, 0, 0] = high
    with pytest.raises(DataError, match=r"floats from 0 to 1 or from 0 to 255; got float64"):
        from_arrays(images)


def test_what_is_white_may_be_known() -> None:
    dark = np.full((2, 4, 4), 0.75)
    assert from_arrays(dark).inputs.max() == 191
    assert from_arrays(dark, white=255).inputs.max() == 1
    assert from_arrays(dark * 255, white=255).white == 255
    assert from_arrays(np.full((2, 4, 4), 9), white=1).inputs.max() == 9, "whole numbers are bytes"
    with pytest.raises(DataError, match="white must be 1 or 255; got 'a'"):
        from_arrays(dark, white="a")
    for images, white in ((dark * 255, 1), (dark * 400, 255), (-dark, 255)):
        with pytest.raises(DataError, match=rf"or floats from 0 to {white} as in training; got float64"):
            from_arrays(images, white=white)


@pytest.mark.parametrize(
    ("shape", "words"),
    [((2, 3, 8, 3), "where either can be meant"), ((2, 8, 8, 4), "with neither"), ((2, 1, 1, 1), "either")],
)
def test_channels_that_cannot_be_told_are_refused(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(DataError, match=rf"1 or 3 channels.*{words}.*Put the channels last"):
        from_arrays(np.zeros(shape, dtype=np.uint8))


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(4, 6), st.integers(4, 6), st.sampled_from([1, 3])))
)
def test_bytes_survive_as_bytes_floats_and_channels_first(images: np.ndarray) -> None:
    for same in (images, images.transpose(0, 3, 1, 2), images.astype(np.int32)):
        np.testing.assert_array_equal(from_arrays(same).inputs, images)
    np.testing.assert_array_equal(from_arrays(images / np.float32(255)).inputs, images)
    if images.max() > 1:
        np.testing.assert_array_equal(from_arrays(images.astype(np.float32)).inputs, images)


# --- features


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_features_become_float32(dtype: type) -> None:
    domain = from_arrays(np.array([[0, 1, 1], [1, 0, 1]], dtype=dtype))
    assert domain.kind == "features"
    assert domain.inputs.dtype == np.float32
    assert domain.inputs.tolist() == [[0, 1, 1], [1, 0, 1]]


def test_what_turns_into_an_array_is_taken() -> None:
    expected = np.array([[1, 2.5], [3, 4]], dtype=np.float32)
    for X in (
        expected.tolist(),
        torch.tensor(expected, requires_grad=True),
        pl.DataFrame(expected, schema=["a", "b"]),
        tuple(map(tuple, expected)),
        sparse.csr_matrix(expected),
        expected.astype(object),
    ):
        np.testing.assert_array_equal(from_arrays(X).inputs, expected)
    missing = np.array([[1, 2.5], [np.nan, 4]], dtype=np.float32)
    for X in (missing, np.array([[1, 2.5], [None, 4]], dtype=object), pl.DataFrame({"a": [1, None], "b": [2.5, 4]})):
        np.testing.assert_array_equal(from_arrays(X).inputs, missing)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ([[1.0], [1.0, 2.0]], "rows of different lengths"),
        (np.array([[1, {}]], dtype=object), r"column 'x1' of .* must hold numbers, text, .*; got \{\}, a dict"),
        ([["a", "b"]], "must be real numbers; got values of type <U1"),
        (np.ones((2, 2), dtype=complex), "must be real numbers; got values of type complex"),
        (np.ones(3), r"features \(n, d\).*got an array of shape \(3,\)"),
        (np.ones((0, 3)), r"at least one example; got an array of shape \(0, 3\)"),
        (np.ones((2, 0)), r"got an array of shape \(2, 0\)"),
        (np.ones((1, 2, 3, 4, 5)), r"got an array of shape \(1, 2, 3, 4, 5\)"),
        (np.array([[1.0, 2.0], [3.0, -np.inf]]), "must be finite numbers .*; got -inf in row 1, column 1"),
        (np.array([[1e300]]), "must be finite numbers .*; got inf in row 0, column 0"),
        (3, r"got an array of shape \(\)"),
    ],
)
def test_inputs_that_are_none(X: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        from_arrays(X, name="t")


# --- labels

FOUR = np.zeros((4, 2))


@pytest.mark.parametrize(
    ("y", "classes", "labels"),
    [
        ([3, 10, 3, -1], ("3", "10"), [0, 1, 0, -1]),
        ([0.0, 1.0, 1.0, -1.0], ("0", "1"), [0, 1, 1, -1]),
        ([True, False, True, True], ("false", "true"), [1, 0, 1, 1]),
        (np.array([2, 0, 2, 0], dtype=np.uint8), ("0", "2"), [1, 0, 1, 0]),
        (["b", "a", "", "b"], ("a", "b"), [1, 0, -1, 1]),
        (["b", "a", None, "b"], ("a", "b"), [1, 0, -1, 1]),
        (np.array([b"b", "ä".encode(), b"", b"b"]), ("b", "ä"), [0, 1, -1, 0]),
        (pl.Series(["b", "a", None, "b"]), ("a", "b"), [1, 0, -1, 1]),
        (torch.tensor([5, -1, 5, 4]), ("4", "5"), [1, -1, 1, 0]),
        (np.array([[5], [-1], [5], [4]]), ("4", "5"), [1, -1, 1, 0]),
        ([np.nan, 1.5, 2.5, 1.5], ("1.5", "2.5"), [-1, 0, 1, 0]),
        (np.array([0, None, 1, 2], dtype=object), ("0", "1", "2"), [0, -1, 1, 2]),
        ([-3, 2, 2, -3], ("-3", "2"), [0, 1, 1, 0]),
        ([-1, -1, -1, -1], (), [-1] * 4),
        (None, (), [-1] * 4),
    ],
)
def test_labels_and_the_names_they_give(y: Any, classes: tuple[str, ...], labels: list[int]) -> None:
    domain = from_arrays(FOUR, y)
    assert domain.classes == classes
    assert domain.labels.tolist() == labels


def test_class_names_can_be_given() -> None:
    assert from_arrays(FOUR, [1, 0, -1, 1], classes=("no", "yes", "maybe")).labels.tolist() == [1, 0, -1, 1]
    strings = from_arrays(FOUR, ["yes", "no", "", "yes"], classes=np.array(["yes", "no"]))
    assert (strings.classes, strings.labels.tolist()) == (("yes", "no"), [0, 1, -1, 0])
    assert from_arrays(FOUR, classes=["a"]).classes == ("a",)


@pytest.mark.parametrize(
    ("y", "classes", "words"),
    [
        ([0, 1, 2], None, r"must have shape \(4,\), one per example; got \(3,\)"),
        (np.eye(4), None, r"got \(4, 4\).*argmax"),
        ([0.5, 1, 1, 1], ("a", "b"), "must be whole numbers, where classes have names"),
        ([np.inf, 1, 1, 1], None, "must hold words, finite numbers or truth values.*got inf in row 0"),
        ([-2, 1, -1, 1], None, "must not hold −1, which means no label, beside other negative numbers"),
        ([-2, 1, 1, 1], ("a", "b"), "must lie in −1…1"),
        ([0, 1, 2, 0], ("a", "b"), "must lie in −1…1"),
        (["a", "b", "c", "a"], ("a", "b"), r"must be among the classes a, b; got \['c'\]"),
        ([0, 1, 1, 0], ("a", "a"), "must be a list of different names"),
        ([[0], [1, 2], [3], [4]], None, r"finite numbers or truth values.*got \[0\] in row 0"),
        ([0, None, 1, 2j], None, r"got 2j in row 3"),
        (sparse.csr_matrix(np.eye(4)), None, "must be dense; got a sparse csr_matrix"),
    ],
)
def test_labels_that_break_a_rule(y: Any, classes: tuple[str, ...] | None, words: str) -> None:
    with pytest.raises(DataError, match=words):
        from_arrays(FOUR, y, classes=classes)


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=20))
def test_whole_numbers_name_their_classes_in_order(y: list[int]) -> None:
    domain = from_arrays(np.zeros((len(y), 1)), y)
    assert [int(domain.classes[i]) if i >= 0 else -1 for i in domain.labels] == y
    assert list(domain.classes) == [str(v) for v in sorted(set(y) - {-1})]


# --- npz files


@pytest.mark.parametrize("inputs", ["X", "x", "images", "inputs", "features"])
@pytest.mark.parametrize("labels", ["y", "Y", "labels"])
def test_every_known_name_is_read(tmp_path: Path, inputs: str, labels: str) -> None:
    domain = read_arrays(npz(tmp_path, **{inputs: COLOUR, labels: [0, 1, -1], "classes": ["cat", "dog"]}))
    assert domain.name == "data"
    np.testing.assert_array_equal(domain.inputs, COLOUR)
    assert domain.labels.tolist() == [0, 1, -1]
    assert domain.classes == ("cat", "dog")
    assert domain.notes == ()


def test_a_compressed_file_of_features_without_labels(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "f.npz", X=np.arange(6.0).reshape(2, 3))
    domain = read_arrays(tmp_path / "f.npz", name="mine")
    assert (domain.name, domain.labels.tolist()) == ("mine", [-1, -1])
    assert domain.inputs.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_other_arrays_are_left_out_and_named(tmp_path: Path) -> None:
    domain = read_arrays(npz(tmp_path, X=GREY, writer=[1, 2, 3], page=[1, 2, 3]))
    assert domain.notes == ("data: arrays of other names were left out: page, writer.",)


def test_files_that_hold_no_domain(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must have an array called X, x, images, inputs or features; got only a, b"):
        read_arrays(npz(tmp_path, a=GREY, b=GREY))
    with pytest.raises(DataError, match="must hold the inputs under one name; got X and images"):
        read_arrays(npz(tmp_path, images=GREY, X=GREY))
    with pytest.raises(DataError, match="must hold the labels under one name; got y and labels"):
        read_arrays(npz(tmp_path, X=GREY, y=[1, 2, 3], labels=[1, 2, 3]))
    sparse.save_npz(tmp_path / "sparse.npz", sparse.csr_matrix(np.eye(3)))
    with pytest.raises(DataError, match=r"got a sparse matrix. Save it .*toarray"):
        read_arrays(tmp_path / "sparse.npz")


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    for arrays in ({"X": np.array([Trap()], dtype=object)}, {"X": GREY, "y": np.array([Trap()] * 3, dtype=object)}):
        with pytest.raises(DataError, match=r"in .*data.npz must be a plain array, without pickled objects"):
            read_arrays(npz(tmp_path, **arrays))
    assert not (tmp_path / "sprung").exists()


def test_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"must exist; got '.*none.npz'"):
        read_arrays(tmp_path / "none.npz")
    np.save(tmp_path / "a.npy", GREY)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"must be a .npz file; got a file of another kind"):
        read_arrays(tmp_path / "a.npz")
    whole = npz(tmp_path, X=GREY)
    damaged = bytearray(whole.read_bytes())
    damaged[180:220] = b"\0" * 40
    whole.write_bytes(damaged)
    with pytest.raises(DataError, match=r"X in .*data.npz must be a plain array"):
        read_arrays(whole)


def test_ids_are_read_and_must_name_all_examples(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.zeros((2, 3)), ids=np.array(["r1", "r2"]))
    domain = read_arrays(tmp_path / "a.npz")
    assert domain.ids == ("r1", "r2")
    assert not domain.notes
    np.savez(tmp_path / "b.npz", X=np.zeros((2, 3)), ids=np.array([7]))
    with pytest.raises(DataError, match="must name all 2 examples"):
        read_arrays(tmp_path / "b.npz")
