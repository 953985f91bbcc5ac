"""Feeds more than 100,000 files and settings to every parser; only acclimate's own errors may come back.

    python benchmarks/fuzz/parsers.py [--seed 0] [--scale 1.0] [--only csv]
    python benchmarks/fuzz/parsers.py --seed 0 --replay csv:1234

An input is a mutation of a good file, a sentence of a grammar of bad ones, or noise; which one it is follows from
seed, parser and number alone. Any other exception fails the run, and so does a crash of the interpreter, more than
five seconds of processor time, or more than half a gigabyte of memory for one input. The seed and the inputs that
fail are printed, with the command that shows one again. Faults of libraries that cannot be caught from Python are
named in `KNOWN` and counted apart. Writes benchmarks/results/fuzz/parsers.json.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from command import fuzz

SECONDS, MEGABYTES = 5.0, 512
# What the interpreter prints when a library ends it, by the parser that calls the library.
_POLARS = "Polars 2.1 ends the process where a damaged page claims more values than memory holds"
KNOWN = {"parquet": {"memory allocation of": _POLARS}}
TMP = "/dev/shm" if Path("/dev/shm").is_dir() else None

Files = dict[str, bytes]

# Changing good files

_SIZES = (0, 1, 2, 3, 7, 8, 9, 127, 128, 255, 256, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def mutated(rng: Random, content: bytes, tokens: tuple[bytes, ...] = ()) -> bytes:
    """The content after one to eight small accidents."""
    data = bytearray(content)
    for _ in range(1 + int(rng.expovariate(0.5)) % 8):
        rng.choice(_ACCIDENTS)(rng, data, tokens)
    return bytes(data)


def _flip(rng: Random, data: bytearray, _: tuple[bytes, ...]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(rng: Random, data: bytearray, _: tuple[bytes, ...]) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 127, 128, 255, 10, 34, 44))


def _insert(rng: Random, data: bytearray, tokens: tuple[bytes, ...]) -> None:
    at = rng.randint(0, len(data))
    data[at:at] = rng.choice(tokens) if tokens and rng.random() < 0.7 else rng.randbytes(rng.randint(1, 9))


def _remove(rng: Random, data: bytearray, _: tuple[bytes, ...]) -> None:
    at = rng.randint(0, len(data))
    del data[at : at + rng.randint(1, 20)]


def _repeat(rng: Random, data: bytearray, _: tuple[bytes, ...]) -> None:
    start, at = rng.randint(0, len(data)), rng.randint(0, len(data))
    data[at:at] = data[start : start + rng.randint(1, 60)] * rng.choice((1, 1, 2, 30))


def _cut(rng: Random, data: bytearray, _: tuple[bytes, ...]) -> None:
    del data[rng.randint(0, len(data)) :]


def _number(rng: Random, data: bytearray, _: tuple[bytes, ...]) -> None:
    form = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    value = rng.choice(_SIZES) % 2 ** (8 * struct.calcsize(form))
    if len(data) >= struct.calcsize(form):
        struct.pack_into(form, data, rng.randint(0, len(data) - struct.calcsize(form)), value)


_ACCIDENTS = (_flip, _set, _insert, _remove, _repeat, _cut, _number, _number)


def noise(rng: Random, starts: tuple[bytes, ...] = (b"",)) -> bytes:
    """Random bytes, half of them after a start that looks right."""
    return (rng.choice(starts) if rng.random() < 0.5 else b"") + rng.randbytes(rng.randint(0, 200))


# Grammars of bad files


def idx(rng: Random) -> bytes:
    axes = rng.choice((1, 3, rng.randint(0, 255)))
    sizes = [rng.choice((rng.randint(0, 5), 28, rng.choice(_SIZES))) for _ in range(min(axes, 5))]
    kind = rng.choice((8, 8, 8, rng.randint(0, 255)))
    body = rng.randbytes(int(np.prod([min(s, 30) for s in sizes], initial=1)) % 5000)
    made = bytes((0, 0, kind, axes)) + b"".join(struct.pack(">I", s) for s in sizes) + body
    return gzip.compress(made, 1, mtime=0) if rng.random() < 0.4 else made


def cell(rng: Random) -> str:
    return rng.choice(
        (
            lambda: str(rng.randint(-9, 9)),
            lambda: repr(rng.gauss(0, 10.0 ** rng.randint(-5, 300))),
            lambda: rng.choice(
                ("", " ", "nan", "NaN", "inf", "-inf", "true", "False", "NULL", "None", "1e999", "1,5")
            ),
            lambda: rng.choice(
                ("a", "b", "ü", "\u2028", "\x00", "\x1a", "'", "=1+1", "٣", "𝟛", "\ufeff", "0x10", "1_000")
            ),
            lambda: '"' + rng.choice(("a,b", 'a""b', "a\nb", "", "a;b", "x" * 500)) + '"',
            lambda: rng.choice(('"', 'a"b', '"a', '""x', "\r", "\\N")),
            lambda: "9" * rng.choice((20, 40, 400, 5000)),
        )
    )()


def csv_text(rng: Random) -> bytes:
    separator = rng.choice(",,,;\t|")
    columns, rows = rng.randint(0, 6), rng.randint(0, 12)
    names = [rng.choice(("x", "y", "kind", "", " ", "Unnamed: 0", "1", '"a\nb"', cell(rng))) for _ in range(columns)]
    kinds = [rng.random() < 0.6 for _ in names]

    def value(numeric: bool) -> str:
        return f"{rng.gauss(0, 1):.3f}" if numeric and rng.random() < 0.97 else cell(rng)

    lines = [names] + [[value(numeric) for numeric in kinds] for _ in range(rows)]
    for line in lines:
        if rng.random() < 0.02:
            line.append(cell(rng))
    text = rng.choice(("\n", "\n", "\r\n", "\r")).join(separator.join(line) for line in lines)
    return text.encode(rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-8")), "surrogatepass")


def json_value(rng: Random) -> str:
    return rng.choice(
        (
            lambda: json.dumps("good book " * rng.choice((0, 1, 3, 2000))),
            lambda: json.dumps(cell(rng)),
            lambda: json.dumps(rng.choice(("positive", "negative", "", "-1", "1", "\ud800", "\0", "<b>x</b>", "😀"))),
            lambda: rng.choice(
                ("0", "1", "-1", "5", "1.0", "4.5", "true", "false", "null", "NaN", "-Infinity", "1e999")
            ),
            lambda: rng.choice(("[]", "[1]", "{}", '{"a": "b"}', "[" * 3000, "9" * 5000, "'a'", "", "\\ud800")),
            lambda: rng.choice(('"\\ud83d"', '"\\u0000"', '"\\x"', '"a', '"\t"', "01", "1_0", "٣")),
        )
    )()


def json_lines(rng: Random) -> bytes:
    lines = []
    for number in range(rng.randint(0, 8)):
        fields = {"text": json.dumps(f"text {number}"), "label": rng.choice(("0", "1", '"good"'))}
        for name in rng.sample(("text", "label", "id", "review", ""), rng.choice((0,) * 8 + (1, 2))):
            fields[name] = json_value(rng)
        if rng.random() < 0.05:
            del fields["text"]
        line = "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items()) + "}"
        lines.append(rng.choice((line,) * 20 + (json_value(rng), "", " ", "\ufeff" + line)))
    text = rng.choice(("\n",) * 8 + ("\r\n", "\r", "\u2028")).join(lines)
    encoding = rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"))
    made = text.encode(encoding, "replace" if encoding == "cp1252" else "surrogatepass")
    return gzip.compress(made, 1, mtime=0) if rng.random() < 0.2 else made


def npy(rng: Random) -> bytes:
    """One array as NumPy writes it, or nearly."""
    kind = rng.choice(
        ("<f4", "<f8", "|u1", "<i8", "|b1", "<U3", "|S3", "|O", "<c8", "<M8[s]", "<f2", "|V4", ">f4", "<U0")
    )
    shape = rng.choice(
        ("(4, 3)", "(4, 8, 8)", "(4, 8, 8, 3)", "(4,)", "()", "(0, 3)", "(-1, 3)", "(4, 3", "'x'", "[4]")
    )
    if rng.random() < 0.15:
        shape = repr(tuple(rng.choice(_SIZES) for _ in range(rng.randint(0, 4))))
    if rng.random() < 0.02:
        shape = "(" * rng.choice((50, 500)) + "4"
    descr = repr(kind) if rng.random() < 0.95 else "[('a', '<f4'), ('b', '|O')]"
    header = f"{{'descr': {descr}, 'fortran_order': {rng.choice(('False', 'True', 'None'))}, 'shape': {shape}, }}"
    version = rng.choice((1, 1, 1, 2, 3, 9))
    packed = header.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(packed))
    size = rng.choice((48, 96, 4 * 8 * 8 * 3 * 4, rng.randint(0, 100)))
    body = bytes(size) if rng.random() < 0.5 else rng.randbytes(size)
    return b"\x93NUMPY" + bytes((version, 0)) + length + packed + body


def good_npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def npz(rng: Random) -> bytes:
    """A zip whose sums are right, so that what is wrong with its members comes to light."""
    n = rng.randint(1, 5)
    good = {
        "X": good_npy(rng.choice((np.zeros((n, 3), "f4"), np.ones((n, 8, 8), "u1"), np.ones((n, 8, 8, 3))))),
        "y": good_npy(rng.choice((np.zeros(n, int), np.array(["a"] * n), np.array([b"\xff"] * n), np.full(n, -1.0)))),
        "classes": good_npy(rng.choice((["a", "b"], ["a"], [1, 2], [[1]]))),
    }
    members = {}
    for name in rng.sample(("X", "y", "classes", "images", "labels", "z", "../X"), rng.randint(0, 4)):
        content = good.get(name, good["X"])
        changed = rng.choice((content, content, mutated(rng, content), npy(rng), noise(rng)))
        members[name + rng.choice((".npy", ".npy", ".npy", "", ".npy.npy"))] = changed
    return zip_of(
        members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2))
    )


def zip_of(members: dict[str, bytes], pack: int) -> bytes:
    """A zip without the time of day, so that a seed gives the same bytes again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, pack)
    return buffer.getvalue()


