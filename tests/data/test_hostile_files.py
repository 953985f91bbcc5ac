"""Files made to do harm: they unpack to gigabytes, announce them in a header, or have names that lead out.

Each is held to a limit of memory in a process of its own, or refused before it could take any.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from acclimate.data import archives, storage
from acclimate.data.archives import files_in, gather, names_in
from acclimate.data.cache import cache_folder
from acclimate.data.readers import read_arrays, read_images, read_table
from acclimate.errors import DataError, WorkError
from acclimate.runs.record import Run

MEGABYTE = 2**20


def peak_megabytes(code: str) -> tuple[float, str]:
    """Memory that a program needs beyond what it had after its imports, and what it prints."""
    program = f"""
from pathlib import Path
from acclimate.data.archives import files_in, names_in
from acclimate.data.readers import read, read_images, read_table
from acclimate.errors import DataError
import polars, PIL.Image
def peak():  # of this program alone, where getrusage begins with what its parent had
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1])
before = peak()
try:
    {code}
except DataError as error:
    print(error)
print((peak() - before) / 1024)
"""
    if not Path("/proc/self/status").is_file():
        pytest.skip("memory is measured through /proc, which is not here")
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    said, _, peak = out.strip().rpartition("\n")
    return float(peak), said


# Archives


def write_zip(path: Path, names: list[str], content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that occur twice
        for name in names:
            archive.writestr(name, content)


def tar_of(names: list[str], content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


OUTSIDE = [
    "../up.txt",
    "/tmp/acclimate-root.txt",
    "a/../../up.txt",
    "..\\up.txt",
    "C:\\up.txt",
    "a\0b.txt",
    "~/up.txt",
]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out_are_names_and_nothing_else(tmp_path: Path, kind: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    if kind == "zip":
        write_zip(inner / "evil", OUTSIDE, b"evil")
    else:
        (inner / "evil").write_bytes(tar_of(OUTSIDE, b"evil"))
    assert {content for _, content in files_in(inner / "evil")} == {b"evil"}
    rows = gather(inner / "evil", {"up.txt": 0}, lambda name: name.rpartition("/")[2], lambda *_: np.ones(2), (2,))
    assert rows.tolist() == [[1, 1]]
    assert [p.name for p in tmp_path.rglob("*")] == ["inner", "evil"]
    assert not Path("/tmp/acclimate-root.txt").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
)
def test_links_and_devices_of_a_tar_are_no_files(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("secret")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.addfile(member)
    assert names_in(tmp_path / "evil.tar") == []


def test_a_link_in_a_zip_is_its_text(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("secret")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert dict(files_in(tmp_path / "evil.zip")) == {"secret": b"/etc/passwd"}


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 100_000)
    monkeypatch.setattr(archives, "HIGHEST_RATIO", 20)
    monkeypatch.setattr(archives, "MOST_FILES", 50)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, None])
def test_an_archive_that_unpacks_to_far_more_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes] | None
) -> None:
    names = [f"{i}.txt" for i in range(20)]
    if pack is None:
        write_zip(tmp_path / "bomb", names, bytes(10_000))
    else:
        (tmp_path / "bomb").write_bytes(pack(tar_of(names, bytes(10_000))))
    with pytest.raises(DataError, match="must unpack to at most 100,000 bytes; got more. Delete bomb"):
        names_in(tmp_path / "bomb")
    with pytest.raises(DataError, match="must unpack to at most 100,000 bytes"):
        list(files_in(tmp_path / "bomb"))


@pytest.mark.usefixtures("small_limits")
def test_an_archive_that_hardly_shrinks_may_be_large(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(200_000)
    (tmp_path / "fine.tar.gz").write_bytes(gzip.compress(tar_of(["a"], noise)))
    write_zip(tmp_path / "fine.zip", ["a"], noise)
    for name in ("fine.tar.gz", "fine.zip"):
        assert dict(files_in(tmp_path / name)) == {"a": noise}


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_too_many_files_are_refused(tmp_path: Path, kind: str) -> None:
    names = [str(i) for i in range(51)]
    if kind == "zip":
        write_zip(tmp_path / "many", names, b"")
    else:
        (tmp_path / "many").write_bytes(tar_of(names, b""))
    with pytest.raises(DataError, match="must hold at most 50 files; got more"):
        names_in(tmp_path / "many")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_announces_gigabytes_is_not_read(tmp_path: Path, kind: bytes) -> None:
    """tarfile reads names and attributes in one piece, however long they claim to be."""
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 2**30
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = zeros.compress(header.tobuf(tarfile.GNU_FORMAT))
    for _ in range(1024):
        packed += zeros.compress(bytes(MEGABYTE))
    (tmp_path / "bomb.tar.gz").write_bytes(packed + zeros.flush())
    assert (tmp_path / "bomb.tar.gz").stat().st_size < 2 * MEGABYTE
    peak, said = peak_megabytes(f"names_in(Path({str(tmp_path / 'bomb.tar.gz')!r}))")
    assert "a header that announces 1,073,741,824 bytes" in said
    assert peak < 50


def test_an_archive_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a readable folder, zip or tar"):
        names_in(tmp_path / "nothing")


# Arrays and tables


def npy_header(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}".encode()
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def npz_of(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("shape", [(2**40, 4), (2**31, 2**31), (2**62, 2**62), (2**20, 2**14)])
def test_a_header_of_a_huge_array_takes_no_memory(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = npz_of(tmp_path / "huge.npz", X=npy_header(shape) + bytes(64))
    peak, said = peak_megabytes(f"read({str(path)!r})")
    assert "X in " in said
    assert "must be a plain array" in said
    assert peak < 100


def test_an_npz_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("X.npy", "w") as member:
        member.write(npy_header((300 * MEGABYTE // 4, 1)))
        for _ in range(300):
            member.write(bytes(MEGABYTE))
    assert path.stat().st_size < MEGABYTE
    peak, said = peak_megabytes(f"read({str(path)!r})")
    assert "must unpack to at most 268,435,456 bytes; got 314,5" in said
    assert "save them without compression: numpy.savez" in said
    assert peak < 50


def test_an_npz_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    path = npz_of(tmp_path / "liar.npz", X=npy_header((1000, 1000)) + bytes(4 * 10**6))
    content = path.read_bytes()
    size = struct.pack("<I", len(npy_header((1000, 1000))) + 4 * 10**6)
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, struct.pack("<I", 500)))
    with pytest.raises(DataError, match="X in .* must be a plain array"):
        read_arrays(path)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([b"\xff", b"a"]),
        np.frombuffer(struct.pack("<II", 2**31, 97), "<U1"),  # no letter has that number
        np.frombuffer(struct.pack("<II", 0xD800, 97), "<U1"),  # half of a letter
    ],
)
def test_labels_that_are_no_text_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    np.savez(tmp_path / "a.npz", X=np.zeros((2, 2)), y=labels)
    with pytest.raises(DataError, match="the labels of a must (be UTF-8 text; got other bytes|hold words, .* row 0)"):
        read_arrays(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", X=np.zeros((2, 2)), classes=labels)
    with pytest.raises(DataError, match="the classes of b must be UTF-8 text"):
        read_arrays(tmp_path / "b.npz")


@pytest.mark.parametrize("classes", [np.float64(3), np.complex64(1j), np.array([["a", "b"]])])
def test_classes_that_are_no_list_are_refused(tmp_path: Path, classes: np.ndarray) -> None:
    np.savez(tmp_path / "a.npz", X=np.zeros((2, 2)), classes=classes)
    with pytest.raises(DataError, match="must be a list of different names; got an array of shape"):
        read_arrays(tmp_path / "a.npz")


def test_a_label_of_thousands_of_digits_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"x,kind\n1,{'9' * 5000}\n2,10\n3,9\n")
    assert read_table(tmp_path / "a.csv", label_column="kind").classes == ("10", "9", "9" * 5000)


def test_a_parquet_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    pl.select(x=pl.repeat(1.0, 60_000_000)).write_parquet(path, compression="zstd")
    assert path.stat().st_size < MEGABYTE
    peak, said = peak_megabytes(f"read_table({str(path)!r})")
    assert "must unpack to at most 268,435,456 bytes; got 480,000,000" in said
    assert peak < 100


def test_a_panic_of_polars_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some damaged Parquet files make it panic, which is no Exception; which ones changes with its version."""

    def panics(*_: object, **__: object) -> None:
        raise pl.exceptions.PanicException("called `Option::unwrap()` on a `None` value")

    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(pl, "scan_parquet", panics)
    with pytest.raises(DataError, match="must be a Parquet file; got a file that cannot be read .called `Option"):
        read_table(tmp_path / "a.parquet")


