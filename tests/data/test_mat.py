"""Our reader of MATLAB 5 files, held against SciPy's and against files that end SciPy's process."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat

from acclimate.data import archives
from acclimate.data.mat import read_mat
from acclimate.errors import DataError

KINDS = ["u1", "i1", "u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8"]


@settings(max_examples=60, deadline=None)
@given(
    array=st.sampled_from(KINDS).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=5))
    ),
    compressed=st.booleans(),
)
def test_it_reads_what_scipy_writes_as_scipy_does(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, compressed: bool
) -> None:
    path = tmp_path_factory.mktemp("mat") / "a.mat"
    savemat(path, {"other": "text", "X": array, "z": {"a": 1}}, do_compression=compressed)
    found = read_mat(path, ["X", "other", "z", "absent"])
    assert found.keys() == {"X"}
    assert found["X"].dtype == loadmat(path)["X"].dtype
    np.testing.assert_array_equal(found["X"], loadmat(path)["X"])


def test_small_numbers_and_short_names_may_stand_in_the_tag(tmp_path: Path) -> None:
    """MATLAB stores doubles that are whole as bytes, and four bytes or fewer beside their type."""
    flags = struct.pack("<IIII", 6, 8, 6, 0)
    sizes = struct.pack("<IIii", 5, 8, 1, 3)
    name = struct.pack("<HH4s", 1, 1, b"y")
    values = struct.pack("<HH4s", 2, 3, bytes([7, 8, 9]))
    body = flags + sizes + name + values
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    (tmp_path / "a.mat").write_bytes(header + struct.pack("<II", 14, len(body)) + body)
    found = read_mat(tmp_path / "a.mat", ["y"])["y"]
    assert found.dtype == np.float64
    assert found.tolist() == [[7, 8, 9]]


def test_big_endian_files_are_read(tmp_path: Path) -> None:
    body = struct.pack(">IIII", 6, 8, 13, 0) + struct.pack(">IIii", 5, 8, 1, 2)
    body += struct.pack(">II8s", 1, 1, b"y") + struct.pack(">IIII", 6, 8, 70_000, 5)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    (tmp_path / "a.mat").write_bytes(header + struct.pack(">II", 14, len(body)) + body)
    assert read_mat(tmp_path / "a.mat", ["y"])["y"].tolist() == [[70_000, 5]]


def saved(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, arrays)
    return buffer.getvalue()


GOOD = saved(y=np.ones((2, 3)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no header"),
        (GOOD[:100], "no header"),
        (GOOD[:120] + b"\x00" * 8, "no header"),
        (GOOD[:131], "ends in a tag"),
        (GOOD[:140], "ends early"),
        (GOOD[:-8], "ends early"),
        (GOOD[:128] + struct.pack("<II", 15, 500) + zlib.compress(GOOD[128:]), "ends early"),
        (GOOD[:128] + struct.pack("<II", 15, 50) + bytes(50), "while decompressing"),
        (GOOD[:160] + struct.pack("<ii", 2, 4) + GOOD[168:], "6 values for the shape"),
        (GOOD[:160] + struct.pack("<ii", -2, -3) + GOOD[168:], "6 values for the shape"),
        (
            GOOD[:144] + struct.pack("<I", 6) + GOOD[148:152] + b"\xff\xff\xff\x7f" + GOOD[156:],
            "where there should be",
        ),
    ],
    ids=range(11),  # the files hold the second they were made in, which must not end up in a test's name
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=f"must be a MATLAB 5 file; got .*{words}.*Delete it and get it again"):
        read_mat(tmp_path / "a.mat", ["y"])


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 10_000)
    packed = zlib.compress(bytes(1_000_000))
    (tmp_path / "a.mat").write_bytes(GOOD[:128] + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(DataError, match="it unpacks to more than"):
        read_mat(tmp_path / "a.mat", ["y"])


def test_complex_numbers_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.mat").write_bytes(saved(y=np.array([1j, 2]), X=np.ones(2)))
    assert read_mat(tmp_path / "a.mat", ["X", "y"]).keys() == {"X"}