_NAMES = (  # noqa: SIM905  a list would take twenty lines
    "task source target target_test text_column label_column label_budget method network baseline methods seeds "
    "protocol id training epochs steps epoch_length batch_size optimizer lr momentum weight_decay lr_schedule "
    "clip_norm normalisation pad flip precision compile device seed evaluations n weight factors published value x"
).split()
_VALUES = (
    '"demo"', '"dann"', '"mcd"', '"x"', '""', "true", "false", "0", "1", "-1", "3", "1.5", "1e9", "inf", "-nan", "[]",
    "[1]", '["a", 3]', "{}", "{a = 1}", "{value = 1, source = \"x\"}", "2020-01-01", "12:00:00", "0x_", "1__0",
    "'''\n'''", '"\\u0000"', '"\\ud800"', '"\\x"', "9" * 5000, "[" * 2000, "{a=" * 500, '"../x"',
    "99999999999999999999", "0.5", '"1%"', '"all"',
)  # fmt: skip


def toml(rng: Random) -> bytes:
    lines = []
    for _ in range(rng.randint(0, 8)):
        name = rng.choice(_NAMES) if rng.random() < 0.9 else ".".join(rng.choices(_NAMES, k=rng.choice((2, 3, 2000))))
        lines.append(
            rng.choice(
                (f"{name} = {rng.choice(_VALUES)}",) * 6
                + (f"[{name}]", f"[methods.{name}]", f"[[{name}]]", "[methods.dann]")
            )
        )
    return "\n".join(lines).encode()