# Records


DEEP = "[" * 100_000


def test_deep_json_is_damaged_json(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(DEEP)
    (tmp_path / "metrics.jsonl").write_text('{"kind": "losses", "step": 1}\n' + DEEP)
    (tmp_path / "about.json").write_text(DEEP)
    run = Run(tmp_path)
    assert [row["step"] for row in run.metrics()] == [1]
    with pytest.raises(WorkError, match=r"config.json cannot be read"):
        _ = run.config
    with pytest.raises(DataError, match="a damaged one .maximum recursion depth exceeded"):
        storage.load(tmp_path)


def test_metrics_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "metrics.jsonl").write_bytes(b'{"kind": "losses", "step": 1}\n{"kind": "\xff')
    assert len(Run(tmp_path).metrics()) == 1


def test_a_cache_entry_with_deep_json_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    Image.new("L", (8, 8), 7).save(tmp_path / "p" / "a.png")
    read_images(tmp_path / "p")
    (facts,) = cache_folder().glob("*.json")
    facts.write_text(DEEP)
    assert read_images(tmp_path / "p").inputs.max() == 7
    assert facts.read_text() != DEEP


# Pictures


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    fields = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", fields)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("sides", [(2**31 - 1, 2**31 - 1), (60_000, 60_000), (0, 5)])
def test_a_picture_that_announces_too_much_is_left_out(tmp_path: Path, sides: tuple[int, int]) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "bomb.png").write_bytes(png_header(*sides))
    Image.new("L", (8, 8)).save(tmp_path / "p" / "fine.png")
    found = read_images(tmp_path / "p")
    assert found.ids == ("fine.png",)
    assert "1 of 2 images were kept; not these: bomb.png (" in found.notes[0]


def test_many_large_pictures_are_not_decoded_at_once(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for i in range(8):
        Image.new("RGB", (4000, 4000), (i, 0, 0)).save(tmp_path / "p" / f"{i}.png", compress_level=1)
    code = f"import os; os.cpu_count = lambda: 8; read_images({str(tmp_path / 'p')!r}, size=8)"
    peak, _ = peak_megabytes(code)
    assert peak < 200, "one picture takes 48 megabytes, twice for a moment"


def test_names_that_are_no_utf_8_are_told(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / "a.png")
    with pytest.raises(DataError, match=r"must hold files whose names are UTF-8; got .*caf.*xe9|udce9.*Rename"):
        read_images(tmp_path)


def test_a_pipe_called_like_a_picture_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    os.mkfifo(tmp_path / "p" / "never.png")
    Image.new("L", (8, 8)).save(tmp_path / "p" / "fine.png")
    found = read_images(tmp_path / "p")
    assert found.ids == ("fine.png",)
    assert "files left out because they are no images: 1 .png" in found.notes[0]
