"""Whatever bytes stand in a file, a parser either reads them or raises an error of acclimate's."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tempfile
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from acclimate.data import catalog
from acclimate.data.archives import files_in
from acclimate.data.idx import read_idx
from acclimate.errors import AcclimateError

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def mat_file() -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, {"X": np.zeros((32, 32, 3, 1), np.uint8), "y": np.ones((1, 1))}, do_compression=True)
    return buffer.getvalue()


def hdf5_file() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["train/data"], file["train/target"] = np.zeros((1, 256)), np.zeros(1, int)
    return buffer.getvalue()


IDX = struct.pack(">BBBBI", 0, 0, 8, 1, 3) + b"123"
ROW = b"1 " + b" ".join(b"%d:0.5" % i for i in range(1, 257)) + b"\n"
TABLE = b"Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n0.ppm;9;9;1;1;5;5;3\n"
ANNOTATIONS = "GT-final_test.csv"


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with bytes changed, inserted, cut off; or no such file at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=300))
    content = bytearray(good)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=6))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


def parse(dataset: str, split: str, files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_bytes(content)
        with suppress(AcclimateError):
            catalog.dataset(dataset).parse(Path(folder), split)


@quick
@given(damaged(IDX), st.booleans(), st.sampled_from([1, 3]))
def test_idx(content: bytes, gzipped: bool, dimensions: int) -> None:
    with tempfile.TemporaryDirectory() as folder, suppress(AcclimateError):
        path = Path(folder) / "labels"
        path.write_bytes(gzip.compress(content) if gzipped else content)
        assert read_idx(path, dimensions).ndim == dimensions


@quick
@given(damaged(gzip.compress(IDX, mtime=0)))
def test_gzipped_idx(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, suppress(AcclimateError):
        path = Path(folder) / "labels.gz"
        path.write_bytes(content)
        read_idx(path, 1)


@quick
@given(damaged(ROW))
@example(b"1e999 1:1e999")
@example(b"1 1:0x10")
@example("١ ١:٠".encode())
def test_libsvm(content: bytes) -> None:
    parse("usps", "train", {"usps": content})
    parse("usps", "train", {"zip.train": content.replace(b":", b" ")})
    parse("usps", "train", {"usps.bz2": bz2.compress(content)})


@quick
@given(damaged(bz2.compress(ROW)))
def test_bzipped_libsvm(content: bytes) -> None:
    parse("usps", "train", {"usps.bz2": content})


@quick
@given(damaged(hdf5_file()))
def test_hdf5(content: bytes) -> None:
    parse("usps", "train", {"usps.h5": content})


@quick
@given(damaged(mat_file()))
def test_mat(content: bytes) -> None:
    parse("svhn", "test", {"test_32x32.mat": content})


@quick
@given(damaged(TABLE))
@example(TABLE.replace(b";3", b";" + b"9" * 5000))
@example(TABLE + b'"' + b"x" * 200_000)
def test_csv(content: bytes) -> None:
    parse("gtsrb", "test", {ANNOTATIONS: content, "Final_Test/Images/0.ppm": b"P6 9 9 255\n" + bytes(243)})


@quick
@given(damaged(b"P6 9 9 255\n" + bytes(243)))
def test_pictures(content: bytes) -> None:
    parse("gtsrb", "test", {ANNOTATIONS: TABLE, "Final_Test/Images/0.ppm": content})


@quick
@given(damaged(b"00000000.png 5\n"))
def test_label_lists(content: bytes) -> None:
    parse("mnist_m", "test", {"mnist_m_test_labels.txt": content, "mnist_m_test/00000000.png": b""})


def archive(kind: str) -> bytes:
    import tarfile
    import zipfile

    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as made:
            made.writestr("a/b.txt", b"content")
    else:
        with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as tar:
            member = tarfile.TarInfo("a/b.txt")
            member.size = 7
            tar.addfile(member, io.BytesIO(b"content"))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["zip", "", "gz", "xz"])
@quick
@given(st.data())
def test_archives(kind: str, data: st.DataObject) -> None:
    content = data.draw(damaged(archive(kind)))
    with tempfile.TemporaryDirectory() as folder, suppress(AcclimateError):
        path = Path(folder) / "archive"
        path.write_bytes(content)
        list(files_in(path))