def setting(rng: Random) -> bytes:
    """Settings as typed after --set, one a line."""
    values = [v.replace("\n", "") for v in _VALUES]
    return "\n".join(f"{rng.choice(_NAMES)}={rng.choice(values)}" for _ in range(rng.randint(1, 3))).encode()


def mat(rng: Random) -> bytes:
    """A MATLAB file with X and y, or what else MATLAB may save under these names."""
    from scipy.io import savemat

    n = rng.randint(0, 3)
    inputs = rng.choice(
        (np.zeros((32, 32, 3, n), "u1"), np.zeros((32, 32, 3)), "text", {"a": 1}, np.zeros(n, object), 1j)
    )
    labels = rng.choice(
        (np.ones((n, 1)), np.ones((n, 1), "u1"), np.full((n, 1), np.nan), np.full(n, 99), "abc", np.zeros((2, 2)))
    )
    buffer = io.BytesIO()
    content = {"X": inputs, rng.choice(("y", "y", "Y")): labels}
    version = "4" if rng.random() < 0.1 else "5"
    with contextlib.suppress(TypeError, ValueError):
        savemat(buffer, content, do_compression=rng.random() < 0.3, format=version)
    made = _timeless(buffer.getvalue())
    return _repacked(rng, made) if rng.random() < 0.3 else made


def _timeless(mat_file: bytes) -> bytes:
    """The same file without the time at which SciPy wrote it."""
    start = b"MATLAB 5.0 MAT-file"
    return start.ljust(116) + mat_file[116:] if mat_file.startswith(start) else mat_file


def _repacked(rng: Random, content: bytes) -> bytes:
    """The elements damaged and then compressed, so that the sums are right."""
    body = mutated(rng, content[128:])
    packed = zlib.compress(body, 1)
    return content[:128] + struct.pack("<II", 15, len(packed)) + packed


def archive_of(rng: Random) -> bytes:
    names = [
        rng.choice(("a.txt", "b/c.txt", "../x", "/etc/x", ".h", "é", "a" * 99, "a" * 99 + "/" + "b" * 99))
        for _ in range(rng.randint(0, 4))
    ]
    buffer = io.BytesIO()
    if rng.random() < 0.5:
        members = {name: rng.randbytes(rng.randint(0, 50)) for name in names}
        return zip_of(members, rng.choice((0, 8, 12, 14)))
    with tarfile.open(fileobj=buffer, mode="w", format=rng.choice((0, 1, 2))) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type, member.size = rng.choice((b"0", b"0", b"2", b"1", b"5", b"S", b"6")), 0
            content = rng.randbytes(rng.randint(0, 50))
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    made = buffer.getvalue()
    made = mutated(rng, made) if rng.random() < 0.5 else made
    return rng.choice((bytes, lambda data: gzip.compress(data, mtime=0), lzma.compress, bz2.compress))(made)


