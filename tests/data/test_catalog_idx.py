"""The idx reader and the data sets that come as idx files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from acclimate.data import catalog
from acclimate.data.idx import read_idx
from acclimate.errors import DataError, RequestError


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 0, 9, 9, 1], np.uint8)


def write(folder: Path, content: bytes, name: str = "x") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_arrays_survive_the_format(tmp_path: Path, pack: object) -> None:
    path = write(tmp_path, pack(idx(IMAGES)))  # type: ignore[operator]
    np.testing.assert_array_equal(read_idx(path, 3), IMAGES)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "magic number 00000801.*got an empty file"),
        (idx(LABELS)[:6], "must start with an idx header of 8 bytes; got 6 bytes"),
        (idx(IMAGES), "must start with the idx magic number 00000801.*got 00000803"),
        (b"\0\0\x0d\1" + idx(LABELS)[4:], "magic number 00000801.*got 00000d01"),
        (idx(LABELS)[:-1], r"must hold 5 bytes after the header, as its shape \(5,\) says; got 4"),
        (idx(LABELS) + b"!", "must hold 5 bytes after the header.*got 6"),
        (struct.pack(">BBBBI", 0, 0, 8, 1, 2**32 - 1), "must hold 4,294,967,295 bytes"),
        (gzip.compress(idx(LABELS), mtime=0)[:-12], "must be a readable file"),
        (gzip.compress(idx(LABELS), mtime=0)[:12] + b"junk", "must be a readable file"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, content: bytes, rule: str) -> None:
    path = write(tmp_path, content, "labels.gz")
    with pytest.raises(DataError, match=rule) as caught:
        read_idx(path, 1)
    assert str(path) in str(caught.value)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acclimate.data.idx._LARGEST", 1000)
    with pytest.raises(DataError, match="must unpack to less than 1,000 bytes"):
        read_idx(write(tmp_path, gzip.compress(bytes(10**6))), 1)


def place_mnist(folder: Path, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS, suffix: str = "") -> None:
    pack = gzip.compress if suffix else bytes
    write(folder, pack(idx(images)), f"t10k-images-idx3-ubyte{suffix}")
    write(folder, pack(idx(labels)), f"t10k-labels-idx1-ubyte{suffix}")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_is_read_gzipped_or_plain(tmp_path: Path, suffix: str) -> None:
    place_mnist(tmp_path, suffix=suffix)
    domain = catalog.dataset("mnist").parse(tmp_path, "test")
    np.testing.assert_array_equal(domain.inputs, IMAGES[..., None])
    np.testing.assert_array_equal(domain.labels, LABELS)
    assert (domain.name, domain.classes[9]) == ("mnist/test", "9")


def test_gzipped_and_plain_files_may_be_mixed(tmp_path: Path) -> None:
    place_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    write(tmp_path, gzip.compress(idx(LABELS)), "t10k-labels-idx1-ubyte.gz")
    assert len(catalog.dataset("mnist").parse(tmp_path, "test")) == 5


@pytest.mark.parametrize(
    ("images", "labels", "rule"),
    [
        (IMAGES[:, 1:], LABELS, "must hold images of 28×28; got 27×28"),
        (IMAGES, LABELS[1:], "must hold one label for each of the 5 images in t10k-images"),
        (IMAGES, LABELS + 1, "must have whole labels 0…9; got 10 as label number 2"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, rule: str
) -> None:
    place_mnist(tmp_path, images, labels)
    with pytest.raises(DataError, match=rule):
        catalog.dataset("mnist").parse(tmp_path, "test")


def test_swapped_files_are_recognised(tmp_path: Path) -> None:
    place_mnist(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").rename(tmp_path / "swap")
    (tmp_path / "t10k-labels-idx1-ubyte").rename(tmp_path / "t10k-images-idx3-ubyte")
    (tmp_path / "swap").rename(tmp_path / "t10k-labels-idx1-ubyte")
    with pytest.raises(DataError, match="images and labels are not swapped"):
        catalog.dataset("mnist").parse(tmp_path, "test")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    place_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(RequestError, match=r"must contain t10k-labels-idx1-ubyte.gz or t10k-labels"):
        catalog.dataset("mnist").parse(tmp_path, "test")


@pytest.mark.parametrize(("split", "stem"), [("train", "kannada_MNIST_train"), ("dig", "dig_MNIST")])
def test_kannada_mnist_is_read_under_its_own_names(tmp_path: Path, split: str, stem: str) -> None:
    write(tmp_path, gzip.compress(idx(IMAGES)), f"X_{stem}-idx3-ubyte.gz")
    write(tmp_path, gzip.compress(idx(LABELS)), f"y_{stem}-idx1-ubyte.gz")
    domain = catalog.dataset("kannada_mnist").parse(tmp_path, split)
    np.testing.assert_array_equal(domain.inputs[..., 0], IMAGES)