def usps_text(rng: Random) -> bytes:
    value = lambda: rng.choice(("0.5", "-1", "1", "nan", "1e999", "x", "", "٣", "2", "1_0"))  # noqa: E731
    if rng.random() < 0.5:
        rows = [
            " ".join([str(rng.randint(-1, 12)), *(f"{rng.randint(0, 260)}:{value()}" for _ in range(4))])
            for _ in range(3)
        ]
    else:
        rows = [
            " ".join([str(rng.randint(0, 9)), *["0.5"] * rng.choice((255, 256, 256)), *[value()] * rng.randint(0, 1)])
        ]
    return "\n".join(rows).encode()


_VECTOR_WORDS = (
    b"good",
    b"bad",
    b"Good",
    b"</s>",
    b"\xff\xfe",
    b"a b",
    b"",
    b"3",
    b"0.5",
    b"w" * 5000,
    "größe".encode(),
)
_WANTED = ("good", "bad", "größe", "a")


def word_vectors(rng: Random) -> bytes:
    """Word vectors in one of the forms, with a first line that may say other than what follows."""
    width = rng.choice((1, 2, 3, 3, 3, 300))
    words = [rng.choice((*_VECTOR_WORDS[:4], rng.choice(_VECTOR_WORDS))) for _ in range(rng.randint(0, 5))]
    binary = rng.random() < 0.4
    lines = [_binary_vector(rng, word, width) if binary else _text_vector(rng, word, width) for word in words]
    count, told = (
        wrong if rng.random() < 0.2 else right
        for wrong, right in ((rng.choice(_SIZES), len(lines)), (rng.choice((*_SIZES, 10_000, -1)), width))
    )
    head = (
        b"%d%b%d\n" % (count, rng.choice((b" ", b" ", b"\t", b"  ")), told) if binary or rng.random() < 0.5 else b""
    )
    made = rng.choice((b"",) * 9 + (b"\xef\xbb\xbf",)) + head + rng.choice((b"",) * 20 + (b"\n", b" ")).join(lines)
    return gzip.compress(made, 1, mtime=0) if rng.random() < 0.2 else made


def _text_vector(rng: Random, word: bytes, width: int) -> bytes:
    numbers = [b"%.3f" % rng.gauss(0, 1) for _ in range(width)]
    if rng.random() < 0.15:
        numbers[rng.randrange(width)] = cell(rng).encode("utf-8", "surrogatepass")
    if rng.random() < 0.05:
        numbers = numbers[1:] if rng.random() < 0.5 else [*numbers, b"1"]
    blank = rng.choice((b" ",) * 9 + (b"\t", b"  ", b"\x00"))
    return blank.join([word, *numbers]) + rng.choice((b"\n",) * 9 + (b"\r\n", b" \n", b"\n\n", b"\r"))


def _binary_vector(rng: Random, word: bytes, width: int) -> bytes:
    numbers = rng.choice(
        (struct.pack(f"<{width}f", *(rng.gauss(0, 1) for _ in range(width))), rng.randbytes(4 * width))
    )
    return word + b" " + numbers + rng.choice((b"\n", b"", b"\n\n"))


def annotations(rng: Random) -> bytes:
    head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
    rows = [
        ";".join([rng.choice(("0.ppm", cell(rng))), *(rng.choice(("9", "1", "5", cell(rng))) for _ in range(7))])
        for _ in range(2)
    ]
    return "\n".join([head, *rows]).encode("utf-8", "surrogatepass")


def deep_json(rng: Random) -> bytes:
    return rng.choice(("[" * 100_000, '{"a":' * 50_000, "9" * 5000, "NaN", "[]", "{}", '"\\ud800"', "\x00")).encode()


# Good files to start from


@cache
def good(name: str) -> tuple[bytes, ...]:
    """A few files that the parser of that name takes."""
    return tuple(_GOOD[name]())


def _good_idx() -> Iterator[bytes]:
    labels = struct.pack(">4BI", 0, 0, 8, 1, 3) + b"123"
    images = struct.pack(">4BIII", 0, 0, 8, 3, 2, 28, 28) + bytes(2 * 28 * 28)
    yield from (labels, images, gzip.compress(labels, mtime=0), gzip.compress(images, mtime=0))


def _good_csv() -> Iterator[bytes]:
    yield b"x,y,kind\n1,2.5,a\n-3,4,b\n5e-1,6,a\n"
    yield "größe;art;kind\n1,5;„x“;0\n2,5;y;1\n".encode("utf-8-sig")
    yield b'x\ty\tkind\n1\t"a\nb"\tu\n2\tc\tv\n'


def _good_jsonl() -> Iterator[bytes]:
    rows = '{"text": "größe", "label": 1, "id": "a"}\n\n{"text": null, "label": "1"}\n{"text": "b", "label": 0}\n'
    yield rows.encode()
    yield rows.encode("utf-16")
    yield rows.encode("cp1252") + rows.encode()
    yield gzip.compress(rows.encode(), mtime=0)


def _good_npz() -> Iterator[bytes]:
    for pack, inputs in (
        (zipfile.ZIP_STORED, np.ones((4, 3), "f4")),
        (zipfile.ZIP_DEFLATED, np.ones((4, 8, 8, 3), "u1")),
    ):
        arrays = {"X": inputs, "y": ["a", "b", "a", ""], "classes": ["a", "b"]}
        yield zip_of({f"{name}.npy": good_npy(array) for name, array in arrays.items()}, pack)


def _good_mat() -> Iterator[bytes]:
    from scipy.io import savemat

    for compressed in (False, True):
        buffer = io.BytesIO()
        savemat(buffer, {"X": np.zeros((32, 32, 3, 2), "u1"), "y": np.ones((2, 1))}, do_compression=compressed)
        yield _timeless(buffer.getvalue())


def _good_toml() -> Iterator[bytes]:
    yield b'task = "demo"\nmethod = "mcd"\nn = 2\n[training]\nepochs = 3\nlr = 1e-3\nflip = true\n'
    yield b'task = ["demo"]\nseeds = 2\n[training]\nsteps = 3\n[methods.dann]\nramp = 5\n[methods.mcd]\nn = 2\n'
    recipes = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))
    yield from (path.read_bytes() for path in recipes[:4])


def _good_parquet() -> Iterator[bytes]:
    import polars as pl

    frame = pl.DataFrame({"x": [1.0, 2.0, 2.5], "y": [1, 2, 3], "kind": ["a", "b", "a"], "f": ["u", None, "v"]})
    for compression in ("uncompressed", "zstd", "snappy"):
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression=compression)
        yield buffer.getvalue()


def _good_hdf5() -> Iterator[bytes]:
    import h5py

    for options in ({}, {"compression": "gzip", "chunks": (1, 256)}):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            file.create_dataset("train/data", data=np.zeros((1, 256)), **options)
            file["train/target"] = np.zeros(1, int)
        yield buffer.getvalue()


def _good_word_vectors() -> Iterator[bytes]:
    words = [word.encode() for word in _WANTED]
    rows = np.random.default_rng(0).normal(size=(len(words), 3)).astype("<f4")
    lines = b"".join(b"%b %.4f %.4f %.4f\n" % (word, *row) for word, row in zip(words, rows, strict=True))
    head = b"%d 3\n" % len(words)
    for end in (b"", b"\n"):
        yield head + b"".join(b"%b %b%b" % (word, row.tobytes(), end) for word, row in zip(words, rows, strict=True))
    yield from (lines, head + lines, gzip.compress(head + lines, mtime=0))


def _good_archives() -> Iterator[bytes]:
    for seed in range(12):
        yield archive_of(Random(seed))


def _good_pictures() -> Iterator[bytes]:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)
    for form in ("PNG", "JPEG", "WEBP", "BMP"):
        for picture in (
            Image.fromarray(pixels),
            Image.fromarray(pixels[..., 0]),
            Image.fromarray(pixels).convert("P"),
        ):
            with contextlib.suppress(OSError):
                buffer = io.BytesIO()
                picture.save(buffer, form)
                yield buffer.getvalue()


def _good_safetensors() -> Iterator[bytes]:
    import torch
    from safetensors.torch import save

    yield save({"nets/features/w": torch.zeros(3)}, {"step": "3", "facts": "{}"})


def _good_record() -> Iterator[bytes]:
    task = {
        "name": "a → b",
        "classes": ["a", "b"],
        "num_classes": 2,
        "sizes": {"source": 3, "target": 3},
        "names": {"source": "a", "target": "b"},
        "labelled_target": 0,
        "fingerprints": {},
        "bins": [17.4],
        "notes": [],
    }
    config = {
        "request": {"method": "mcc"},
        "task": task,
        "method": {"name": "mcc", "title": "MCC", "options": {}},
        "network": "mlp",
        "preprocess": {"kind": "features"},
        "training": {"seed": 0},
        "steps": 1,
    }
    yield json.dumps(config).encode()


_GOOD: dict[str, Callable[[], Iterator[bytes]]] = {
    "idx": _good_idx,
    "csv": _good_csv,
    "jsonl": _good_jsonl,
    "npz": _good_npz,
    "mat": _good_mat,
    "config": _good_toml,
    "settings": lambda: iter((b"epochs=3", b"factors=[0.5, 1]", b"lr=0.1\nflip=true")),
    "parquet": _good_parquet,
    "hdf5": _good_hdf5,
    "usps": lambda: iter((b"1 " + b" ".join(b"%d:0.5" % i for i in range(1, 257)) + b"\n", b"5 " + b"0.5 " * 256)),
    "gtsrb": lambda: iter((b"Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n0.ppm;9;9;1;1;5;5;3\n",)),
    "word vectors": _good_word_vectors,
    "archives": _good_archives,
    "pictures": _good_pictures,
    "safetensors": _good_safetensors,
    "record": _good_record,
}


# Parsers


def parse_idx(path: Path, rng: Random) -> None:
    from acclimate.data.idx import read_idx

    read_idx(path, rng.choice((1, 3)))


def parse_csv(path: Path, rng: Random) -> None:
    from acclimate.data.readers import read_table, read_texts

    if rng.random() < 0.3:
        _check_texts(read_texts(path, text_column=rng.choice(("x", "kind")), label_column=rng.choice((None, "kind"))))
        return
    first = read_table(path, label_column=rng.choice((None, "kind")))
    read_table(path, like=first)


def parse_jsonl(path: Path, rng: Random) -> None:
    from acclimate.data.readers import read_texts

    first = read_texts(
        path, text_column=rng.choice((None, None, "text", "review")), label_column=rng.choice((None, "label"))
    )
    _check_texts(first)
    _check_texts(read_texts(path, like=first))


def _check_texts(domain: Any) -> None:
    """What comes after reading takes whatever was read, and it can be written."""
    from acclimate.data.duplicates import without_copies
    from acclimate.data.ragged import to_texts
    from acclimate.data.words import words

    "".join([*domain.ids, *domain.classes, *domain.notes]).encode()
    without_copies(domain)
    for text in to_texts(domain.rows):
        words(text)


def parse_npz(path: Path, _: Random) -> None:
    from acclimate.data.readers import read_arrays

    read_arrays(path)


def parse_mat(path: Path, _: Random) -> None:
    from acclimate.data.catalog import dataset

    dataset("svhn").parse(path.parent, "test")


def parse_config(path: Path, rng: Random) -> None:
    """As `acclimate adapt --config` and `acclimate compare --config`, up to the point where work begins."""
    from acclimate.cli.recipe import make_comparisons
    from acclimate.cli.request import make_request, read_config

    config = read_config(path)
    if rng.random() < 0.5:
        make_comparisons(config, [], [], None, [])
    else:
        _resolve(make_request(config, {}, []))


def parse_settings(path: Path, _: Random) -> None:
    from acclimate.cli.request import make_request

    text = path.read_bytes().decode("utf-8", "surrogateescape")
    _resolve(make_request({}, {"task": "demo"}, text.split("\n")))


def _resolve(request: Any) -> None:
    from acclimate.data.budget import LabelBudget
    from acclimate.data.readers import read
    from acclimate.problems.planning import make_method
    from acclimate.runs.options import TrainingOptions

    make_method(request.method, request.method_options)
    TrainingOptions.resolve({}, request.training)
    LabelBudget.parse(request.label_budget)
    if request.source is not None:
        read(request.source, label_column=request.label_column)


def parse_parquet(path: Path, rng: Random) -> None:
    from acclimate.data.readers import read_table

    read_table(path, label_column=rng.choice((None, "kind")))


def parse_usps(path: Path, _: Random) -> None:
    from acclimate.data.catalog import dataset

    dataset("usps").parse(path.parent, "train")


def parse_gtsrb(path: Path, _: Random) -> None:
    from acclimate.data.catalog import dataset

    dataset("gtsrb").parse(path.parent, "test")


def parse_word_vectors(path: Path, rng: Random) -> None:
    """As a run reads them: the width first, then the vectors of its words."""
    from acclimate.data.word_vectors import read_word_vectors, vectors_width

    width = vectors_width(path) if rng.random() < 0.9 else 3
    found = read_word_vectors(path, width, _WANTED)
    assert set(found.words) <= set(_WANTED)
    assert found.matrix.shape == (len(found.words), width)
    assert np.isfinite(found.matrix).all()


def parse_archive(path: Path, _: Random) -> None:
    from acclimate.data.archives import files_in

    list(files_in(path))


def parse_pictures(path: Path, _: Random) -> None:
    from acclimate.data.readers import read_images

    read_images(path.parent, size=8)


def parse_safetensors(path: Path, _: Random) -> None:
    from acclimate.training.checkpoints import load

    load(path)


def parse_record(path: Path, _: Random) -> None:
    from acclimate.data import storage
    from acclimate.runs.record import Run

    run = Run(path.parent)
    shutil.copy(path, run.metrics_path)
    run.metrics()
    shutil.copy(path, path.with_name("about.json"))
    with contextlib.suppress(_own_errors()):
        storage.load(path.parent)
    assert run.config


def _own_errors() -> type[Exception]:
    from acclimate.errors import AcclimateError

    return AcclimateError


@dataclass(frozen=True)
class Parser:
    """What is fed, how often, and with what.

    Attributes:
        parse: reads one file; the generator gives it its arguments.
        file: what the file is called; several names are taken in turn.
        count: inputs at scale 1.
        grammar: makes a bad file from nothing.
        tokens: what is inserted into good ones.
        starts: what noise may begin with.
        around: further files in the folder.
    """

    parse: Callable[[Path, Random], None]
    file: tuple[str, ...]
    count: int
    grammar: Callable[[Random], bytes] | None = None
    tokens: tuple[bytes, ...] = ()
    starts: tuple[bytes, ...] = (b"",)
    around: tuple[tuple[str, bytes], ...] = ()

    def make(self, name: str, rng: Random) -> bytes:
        """The content of an input."""
        how = rng.random()
        if how < 0.1:
            return noise(rng, self.starts)
        if how < 0.55 and self.grammar is not None:
            made = self.grammar(rng)
            return mutated(rng, made, self.tokens) if rng.random() < 0.3 else made
        content = mutated(rng, rng.choice(good(name)), self.tokens)
        return bz2.compress(content) if name == "usps" and rng.random() < 0.3 else content


_TEXT = (b'"', b",", b";", b"\n", b"\r", b"\t", b"nan", b"inf", b"\xff", b"\x00", "ü".encode(), b"1e999", b"9" * 400)
_JSON = (
    b'{"text": "a"}',
    b"\n",
    b'"',
    b"{",
    b"}",
    b"[",
    b"null",
    b"\\ud800",
    b"\xff\xfe",
    b"\xff",
    b"\x00",
    b"1e999",
)
_IDX_STARTS = (b"\0\0\x08\x01", b"\0\0\x08\x03", b"\x1f\x8b\x08")
_MAT_START = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
_PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"RIFF")
PARSERS = {
    "idx": Parser(parse_idx, ("images-ubyte",), 25_000, idx, starts=_IDX_STARTS),
    "mat": Parser(parse_mat, ("test_32x32.mat",), 20_000, mat, starts=(_MAT_START,)),
    "csv": Parser(parse_csv, ("table.csv", "table.tsv"), 20_000, csv_text, _TEXT, (b"x,y,kind\n",)),
    "jsonl": Parser(parse_jsonl, ("a.jsonl", "a.jsonl.gz"), 10_000, json_lines, _JSON, (b"\x1f\x8b\x08", b'{"text')),
    "npz": Parser(parse_npz, ("arrays.npz",), 25_000, npz, (b".npy", b"PK\1\2", b"'|O'"), (b"PK\3\4",)),
    "config": Parser(parse_config, ("recipe.toml",), 15_000, toml, (*(v.encode() for v in _VALUES), b"=", b"["))
    ,
    "settings": Parser(parse_settings, ("settings",), 5_000, setting, (b"=", b"[", b"{", b'"', b"e9")),
    "parquet": Parser(parse_parquet, ("table.parquet",), 6_000, starts=(b"PAR1",)),
    "hdf5": Parser(parse_usps, ("usps.h5",), 4_000, starts=(b"\x89HDF\r\n\x1a\n",)),
    "usps": Parser(parse_usps, ("usps", "zip.train", "usps.bz2"), 4_000, usps_text, (b":", b" ", b"nan")),
    "gtsrb": Parser(
        parse_gtsrb, ("GT-final_test.csv",), 3_000, annotations, (b";", *_TEXT),
        around=(("Final_Test/Images/0.ppm", b"P6 9 9 255\n" + bytes(243)),),
    ),
    "word vectors": Parser(
        parse_word_vectors, ("vectors.bin", "vectors.txt", "vectors.gz"), 10_000, word_vectors,
        (b" ", b"good 1", *_TEXT), (b"2 3\n", b"\xef\xbb\xbf", b"\x1f\x8b\x08", b"good 1 2 3\n"),
    ),
    "archives": Parser(parse_archive, ("archive",), 6_000, archive_of, starts=(b"PK\3\4", b"\x1f\x8b\x08", b"BZh9")),
    "pictures": Parser(parse_pictures, ("a.png", "a.jpg", "a.webp", "a.bmp"), 3_000, starts=_PICTURE_STARTS),
    "safetensors": Parser(parse_safetensors, ("step-00000003.safetensors",), 3_000, tokens=(b'"', b"{", b"}", b"9")),
    "record": Parser(parse_record, ("config.json",), 3_000, deep_json, (b'"', b"{", b"[", b"null", b"1e999")),
}  # fmt: skip


class Overdue(BaseException):
    """One input took too long."""


def feed(name: str, seed: int, index: int, folder: Path) -> str:
    """Make one input, parse it, and say what came of it: `"read"` or the name of acclimate's error."""
    parser, rng = PARSERS[name], Random(f"{seed}/{name}/{index}")
    content = parser.make(name, rng)
    path = folder / parser.file[index % len(parser.file)]
    for other, around in parser.around:
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        (folder / other).write_bytes(around)
    path.write_bytes(content)
    try:
        parser.parse(path, rng)
    except _own_errors() as error:
        if not str(error):
            raise AssertionError("an error must say something") from error
        return type(error).__name__
    finally:
        path.unlink(missing_ok=True)
    return "read"


def _work(name: str, seed: int, start: int, stop: int, at: Path) -> None:
    """In a process of its own: feed inputs and print a summary; the number of the current one stands in `at`."""

    def overdue(*_: Any) -> None:
        raise Overdue

    signal.signal(signal.SIGALRM, overdue)
    outcomes, failures, slowest = Counter[str](), [], (0.0, -1)
    with tempfile.TemporaryDirectory(dir=TMP) as folder, at.open("r+b") as mark, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ["ACCLIMATE_CACHE"] = f"{folder}-cache"
        home = Path(folder) / "inputs"
        home.mkdir()
        for good_one in good(name):
            with contextlib.suppress(_own_errors()):  # imports, so that the first input need not pay for them
                path = home / PARSERS[name].file[0]
                path.write_bytes(good_one)
                PARSERS[name].parse(path, Random(0))
        shutil.rmtree(home)
        home.mkdir()
        memory = _peak()
        for index in range(start, stop):
            os.pwrite(mark.fileno(), struct.pack("<q", index), 0)
            signal.alarm(60)
            began = time.process_time()
            try:
                outcomes[feed(name, seed, index, home)] += 1
            except BaseException as error:
                failures.append((index, f"{type(error).__name__}: {error!s:.200}"))
                if isinstance(error, KeyboardInterrupt):
                    raise
            signal.alarm(0)
            took = time.process_time() - began
            slowest = max(slowest, (took, index))
            if took > SECONDS:
                failures.append((index, f"{took:.1f} s of processor time"))
            if (now := _peak()) - memory > MEGABYTES:
                failures.append((index, f"{now - memory:,.0f} MB of memory"))
            memory = max(memory, now)
        shutil.rmtree(f"{folder}-cache", ignore_errors=True)
    print(json.dumps({"outcomes": outcomes, "failures": failures, "slowest": slowest, "peak_mb": round(_peak())}))


def _peak() -> float:
    """The most memory this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_parser(name: str, seed: int, count: int) -> dict[str, Any]:
    """Feed `count` inputs to a parser; a crash of the process is a failure, and all but its input are fed again."""
    outcomes, known, failures, slowest, peak = Counter[str](), Counter[str](), [], [0.0, -1], 0
    spans, began = [(0, count)], time.monotonic()
    with tempfile.NamedTemporaryFile() as at:
        while spans:
            start, stop = spans.pop(0)
            at.seek(0)
            at.write(struct.pack("<q", start))
            at.flush()
            words = [sys.executable, __file__, "--work", name, str(seed), str(start), str(stop), at.name]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found = json.loads(done.stdout.splitlines()[-1])
                outcomes.update(found["outcomes"])
                failures += found["failures"]
                slowest, peak = max(slowest, found["slowest"]), max(peak, found["peak_mb"])
                continue
            at.seek(0)
            (index,) = struct.unpack("<q", at.read(8))
            fault = next((why for mark, why in KNOWN.get(name, {}).items() if mark in done.stderr), None)
            if fault is None:
                failures.append([index, f"the interpreter ended with {done.returncode}: {done.stderr[-300:]}"])
            else:
                known[fault] += 1
            spans[:0] = [span for span in ((start, index), (index + 1, stop)) if span[0] < span[1]]
    return {
        "inputs": count,
        "outcomes": dict(sorted(outcomes.items())),
        "failures": failures,
        "known_faults": dict(known),
        "seconds": round(time.monotonic() - began, 1),
        "slowest_input": {"cpu_seconds": round(slowest[0], 2), "number": slowest[1]},
        "peak_memory_mb": peak,
    }


def replay(name: str, seed: int, index: int) -> None:
    """Show one input and what comes of it."""
    content = PARSERS[name].make(name, Random(f"{seed}/{name}/{index}"))
    print(f"{name} {index}, {len(content):,} bytes: {content[:2000]!r}")
    with tempfile.TemporaryDirectory(dir=TMP) as folder:
        try:
            print(feed(name, seed, index, Path(folder)))
        except Exception:
            traceback.print_exc()


def main() -> int:
    if sys.argv[1:2] == ["--work"]:
        name, seed, start, stop, at = sys.argv[2:]
        _work(name, int(seed), int(start), int(stop), Path(at))
        return 0
    counts = {name: parser.count for name, parser in PARSERS.items()}
    limits = {"cpu_seconds": SECONDS, "memory_mb": MEGABYTES}
    return fuzz(__doc__ or "", "parsers", counts, run_parser, replay, limits=limits)


if __name__ == "__main__":
    sys.exit(main())
