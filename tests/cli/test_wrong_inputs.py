"""Every wrong input gets a sentence: typed as a user would, refused with what, rule, received and next move.

Each case is typed twice: once as it is, for the exit code, the words and what lies in the folder afterwards; once
with --debug, for the error that the Python caller gets. New options and methods are covered by themselves.
"""

from __future__ import annotations

import errno
import gzip
import inspect
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import polars as pl
import pytest
import typer
from annotated_types import Ge, Gt, Le, Lt
from PIL import Image
from pydantic.fields import FieldInfo
from typer.models import OptionInfo

import acclimate as ac
from acclimate import discovery
from acclimate.cli.main import app
from acclimate.errors import AcclimateError, MissingExtraError, RequestError, WorkError
from acclimate.running import adaptation
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from commands import Command

QUICK = ("--steps", "2", "--batch-size", "8", "--precision", "fp32", "--set", "evaluations=1", "--no-baseline")
RNG = np.random.default_rng(0)


# What the folder holds before the command is typed


def nothing() -> None:
    """An empty folder."""


def table(name: str, rows: int = 40, classes: int = 2, **columns: list[Any]) -> None:
    """A CSV with columns x, y and, if there are classes, kind; `columns` replace or add some."""
    made: dict[str, Any] = {"x": RNG.normal(size=rows), "y": RNG.normal(size=rows)}
    if classes:
        made["kind"] = [f"k{i % classes}" for i in range(rows)]
    frame = pl.DataFrame({k: v for k, v in (made | columns).items() if v is not None}, strict=False)
    frame.write_csv(name)


def pair(**source: Any) -> Callable[[], None]:
    """source.csv, which differs as said, beside a target.csv in good order."""

    def make() -> None:
        table("source.csv", **source)
        table("target.csv", classes=0)

    return make


def target(**differing: Any) -> Callable[[], None]:
    """target.csv, which differs as said, beside a source.csv in good order."""

    def make() -> None:
        table("source.csv")
        table("target.csv", **({"classes": 0} | differing))

    return make


def picture(path: str, side: int = 8, colour: bool = False) -> None:
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, (side, side, 3) if colour else (side, side), dtype=np.uint8)
    Image.fromarray(pixels).save(place)


def pictures(folder: str, each: int = 6, classes: tuple[str, ...] = ("a", "b"), **how: Any) -> None:
    for name in classes or ("",):
        for i in range(each):
            picture(f"{folder}/{name}/{i}.png", **how)


def folders(**how: Any) -> Callable[[], None]:
    """Folders source/ (labelled) and target/ (not), the target's pictures differing as said."""

    def make() -> None:
        pictures("source")
        pictures("target", classes=(), **how)

    return make


def arrays(**differing: Any) -> Callable[[], None]:
    """source.npz and target.npz, the source's arrays differing as said."""

    def make() -> None:
        good = {"X": RNG.normal(size=(20, 3)).astype(np.float32), "y": np.arange(20) % 2}
        np.savez("source.npz", **(good | differing))  # type: ignore[arg-type]
        np.savez("target.npz", X=good["X"])

    return make


def text(name: str, content: str | bytes) -> Callable[[], None]:
    def make() -> None:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def all_of(*makers: Callable[[], None]) -> Callable[[], None]:
    def make() -> None:
        for one in makers:
            one()

    return make


def cut(name: str, make: Callable[[], None]) -> Callable[[], None]:
    """The same, with one file cut in the middle, as by a download that stopped."""

    def made() -> None:
        make()
        content = Path(name).read_bytes()
        Path(name).write_bytes(content[: len(content) // 2])

    return made


def parquet_pair() -> None:
    table("source.csv", rows=4000)
    pl.read_csv("source.csv").write_parquet("source.parquet")
    table("target.csv", classes=0)


def existing_run() -> None:
    """A folder that looks like a run that was begun, and one like any other folder."""
    pair()()
    Path("begun").mkdir()
    keys = ("request", "task", "method", "network", "preprocess", "training", "steps")
    Path("begun/config.json").write_text(json.dumps({key: {} for key in keys}))
    Path("notes").mkdir()
    Path("notes/todo.txt").write_text("milk")


GOOD, BAD = "great excellent best", "terrible poor waste"


def json_lines(name: str, *rows: dict[str, Any] | str) -> None:
    """A file of these rows; strings are lines as they are."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    Path(name).write_text("\n".join(lines) + "\n")


def labelled_review(i: int, **differing: Any) -> dict[str, Any]:
    return {
        "text": f"{(GOOD, BAD)[i % 2]} book number {'abcdefghij'[i % 10] * (1 + i // 10)}",
        "label": i % 2,
    } | differing


def reviews(*further: dict[str, Any] | str, **differing: Any) -> Callable[[], None]:
    """source.jsonl, whose rows differ as said, with further ones, beside a target.jsonl in good order."""

    def make() -> None:
        json_lines("source.jsonl", *(labelled_review(i, **differing) for i in range(40)), *further)
        json_lines("target.jsonl", *({"text": f"{(GOOD, BAD)[i % 2]} pan {'xyz'[i % 3] * i}"} for i in range(30)))

    return make


def rare_words() -> None:
    """Two files of texts that have no word in common, nor one twice."""
    for side, letter in (("source", "a"), ("target", "b")):
        json_lines(f"{side}.jsonl", *({"text": letter * i, "label": i % 2} for i in range(1, 5)))


def review_table() -> None:
    """source.csv and target.csv with more texts than a column of categories may have."""
    rows = [labelled_review(i) for i in range(120)]
    for name in ("source.csv", "target.csv"):
        pl.DataFrame(rows).rename({"text": "the review"}).write_csv(name)


def text_files(folder: str, each: int = 3, classes: tuple[str, ...] = ("bad", "good")) -> None:
    for label in classes or ("",):
        place = Path(folder) / label
        place.mkdir(parents=True, exist_ok=True)
        for i in range(each):
            (place / f"{i}.txt").write_text(f"{(BAD, GOOD)[label == 'good']} story {'abc'[i]}")


TEXTS = ("adapt", "--source", "source.jsonl", "--target", "target.jsonl")
TABLES = ("adapt", "--source", "source.csv", "--target", "target.csv", "--label-column", "kind")
FOLDERS = ("adapt", "--source", "source", "--target", "target")
ARRAYS = ("adapt", "--source", "source.npz", "--target", "target.npz")
DEMO = ("adapt", "--task", "demo")
ROW = 'task = "demo"\n[methods.mcc]\n'
NO_RUN = ("run must be the folder of a run, with a config.json in it", "got 'nowhere'", "prints the folder it writes")


@dataclass(frozen=True)
class Case:
    """One mistake.

    Attributes:
        name: what is wrong.
        words: the command as typed.
        says: pieces of the message in their order: argument, rule, what was received, next move.
        make: what the folder holds before.
        call: the same mistake in Python.
    """

    name: str
    words: tuple[str, ...]
    says: tuple[str, ...]
    make: Callable[[], None] = nothing
    call: Callable[[], object] | None = None
    exit_code: int = 2
    environment: dict[str, str] = field(default_factory=dict)


def fit(**options: Any) -> Callable[[], object]:
    """A fit on the folder's tables or arrays, in Python."""

    def call() -> object:
        kind = "csv" if Path("source.csv").exists() else "npz"
        label = "kind" if kind == "csv" else None
        source = ac.read(f"source.{kind}", label_column=label, name="source")
        made = ac.read(f"target.{kind}", name="target", like=source)
        return ac.MCD(**{"steps": 1, "batch_size": 4, "precision": "fp32", **options}).fit(source, made)

    return call


def read(path: str, **options: Any) -> Callable[[], object]:
    return lambda: ac.read(path, **options)


def to_itself(path: str, **options: Any) -> Callable[[], object]:
    def call() -> object:
        source = ac.read(path, name="source", **options)
        return ac.Task(source, source)

    return call


def task(source: str, made: str) -> Callable[[], object]:
    def call() -> object:
        first = ac.read(source)
        return ac.Task(first, ac.read(made, like=first))

    return call


DATA = [
    # folders
    Case(
        "an empty folder",
        FOLDERS,
        ("source must hold images", "got none", "one sub-folder of images per class"),
        all_of(lambda: Path("source").mkdir(), lambda: pictures("target", classes=())),
        read("source"),
    ),
    Case(
        "an empty target folder",
        FOLDERS,
        ("target must hold images", "got none", "loose images without labels"),
        all_of(lambda: pictures("source"), lambda: Path("target").mkdir()),
        read("target"),
    ),
    Case(
        "a folder of other files",
        FOLDERS,
        ("source must hold images", "only files of other kinds (.doc)", "one sub-folder"),
        all_of(lambda: Path("source").mkdir(), text("source/a.doc", "a"), lambda: pictures("target", classes=())),
        read("source"),
    ),
    Case(
        "no labels on the source, images",
        FOLDERS,
        ("source must have labels", "got 6 unlabelled examples", "one folder per class"),
        all_of(lambda: pictures("source", classes=()), lambda: pictures("target", classes=())),
        task("source", "target"),
    ),
    Case(
        "one class of images",
        FOLDERS,
        ("source must have at least two classes", "got only the class 'a'", "second class"),
        all_of(lambda: pictures("source", classes=("a",)), lambda: pictures("target", classes=())),
        task("source", "target"),
    ),
    Case(
        "no image opens",
        FOLDERS,
        (
            "source must hold images that open",
            "2 that do not: a/1.png (not an image",
            "b/2.jpg",
            "Get the files again",
        ),
        all_of(
            lambda: pictures("target", classes=()),
            lambda: [Path(f"source/{c}").mkdir(parents=True) for c in "ab"],  # type: ignore[func-returns-value]
            text("source/a/1.png", "no picture"),
            text("source/b/2.jpg", b"\xff\xd8\xff"),
        ),
        read("source"),
    ),
    Case(
        "loose images beside class folders",
        FOLDERS,
        (
            "source must hold either loose images",
            "got 1 loose images (x.png) beside the folders a, b",
            "Move the loose",
        ),
        all_of(folders(), lambda: picture("source/x.png")),
        read("source"),
    ),
    Case(
        "a folder of splits",
        FOLDERS,
        ("source must hold one folder of images per class", "got the folders test, train", "Give one of them"),
        all_of(lambda: pictures("source", classes=("train", "test")), lambda: pictures("target", classes=())),
        read("source"),
    ),
    Case(
        "images against a table",
        ("adapt", "--source", "source", "--target", "target.csv"),
        (
            "source and target must hold the same kind",
            "12 images of 8×8×1",
            "vectors of 2 features",
            "Give images on",
        ),
        all_of(lambda: pictures("source"), lambda: table("target.csv", classes=0)),
        lambda: ac.MCD(steps=1).fit(ac.read("source"), ac.read("target.csv", like=ac.read("source"))),
    ),
    Case(
        "one target example",
        FOLDERS,
        ("target must have at least two examples", "got 1", "Add target examples"),
        folders(each=1),
        task("source", "target"),
    ),
    # tables
    Case(
        "no labels on the source, a table",
        ("adapt", "--source", "source.csv", "--target", "target.csv"),
        ("source must have labels", "got 40 unlabelled examples", "--label-column NAME"),
        pair(classes=0),
        task("source.csv", "target.csv"),
    ),
    Case(
        "one class in a table",
        TABLES,
        ("source must have at least two classes", "got only the class 'k0'", "second class"),
        pair(classes=1),
        fit(),
    ),
    Case(
        "labels in name only",
        TABLES,
        ("source must have labels", "got 40 unlabelled", "--label-column"),
        pair(kind=[""] * 40),
        fit(),
    ),
    *(
        Case(
            f"{value!r} in a numeric column of the {side}",
            TABLES,
            (f"column 'x' of {side}.csv must hold {rule}", f"{found} in line 5", advice),
            make(x=[0.5, 1.5, 2.5, value] + [1.0] * 36),
            fit(),
        )
        for side, make in (("source", pair), ("target", target))
        for value, rule, found, advice in (
            ("inf", "finite numbers", "inf", "Write a number there or nothing"),
            ("much", "a number in every row", "'much'", "Write a number there or nothing"),
        )
    ),
    *(
        Case(
            f"{value!r} in a numeric column of the {side}, with --missing refuse",
            (*TABLES, "--missing", "refuse"),
            ("must have a value in every cell", f"none for 'x' in 1 rows of {side}", "Fill these cells"),
            make(x=[0.5, 1.5, 2.5, value] + [1.0] * 36),
        )
        for side, make in (("source", pair), ("target", target))
        for value in ("nan", "")
    ),
    Case(
        "columns that the target does not have",
        TABLES,
        (
            "target.csv must have the 2 feature columns of the source",
            "got none called y",
            "Add it, or leave it out of the source",
        ),
        target(y=None),
        fit(),
    ),
    Case(
        "a label column that is not there",
        (*TABLES[:-1], "Kinds"),
        ("label_column must be a column of source.csv", "got 'Kinds'", "Did you mean 'kind'?"),
        pair(),
        read("source.csv", label_column="Kinds"),
    ),
    Case(
        "a label column for images",
        (*FOLDERS, "--label-column", "kind"),
        ("label_column applies to tables and .jsonl files only", "got 'source'", "Leave label_column out"),
        folders(),
        read("source", label_column="kind"),
    ),
    Case(
        "measurements as labels",
        (*TABLES[:-1], "x", "-m", "mcd"),
        ("the labels of source must be classes", "150 different numbers", "--bins 3"),
        pair(rows=150),
        to_itself("source.csv", label_column="x"),
    ),
    Case(
        "a table of labels alone",
        TABLES,
        ("source.csv must have a column besides the labels", "got only 'kind'", "Add the columns"),
        pair(x=None, y=None),
        read("source.csv", label_column="kind"),
    ),
    Case(
        "a table without a header",
        TABLES,
        ("source.csv must start with a line of column names", "the numbers 1, 2, 3", "Put a name above every column"),
        all_of(pair(), text("source.csv", "1,2,3\n4,5,6\n")),
        read("source.csv"),
    ),
    Case(
        "a header alone",
        TABLES,
        ("source.csv must hold at least one row", "got 0 rows without", "right file"),
        all_of(pair(), text("source.csv", "x,y,kind\n")),
        read("source.csv"),
    ),
    Case(
        "an empty file",
        TABLES,
        ("source.csv must start with a line of column names", "got nothing", "Put a name"),
        all_of(pair(), text("source.csv", "")),
        read("source.csv"),
    ),
    Case(
        "a column named twice",
        TABLES,
        ("source.csv must name each column differently", "got x more than once", "a name of its own"),
        all_of(pair(), text("source.csv", "x,x,kind\n1,2,a\n3,4,b\n")),
        read("source.csv"),
    ),
    Case(
        "a ragged table",
        TABLES,
        (
            "source.csv must be text with the same number of values on every line",
            "got 5 values in line 3",
            "double quotes",
        ),
        all_of(pair(), text("source.csv", "x,y,kind\n1,2,a\n1,2,a,5,6\n")),
        read("source.csv"),
    ),
    Case(
        "a table in another encoding, and other columns",
        TABLES,
        ("target.csv must have the 1 feature columns", "none called größe", "leave it out", "--leave-out 'größe'"),
        all_of(pair(), text("source.csv", "größe,kind\n1,a\n2,b\n".encode("latin-1"))),
    ),
    # files
    Case(
        "a source that is not there",
        ("adapt", "--source", "sourec.csv", "--target", "target.csv"),
        ("source must be a folder or file that exists", "got 'sourec.csv'", "Did you mean 'source.csv'?"),
        pair(),
        read("sourec.csv", name="source"),
    ),
    Case(
        "a target that is not there",
        ("adapt", "--source", "source.csv", "--target", "nowhere", "--label-column", "kind"),
        ("target must be a folder or file that exists", "got 'nowhere'", "Check the spelling"),
        pair(),
        read("nowhere", name="target"),
    ),
    Case(
        "an empty path",
        ("adapt", "--source", "", "--target", "target.csv"),
        ("source must be a path", "got nothing", "Give a folder of images"),
        pair(),
        read("", name="source"),
    ),
    Case(
        "a path too long for any file system",
        ("adapt", "--source", "x" * 300, "--target", "target.csv"),
        ("source must be a path that can be looked up", "File name too long", "Check the spelling"),
        pair(),
        read("x" * 300, name="source"),
    ),
    Case(
        "the home of nobody",
        ("adapt", "--source", "~nobody-of-that-name/x", "--target", "target.csv"),
        (
            "source must be a path that can be looked up",
            "~nobody-of-that-name",
            "home directory",
            "Check the spelling",
        ),
        pair(),
        read("~nobody-of-that-name/x", name="source"),
    ),
    Case(
        "a path that is no UTF-8",
        ("adapt", "--source", os.fsdecode(b"caf\xe9"), "--target", "target.csv"),
        ("the command must be UTF-8 text", "got 'caf\\udce9'", "Rename that file or folder"),
        pair(),
    ),
    Case(
        "a file of an unknown kind",
        ("adapt", "--source", "source.xlsx", "--target", "target.csv"),
        (
            "source must be a folder of images or of .txt",
            "ending in .csv",
            "got 'source.xlsx'",
            "save a table as .csv",
        ),
        all_of(pair(), text("source.xlsx", "PK")),
        read("source.xlsx", name="source"),
    ),
    Case(
        "a single picture",
        ("adapt", "--source", "x.png", "--target", "target.csv"),
        ("source must be a folder of images", "got 'x.png'", "Give the folder that holds an image"),
        all_of(pair(), lambda: picture("x.png")),
        read("x.png", name="source"),
    ),
    Case(
        "an .npz cut short",
        ARRAYS,
        ("source.npz must be a .npz file", "got a file of another kind", "Save it with numpy.savez"),
        cut("source.npz", arrays()),
        read("source.npz"),
    ),
    Case(
        "a Parquet file cut short",
        ("adapt", "--source", "source.parquet", "--target", "target.csv"),
        ("source.parquet must be a Parquet file", "got a file that cannot be read", "Check that it is whole"),
        cut("source.parquet", parquet_pair),
        read("source.parquet"),
    ),
    Case(
        "memory that is no size",
        (*TABLES, "--memory", "plenty"),
        ("memory must be a size such as 2GB or 500MB", "got 'plenty'", "Leave memory out for half"),
        pair(),
        read("source.csv", memory="plenty"),
    ),
    Case(
        "a pattern that no table matches",
        ("adapt", "--source", "sou*.csv", "--target", "tar*.parquet", "--label-column", "kind"),
        ("target must be a folder or file that exists", "got 'tar*.parquet'"),
        pair(),
        read("tar*.parquet", name="target"),
    ),
    Case(
        "tables of other columns in one folder",
        ("adapt", "--source", "source", "--target", "target.csv", "--label-column", "kind"),
        ("b.csv must have the columns of a.csv, as one table in several files", "'y' in one of them alone"),
        all_of(
            pair(),
            lambda: Path("source").mkdir(),
            text("source/a.csv", "x,kind\n1,a"),
            text("source/b.csv", "y,kind\n1,a"),
        ),
        read("source", label_column="kind"),
    ),
    Case(
        "an .npz without inputs",
        ARRAYS,
        ("source.npz must have an array called X", "got only y", "numpy.savez(path, X=inputs, y=labels)"),
        all_of(arrays(), lambda: np.savez("source.npz", y=np.arange(3))),
        read("source.npz"),
    ),
    Case(
        "pickled objects in an .npz",
        ARRAYS,
        (
            "y in source.npz must be a plain array, without pickled objects",
            "Object arrays cannot be loaded",
            "Save it",
        ),
        arrays(y=np.array([{}] * 20)),
        read("source.npz"),
    ),
    *(
        Case(
            f"{value} all over an array",
            ARRAYS,
            says,
            arrays(X=np.full((20, 3), float(value), np.float32)),
            fit(),
        )
        for value, says in (
            ("nan", ("source and target must have a column that has values on both sides", "got none", "Check that")),
            ("inf", ("source.inputs must be finite numbers", "got inf in row 0, column 0", "Write NaN there")),
        )
    ),
    Case(
        "an array of other width",
        ARRAYS,
        (
            "source and target must have the same number of features",
            "5 in source and 3 in target",
            "the same columns",
        ),
        arrays(X=np.ones((20, 5), np.float32)),
        fit(),
    ),
    Case(
        "fewer labels than examples",
        ARRAYS,
        ("the labels of source must have shape (20,), one per example", "got (19,)", "y.argmax(axis=1)"),
        arrays(y=np.zeros(19, int)),
        fit(),
    ),
    Case(
        "an empty array",
        ARRAYS,
        ("the inputs of source must be images (n, h, w)", "shape (0, 3)", "Reshape it"),
        arrays(X=np.zeros((0, 3), np.float32), y=np.zeros(0, int)),
        fit(),
    ),
]

TEXT_DATA = [
    Case(
        "a line that is no JSON",
        TEXTS,
        (
            "line 41 of source.jsonl must be one JSON object",
            """got '{"text": "cut' (Unter""",
            "Mend or remove that line",
        ),
        reviews('{"text": "cut'),
        read("source.jsonl"),
    ),
    Case(
        "a JSON array",
        TEXTS,
        ("line 1 of source.jsonl must be one JSON object", "got '[{", "each line holds one text"),
        all_of(reviews(), text("source.jsonl", '[{"text": "a", "label": 1}]')),
        read("source.jsonl"),
    ),
    Case(
        "JSON lines of nothing",
        TEXTS,
        ("source.jsonl must hold at least one line of JSON", "got 2 blank ones", "right file"),
        all_of(reviews(), text("source.jsonl", "\n \n")),
        read("source.jsonl"),
    ),
    Case(
        "a compressed file cut short",
        ("adapt", "--source", "source.jsonl.gz", "--target", "target.jsonl"),
        ("source.jsonl.gz must be gzip-compressed and whole", "ended before the end-of-stream", "Get it again"),
        all_of(reviews(), text("source.jsonl.gz", gzip.compress(b'{"text": "a"}\n' * 99)[:30])),
        read("source.jsonl.gz"),
    ),
    Case(
        "no column of texts",
        TEXTS,
        ("target.jsonl must have a column 'text' that holds the texts", "got only review", "--text-column NAME"),
        all_of(reviews(), lambda: json_lines("target.jsonl", {"review": "a"}, {"review": "b"})),
        task("source.jsonl", "target.jsonl"),
    ),
    Case(
        "a text column that is not there",
        (*TEXTS, "--text-column", "texts"),
        ("text_column must be a column of source.jsonl", "got 'texts'", "Did you mean 'text'?"),
        reviews(),
        read("source.jsonl", text_column="texts"),
    ),
    Case(
        "a text label column that is not there",
        (*TEXTS, "--label-column", "stars"),
        ("label_column must be a column of source.jsonl", "got 'stars'", "It has text, label"),
        reviews(),
        read("source.jsonl", label_column="stars"),
    ),
    Case(
        "texts as labels",
        (*TEXTS, "--label-column", "text"),
        ("label_column must be another one than text_column", "got 'text'", "Name two columns"),
        reviews(),
        read("source.jsonl", label_column="text"),
    ),
    Case(
        "a text column for images",
        (*FOLDERS, "--text-column", "review"),
        ("text_column applies to tables and .jsonl files only", "got 'source'", "Leave text_column out"),
        folders(),
        read("source", text_column="review"),
    ),
    Case(
        "numbers as texts",
        TEXTS,
        ("column 'text' of source.jsonl must hold texts", "got 5 in line 41", "write that value in quotes"),
        reviews({"text": 5}),
        read("source.jsonl"),
    ),
    Case(
        "a list as a label",
        TEXTS,
        (
            "column 'label' of source.jsonl must hold words, finite numbers or truth values",
            "[1] in line 41",
            "Write one class",
        ),
        reviews({"text": "a", "label": [1]}),
        read("source.jsonl"),
    ),
    Case(
        "measurements as labels of texts",
        TEXTS,
        ("the labels of source must be classes", "got 150 different numbers", "--bins 3"),
        all_of(
            reviews(),
            lambda: json_lines("source.jsonl", *({"text": "a", "label": i / 151} for i in range(1, 151))),
        ),
        to_itself("source.jsonl"),
    ),
    Case(
        "one class of texts",
        TEXTS,
        ("source must have at least two classes", "got only the class '1'", "second class"),
        reviews(label=1),
        task("source.jsonl", "target.jsonl"),
    ),
    Case(
        "texts without labels",
        TEXTS,
        ("source must have labels", "40 unlabelled examples", "name the label column: --label-column NAME"),
        reviews(label=None),
        task("source.jsonl", "target.jsonl"),
    ),
    Case(
        "texts against a table",
        ("adapt", "--source", "source.jsonl", "--target", "source.npz"),
        ("source and target must hold the same kind", "got 40 texts", "or texts on both"),
        all_of(reviews(), arrays()),
        task("source.jsonl", "source.npz"),
    ),
    Case(
        "a test of texts that stand in the source",
        (*TEXTS, "--target-test", "source.jsonl"),
        ("target_test must hold texts that do not stand in source", "got none among 40", "leave it out"),
        reviews(),
    ),
    Case(
        "texts in a table that nobody names",
        (*TABLES[:5], "--label-column", "label"),
        (
            "source.csv must have a column besides the labels",
            "got 'the review' with a different text in nearly every row",
            "if it holds the texts to learn from, add --text-column 'the review'.",
        ),
        review_table,
        read("source.csv", label_column="label"),
    ),
    Case(
        "texts without a word twice",
        TEXTS,
        ("source and target must have words that occur 2 times or more", "got none", "check that they are texts"),
        rare_words,
    ),
    Case(
        "a method for texts on a table",
        (*TABLES, "--method", "amn"),
        ("method must be one for features", "got 'amn', which is for text", "acclimate methods"),
        pair(),
    ),
    Case(
        "a network for images on texts",
        (*TEXTS, "--network", "tiny"),
        ("network must be 'memory' for texts", "got 'tiny'", "Leave network out"),
        reviews(),
    ),
    Case(
        "loose texts beside class folders",
        FOLDERS,
        (
            "source must hold either loose texts",
            "1 loose texts (x.txt) beside the folders bad, good",
            "Move the loose",
        ),
        all_of(lambda: text_files("source"), lambda: text_files("target", classes=()), text("source/x.txt", "a")),
        read("source"),
    ),
    Case(
        "more texts than images",
        FOLDERS,
        ("source must hold either images or texts", "got 1 images beside 6 .txt files", "a folder of its own"),
        all_of(
            lambda: text_files("source"),
            lambda: text_files("target", classes=()),
            lambda: picture("source/bad/x.png"),
        ),
        read("source"),
    ),
    Case(
        "a folder of text splits",
        FOLDERS,
        ("source must hold one folder of texts per class", "got the folders test, train", "Give one of them"),
        all_of(lambda: text_files("source", classes=("train", "test")), lambda: text_files("target", classes=())),
        read("source"),
    ),
]

OUTPUT = [
    Case(
        "an existing run",
        (*TABLES, "--out", "begun"),
        ("out must be a new or empty folder", "got 'begun'", "continue it with: acclimate resume begun"),
        existing_run,
    ),
    Case(
        "an existing folder",
        (*TABLES, "--out", "notes"),
        ("out must be a new or empty folder", "got 'notes'", "Choose another"),
        existing_run,
    ),
    Case(
        "a file in the run folder's place",
        (*TABLES, "--out", "source.csv"),
        ("out must be a new or empty folder", "got 'source.csv'", "Choose another"),
        pair(),
    ),
    Case(
        "a folder inside a file",
        (*TABLES, "--out", "source.csv/run"),
        ("out must be a folder that can be written", "Not a directory", "Choose another"),
        pair(),
    ),
    Case(
        "a folder where none can be made",
        (*TABLES, "--out", "/proc/run"),
        ("out must be a folder that can be written", "got '/proc/run'", "Choose another"),
        pair(),
    ),
    Case(
        "a folder with too long a name",
        (*TABLES, "--out", "x" * 300),
        ("out must be a folder that can be written", "File name too long", "Choose another"),
        pair(),
    ),
    Case(
        "a demo in a folder of something else",
        ("demo", "--out", "source.csv"),
        ("out must be a folder that can be written", "Not a directory", "Choose another"),
        pair(),
    ),
    Case(
        "a recipe changed and its results written",
        ("compare", "--config", "recipe.toml", "--set", "steps=1", "--results", "results"),
        ("--set must not change a recipe whose results are written", "got ['steps=1']", "Copy the recipe"),
        text("recipe.toml", 'task = "demo"\n[methods.mcc]\n'),
    ),
    Case(
        "a comparison in a file",
        ("compare", "--task", "demo", "--methods", "mcc", "--seeds", "1", "--set", "steps=1", "--out", "source.csv"),
        ("out must be a folder that can be written", "Not a directory", "Choose another"),
        pair(),
    ),
    Case(
        "data that cannot be written",
        ("data", "get", "digits"),
        ("Cannot write below", "Set ACCLIMATE_DATA to a folder of yours"),
        text("file", ""),
        exit_code=1,
        environment={"ACCLIMATE_DATA": "file/data"},
    ),
]

ABOUT = [
    Case(
        "neither task nor data",
        ("adapt",),
        ("source must be given", "got nothing", "Give --source and --target, or a public --task"),
    ),
    Case(
        "a source alone",
        ("adapt", "--source", "x"),
        ("target must be given", "got nothing", "Give --source and --target"),
    ),
    Case(
        "a task and data",
        (*DEMO, "--source", "x"),
        ("task must stand alone", "got a task and paths", "Leave out --source and --target"),
    ),
    Case(
        "an unknown task",
        ("adapt", "--task", "mnist-usp"),
        ("task must be a known name", "got 'mnist-usp'", "Did you mean 'mnist-usps'"),
        call=lambda: ac.load_task("mnist-usp"),
    ),
    Case(
        "a task whose data are not here",
        ("adapt", "--task", "mnist-usps"),
        ("USPS, split 'train', must be on this machine", "got no", "Run: acclimate data get usps"),
        call=lambda: ac.load_task("mnist-usps"),
    ),
    Case(
        "an unknown method",
        (*DEMO, "-m", "mdc"),
        ("method must be a known name", "got 'mdc'", "Did you mean", "'mcd'"),
    ),
    Case(
        "an unknown network",
        (*TABLES, "--network", "mpl"),
        ("network must be a known name", "got 'mpl'", "Did you mean 'mlp'?"),
        pair(),
        fit(network="mpl"),
    ),
    Case(
        "a network for images",
        (*TABLES, "--network", "mcd-usps"),
        ("network must be 'mlp', 'bag-of-words' or a module of yours", "got 'mcd-usps'", "Leave network out"),
        pair(),
        fit(network="mcd-usps"),
    ),
    Case(
        "a network for features",
        (*FOLDERS, "--network", "mlp"),
        ("network must be one for images", "got 'mlp'", "Known: bag-of-words"),
        folders(),
    ),
    Case(
        "a device that is not there",
        (*TABLES, "--device", "cuda:99"),
        ("device must be one that this machine has", "got 'cuda:99'", "Use 'auto' or 'cpu'"),
        pair(),
        fit(device="cuda:99"),
    ),
    Case(
        "a device that is none",
        (*TABLES, "--device", "toaster"),
        ("device must be one that this machine has", "got 'toaster'", "Use 'auto' or 'cpu'"),
        pair(),
        fit(device="toaster"),
    ),
    Case(
        "a label budget in words",
        (*TABLES, "--label-budget", "lots"),
        ("label_budget must be 0, a whole number", "got 'lots'", "For example: 3, 1% or all"),
        pair(),
        lambda: ac.LabelBudget.parse("lots"),
    ),
    Case(
        "labels of a target that has none",
        (*TABLES, "--label-budget", "3"),
        ("label_budget needs a target with labels", "got 3 and an unlabelled target", "Use 0"),
        pair(),
    ),
    Case(
        "more labels than there are",
        (*TABLES, "--label-budget", "30"),
        ("label_budget must not exceed what the smallest class has", "got 30", "Ask for fewer"),
        target(classes=2),
    ),
    Case(
        "a ceiling without labels",
        (*TABLES, "-m", "train-on-target"),
        ("label_budget needs a target with labels", "an unlabelled target", "Use"),
        pair(),
    ),
    Case(
        "a setting without a value",
        (*DEMO, "--set", "epochs"),
        ("set must have the form name=value", "got 'epochs'", "For example: --set epochs=20"),
    ),
    Case(
        "a setting without a name",
        (*DEMO, "--set", "=3"),
        ("set must have the form name=value", "got '=3'", "For example"),
    ),
    Case(
        "an unknown option",
        (*DEMO, "--set", "epoch=3"),
        ("option must be a known name", "got 'epoch'", "Did you mean 'epochs'"),
    ),
    Case(
        "another method's option",
        (*DEMO, "-m", "dann", "--set", "n=3"),
        ("option must be a known name", "got 'n'", "Known: activations"),
    ),
    Case(
        "a number of 5,000 digits",
        (*DEMO, "--set", f"epochs={'1' * 5000}"),
        ("epochs must be a whole number", "got '1111", "Leave epochs out for the default"),
        call=lambda: TrainingOptions.resolve({}, {"epochs": "1" * 5000}),
    ),
    Case(
        "brackets of 10,000 levels",
        (*DEMO, "--set", f"epochs={'[' * 10_000}"),
        ("epochs must be a whole number", "got '[[[", "Leave epochs out for the default"),
    ),
    Case(
        "epochs and steps",
        (*DEMO, "--epochs", "3", "--steps", "4"),
        ("epochs and steps must not both be given", "got 3 and 4", "Give one of them"),
    ),
]

CONFIGS = [
    Case(
        "no such file",
        ("adapt", "--config", "no.toml"),
        ("config must be a file that can be read", "got no.toml (No such file", "Check the spelling"),
    ),
    Case(
        "a folder",
        ("adapt", "--config", "."),
        ("config must be a file that can be read", "Is a directory", "Check the spelling"),
    ),
    *(
        Case(
            name,
            (command, "--config", "recipe.toml"),
            says,
            text("recipe.toml", content),
        )
        for name, command, content, says in (
            ("no TOML", "adapt", "task =", ("config must be TOML", "got recipe.toml", "quotes round text")),
            ("no text", "adapt", b"\xff\xfe", ("config must be TOML", "got recipe.toml", "name = value")),
            (
                "a huge number",
                "adapt",
                "seed = " + "1" * 5000,
                ("config must be TOML", "4300 digits", "name = value"),
            ),
            ("deep brackets", "adapt", "a = " + "[" * 5000, ("config must be TOML", "recursion", "name = value")),
            (
                "a deep table",
                "adapt",
                "a." * 5000 + "b = 1",
                ("option must be a known name", "got 'a'", "Did you mean"),
            ),
            (
                "a zero byte",
                "adapt",
                'source = "a\\u0000"\ntarget = "b"',
                ("source must be a folder or file", "x00", "Check"),
            ),
            ("a date", "adapt", "epochs = 2020-01-01", ("epochs must be a whole number", "got datetime", "Leave")),
            ("not a number", "adapt", "lr = nan", ("lr must be a finite number", "got nan", "Leave lr out")),
            ("a table", "adapt", "[epochs]\na = 1", ("epochs must be a whole number", "got {'a': 1}", "Leave")),
            ("a list", "adapt", 'source = [["a"]]', ("source must be text", "got ['a']", "Leave source out")),
            (
                "no table",
                "adapt",
                "training = 5",
                ("training must be a table of options", "got 5", "Write [training]"),
            ),
            ("a typo", "adapt", "[training]\nepoch = 5", ("option must be a known name", "'epoch'", "Did you mean")),
            ("no rows", "compare", 'task = "demo"', ("methods must be given", "got nothing", "Give --task and")),
            (
                "rows as a list",
                "compare",
                'methods = ["dann"]',
                ("methods must be a table", "got ['dann']", "[methods."),
            ),
            (
                "tasks of many levels",
                "compare",
                "task." * 5000 + "a = 1\n[methods.mcc]",
                ("task must be a name or a list", "got {'task': {", "For example"),
            ),
            (
                "a label budget of many levels",
                "adapt",
                "label_budget." * 5000 + "a = 1",
                ("label_budget must be text", "got {'label_budget': {", "Leave label_budget out"),
            ),
            (
                "tasks as a number",
                "compare",
                "task = 5\n[methods.mcc]",
                ("task must be a name", "got 5", "For example"),
            ),
            (
                "seeds in words",
                "compare",
                ROW + 'seeds = "x"',
                ("seeds must be a whole number", "got 'x'", "Leave seeds"),
            ),
            (
                "fewer than no seeds",
                "compare",
                ROW + "seeds = -1",
                ("seeds must be at least 1", "got -1", "Leave seeds"),
            ),
            ("a row's method", "compare", ROW + "method = 5", ("method must be text", "got 5", "Leave method out")),
            (
                "an unknown row",
                "compare",
                ROW + "[methods.mcd-x]",
                ("method must be a known name", "'mcd-x'", "Did you"),
            ),
            (
                "a row's option",
                "compare",
                ROW + "[methods.mcd]\nn = 0",
                ("n must be at least 1", "got 0", "Leave n out"),
            ),
            ("a row's lr", "compare", ROW + "lr = -1", ("lr must be greater than 0", "got -1", "Leave lr out")),
            (
                "a row's network",
                "compare",
                ROW + 'network = "x"',
                ("network must be a known name", "got 'x'", "Known:"),
            ),
            (
                "a published text",
                "compare",
                ROW + 'published = "93"',
                ("published must be a table", "got '93'", "Leave"),
            ),
            (
                "a source missing",
                "compare",
                ROW + "published = {value = 1}",
                ("published.source must be given", "got nothing", "Leave"),
            ),
            (
                "a seed chosen",
                "compare",
                ROW.replace("[", "[training]\nseed = 3\n[", 1),
                ("seed must not be set", "got 3", "--seeds"),
            ),
            (
                "a path as a row",
                "compare",
                ROW + "[methods.'../x']\nmethod = 'mcc'",
                ("name must be a plain name", "got '../x'", "no slash"),
            ),
            (
                "a path as an id",
                "compare",
                "id = '../../x'\n" + ROW,
                ("id must be a plain name", "got '../../x'", "no slash"),
            ),
            (
                "an id of 200 letters",
                "compare",
                f"id = '{'x' * 200}'\n" + ROW,
                ("id must have at most 150", "got 'xxx", "folder's name"),
            ),
            (
                "a second task",
                "compare",
                ROW.replace('"demo"', '["demo", "dmo"]'),
                ("task must be a known name", "got 'dmo'", "Did you mean 'demo'"),
            ),
        )
    ),
]

RUNS = [
    Case("no run to resume", ("resume", "nowhere"), NO_RUN, call=lambda: adaptation.resume("nowhere")),
    Case("no run to load", ("evaluate", "nowhere", "--data", "x"), NO_RUN, call=lambda: ac.load("nowhere")),
    Case("no run to predict with", ("predict", "nowhere", "x", "--out", "a.csv"), NO_RUN),
    Case("no run to report", ("report", "nowhere"), NO_RUN, call=lambda: ac.Run("nowhere")),
    Case(
        "a table as a run",
        ("report", "target.csv"),
        ("run must be the folder of a run", "got 'target.csv'", "prints"),
    ),
    Case(
        "a finished run resumed",
        ("resume", "run"),
        ("run must be unfinished to be resumed", "got one that finished at", "See: acclimate report run"),
        lambda: Path("run/report.html").touch(),
        call=lambda: adaptation.resume("run"),
    ),
    Case(
        "an unfinished run used",
        ("evaluate", "run", "--data", "source.csv"),
        ("run must be finished", "got 'run'", "Go on with: acclimate resume run"),
        lambda: Path("run/summary.json").unlink(),
        lambda: ac.load("run"),
    ),
    Case(
        "a run without weights",
        ("evaluate", "run", "--data", "source.csv"),
        ("run must still have its weights", "got none in run/checkpoints", "train one with acclimate adapt"),
        lambda: shutil.rmtree("run/checkpoints"),
        lambda: ac.load("run"),
    ),
    Case(
        "other data on resuming",
        ("resume", "run"),
        (
            "source and source_test must hold the same data as when the run began",
            "got other content",
            "Restore the data",
        ),
        all_of(lambda: Path("run/summary.json").unlink(), lambda: table("source.csv")),
    ),
    Case(
        "nothing to score on",
        ("evaluate", "run", "--data", "target.csv"),
        ("data must be labelled to be scored", "got 40 unlabelled examples", "Give class folders"),
    ),
    Case(
        "pictures for a model of tables",
        ("evaluate", "run", "--data", "pictures"),
        ("data must hold features, as in training", "got images", "same kind"),
        lambda: pictures("pictures"),
    ),
    Case(
        "arrays of another width",
        ("predict", "run", "wide.npz", "--out", "a.csv"),
        ("data must have 2 features, as in training", "got 5", "same columns"),
        lambda: np.savez("wide.npz", X=np.ones((4, 5))),
    ),
    Case(
        "columns missing",
        ("predict", "run", "thin.csv", "--out", "a.csv"),
        (
            "thin.csv must have the 2 feature columns of the source",
            "got none called y",
            "Add it, or leave it out of the source",
        ),
        lambda: table("thin.csv", classes=0, y=None),
    ),
    Case(
        "nothing to predict",
        ("predict", "run", "nowhere.csv", "--out", "a.csv"),
        ("data must be a folder or file that exists", "got 'nowhere.csv'", "Did you mean 'source.csv'"),
    ),
    Case(
        "predictions as a spreadsheet",
        ("predict", "run", "target.csv", "--out", "a.xlsx"),
        ("out must end in .parquet or .csv", "got 'a.xlsx'", "For example: --out answers.csv"),
    ),
    Case(
        "predictions over a file",
        ("predict", "run", "target.csv", "--out", "source.csv"),
        ("out must not exist yet", "got 'source.csv'", "Remove it or choose another"),
    ),
    Case(
        "predictions into no folder",
        ("predict", "run", "target.csv", "--out", "no/a.csv"),
        ("out must lie in a folder that exists", "got 'no/a.csv'", "Make the folder first"),
    ),
    Case(
        "weights cut short",
        ("evaluate", "run", "--data", "source.csv"),
        (
            "the checkpoint run/checkpoints/step-00000002.safetensors has",
            "bytes instead of",
            "Restore it from a copy",
        ),
        cut("run/checkpoints/step-00000002.safetensors", nothing),
        lambda: ac.load("run"),
        exit_code=1,
    ),
    Case(
        "a pickle in place of weights",
        ("evaluate", "run", "--data", "source.csv"),
        (
            "the checkpoint run/checkpoints/step-00000002.safetensors has",
            "bytes instead of",
            "Restore it from a copy",
        ),
        text("run/checkpoints/step-00000002.safetensors", pickle.dumps({"nets/x": 1})),
        lambda: ac.load("run"),
        exit_code=1,
    ),
    Case(
        "a record cut short",
        ("evaluate", "run", "--data", "source.csv"),
        ("run/config.json has", "bytes instead of", "Restore it from a copy"),
        cut("run/config.json", nothing),
        lambda: ac.load("run"),
        exit_code=1,
    ),
]

RUNS += [
    Case(
        "texts for a model of features",
        ("predict", "run", "a.jsonl", "--out", "answers.csv"),
        ("data must hold features, as in training", "got text", "same kind"),
        text("a.jsonl", '{"text": "a"}'),
    ),
]

CATALOG = [
    Case(
        "an unknown data set",
        ("data", "get", "mnits"),
        ("data set must be a known name", "got 'mnits'", "Did you mean 'mnist'"),
    ),
    Case(
        "an unknown data set explained",
        ("data", "info", "x"),
        ("data set must be a known", "got 'x'", "such as amazon_bow", "all of them: acclimate data list"),
    ),
    Case(
        "an unknown split",
        ("data", "get", "mnist", "--split", "tset"),
        ("split of mnist must be a known name", "got 'tset'", "Did you mean 'test'"),
    ),
    Case(
        "no folder of packs",
        ("data", "import", "nowhere"),
        ("nowhere must be a folder of packs", "got no such folder", "It should contain files such as"),
    ),
    Case(
        "an unknown method explained", ("methods", "mcdd"), ("method must be a known name", "got 'mcdd'", "Did you")
    ),
    Case(
        "an official file cut short",
        ("adapt", "--task", "mnist-mnist_m"),
        ("train-images-idx3-ubyte.gz must be a readable file", "got EOFError", "Delete it and get it again"),
        lambda: mnist_cut_short(Path("data/raw/mnist")),
        environment={"ACCLIMATE_DATA": "data"},
    ),
    Case("a comparison of nothing", ("compare",), ("task must be given", "got nothing", "Give --task and --methods")),
    Case(
        "a comparison of methods",
        ("compare", "--methods", "mcc"),
        ("task must be given", "got nothing", "Give --task"),
    ),
    Case(
        "a comparison on a task",
        ("compare", "--task", "demo"),
        ("methods must be given", "got nothing", "Give --task"),
    ),
]


def type_in(command: Command, case: Case, patch: pytest.MonkeyPatch) -> None:
    """Type a case both ways and hold what is said and left against it."""
    case.make()
    for name, value in case.environment.items():
        patch.setenv(name, str(Path(value).absolute()))
    before = everything()
    said = command(*case.words)
    assert said.code == case.exit_code, said.err
    assert not said.out
    message = " ".join(said.err.split())
    assert message.startswith("Error: ")
    assert "Traceback" not in message
    assert pieces_in_order(message, case.says), message
    assert everything() == before
    with pytest.raises(AcclimateError) as caught:
        command("--debug", *case.words)
    assert " ".join(str(caught.value).split()) in message
    if case.exit_code == 2:
        assert isinstance(caught.value, RequestError)
        assert all(map(str, (caught.value.argument, caught.value.rule, caught.value.got, caught.value.fix)))
    if case.call is not None:
        with pytest.raises(AcclimateError) as caught:
            case.call()
        assert caught.value.exit_code == case.exit_code
        assert pieces_in_order(" ".join(str(caught.value).split()), case.says[1:]), caught.value


def pieces_in_order(message: str, pieces: tuple[str, ...]) -> bool:
    at = 0
    for piece in pieces:
        at = message.find(piece, at)
        if at < 0:
            return False
    return True


def everything() -> dict[str, int]:
    """Every file and folder below the current one, with its size."""
    return {str(p): p.lstat().st_size if p.is_file() else -1 for p in Path().rglob("*")}


def mnist_cut_short(folder: Path) -> None:
    folder.mkdir(parents=True)
    images = gzip.compress(struct.pack(">4BIII", 0, 0, 8, 3, 9, 28, 28) + RNG.bytes(9 * 28 * 28))
    labels = gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, 9) + bytes(9))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(images[: len(images) // 2])
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(labels)


def named(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.mark.parametrize("case", named([*DATA, *TEXT_DATA, *OUTPUT, *ABOUT, *CONFIGS, *CATALOG]))
def test_a_mistake_gets_a_sentence(acclimate: Command, monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    type_in(acclimate, case, monkeypatch)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, its tables beside it."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        pair()()
        training = {"steps": 2, "batch_size": 8, "precision": "fp32"}
        request = Request(
            source="source.csv", target="target.csv", label_column="kind", training=training, method="mcc"
        )
        adaptation.adapt(request.model_copy(update={"baseline": False}), "run")
    return folder


@pytest.mark.parametrize("case", named(RUNS))
def test_a_mistake_with_a_run_gets_a_sentence(
    acclimate: Command, monkeypatch: pytest.MonkeyPatch, finished_run: Path, tmp_path: Path, case: Case
) -> None:
    shutil.copytree(finished_run, tmp_path, dirs_exist_ok=True)
    type_in(acclimate, case, monkeypatch)


def test_a_name_too_long_for_any_folder_is_no_run(acclimate: Command) -> None:
    said = acclimate("report", "x" * 300)
    assert said.code == 2
    assert said.err.startswith("Error: run must be the folder of a run")


# Every option of training and of every method, found out and given what it cannot take


def wrong_values(option: FieldInfo) -> Iterator[Any]:
    """Values of the wrong type, and just outside the range, as JSON writes them."""
    kinds = [kind for kind in (get_args(option.annotation) or (option.annotation,)) if kind is not type(None)]
    if get_origin(option.annotation) is Literal or any(get_origin(kind) is Literal for kind in kinds):
        yield from ("banana", 7, True)
        return
    if tuple in map(get_origin, (option.annotation, *kinds)):
        yield from ("banana", 7, ["banana"], [-1])
        return
    yield [1, 2]
    if str in kinds:
        yield from (7, True)
    if bool in kinds:
        yield from ("maybe", 7)
    if int in kinds:
        yield from ("banana", 1.5, True, "")
    if float in kinds:
        yield from ("banana", True, "nan", "inf", "")
    for bound in option.metadata:
        if isinstance(bound, Ge):
            yield bound.ge - 1
        elif isinstance(bound, Gt):
            yield bound.gt
        elif isinstance(bound, Le):
            yield bound.le + 1
        elif isinstance(bound, Lt):
            yield bound.lt


METHODS = discovery.methods()
OPTIONS = [("mcd", name, option) for name, option in TrainingOptions.model_fields.items()] + [
    (method, name, option)
    for method, component in METHODS.items()
    for name, option in component.load().model_fields.items()
]


@pytest.mark.parametrize(("method", "name", "option"), [pytest.param(*o, id=f"{o[0]}-{o[1]}") for o in OPTIONS])
def test_every_option_refuses_what_it_cannot_take(
    acclimate: Command, method: str, name: str, option: FieldInfo
) -> None:
    pair()()
    before = everything()
    assert option.description, "a refused option is explained by its description"
    for value in wrong_values(option):
        words = (*TABLES, "-m", method, "--set", f"{name}={json.dumps(value)}")
        said = acclimate(*words)
        message = " ".join(said.err.split())
        assert said.code == 2, (value, message)
        assert message.startswith(f"Error: {name}"), message
        assert pieces_in_order(message, (" must be ", "; got ", f"{option.description} Leave {name} out"))
        assert "input should" not in message, "a sentence of pydantic's"
        assert everything() == before
        with pytest.raises(RequestError) as caught:
            getattr(ac, METHODS[method].class_name)(**{name: value}).fit(([[0.0], [1.0]], [0, 1]), [[0.0], [1.0]])
        assert caught.value.argument.split(".")[0] == name


def test_there_are_options_to_try() -> None:
    assert len(OPTIONS) > 20
    assert all(len(list(wrong_values(option))) >= 2 for _, _, option in OPTIONS)


# Every command's own options, as the parser of the command line refuses them


def callbacks(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    """Every command's words and its function."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__.replace("_", "-")), command.callback
    for below in group.registered_groups:
        yield from callbacks(below.typer_instance, (*path, below.name))


def wrong_words(callback: Callable[..., Any]) -> Iterator[tuple[str, ...]]:
    """What a command cannot be followed by."""
    yield ("--no-such-option",)
    parameters = inspect.signature(callback, eval_str=True).parameters.values()
    if not any(get_origin(get_args(parameter.annotation)[0]) is list for parameter in parameters):
        yield ("a", "b", "c", "d")
    if any(parameter.default is parameter.empty for parameter in parameters):
        yield ()
    for parameter in parameters:
        kind, info = get_args(parameter.annotation)
        if not isinstance(info, OptionInfo):
            continue
        declared = [word for word in info.param_decls or () if word.startswith("--")]
        option = declared[0].partition("/")[0] if declared else f"--{parameter.name.replace('_', '-')}"
        kinds = {kind, *get_args(kind)}
        yield (f"{option}=3",) if bool in kinds else (option,)
        if kinds & {int, float}:
            yield (option, "banana")


COMMANDS = dict(callbacks(app))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_refuses_what_it_does_not_know(
    acclimate: Command, tmp_path: Path, path: tuple[str, ...]
) -> None:
    for words in wrong_words(COMMANDS[path]):
        said = acclimate(*path, *words)
        assert said.code == 2, (words, said.out, said.err)
        assert "Error: " in said.err
        assert words[:1] in [(), ("a",)] or words[0].partition("=")[0] in said.err
        assert any(
            p in said.err for p in ("-h' for help", "must be a known name", "requires an argument", "does not take")
        ), said.err
        assert "Traceback" not in said.err
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("adpat",), "No such command 'adpat'. Did you mean 'adapt'"),
        (("data", "gte"), "No such command 'gte'. Did you mean 'get'"),
        (("compare", "--jobs", "0"), "Invalid value for '--jobs'"),
        (("compare", "--seeds", "0"), "Invalid value for '--seeds'"),
    ],
)
def test_the_command_line_itself(acclimate: Command, words: tuple[str, ...], sentence: str) -> None:
    said = acclimate(*words)
    assert said.code == 2
    assert sentence in said.err


# What is no mistake, but wants a word


@dataclass(frozen=True)
class Oddity:
    """Data that can be worked with, and what is said about them."""

    name: str
    make: Callable[[], None]
    words: tuple[str, ...]
    notes: tuple[str, ...]


def broken_pictures() -> None:
    folders()()
    Path("source/a/1.png").write_bytes(b"no picture")
    Path("target/2.png").write_bytes(Path("target/2.png").read_bytes()[:60])


def shared_rows() -> None:
    table("source.csv")
    lines = Path("source.csv").read_text().splitlines()
    Path("target.csv").write_text(
        "\n".join(["x,y", *(line.rpartition(",")[0] for line in lines[1:11]), "9,9"]) + "\n"
    )
    Path("test.csv").write_text("\n".join(["x,y,kind", "9,9,k0", *lines[1:4]]) + "\n")


def odd_reviews() -> None:
    reviews(labelled_review(0), labelled_review(1, label="0"), {"text": "", "label": 1}, label_of_stars(), "")()
    with Path("source.jsonl").open("ab") as file:
        file.write(json.dumps({"text": f"café {GOOD} 5 €", "label": 1}, ensure_ascii=False).encode("cp1252"))
    json_lines("test.jsonl", labelled_review(0), {"text": f"{GOOD} spoon", "label": 1})


def label_of_stars() -> dict[str, Any]:
    return {"text": f"{GOOD} " * 300, "label": "1", "stars": 5}


ODDITIES = [
    Oddity(
        "a class on the source only",
        all_of(pair(classes=3), lambda: table("target.csv")),
        TABLES,
        ("Only the source has the class 'k2'; adaptation may pull target examples into it.",),
    ),
    Oddity(
        "a class on the target only",
        target(classes=3),
        TABLES,
        ("Only the target has the class 'k2'; no model trained on this source can predict that",),
    ),
    Oddity(
        "grey against colour",
        folders(colour=True),
        FOLDERS,
        ("The source is grey and the target in colour, which alone tells them apart",),
    ),
    Oddity(
        "small against large",
        folders(side=16),
        FOLDERS,
        ("Images of the source have 8 pixels a side and those of the target 16; resized to one size",),
    ),
    Oddity(
        "wildly different sizes",
        all_of(folders(), lambda: picture("target/large.png", side=100)),
        (*FOLDERS, "--network", "tiny"),
        ("target: sizes differ widely: short sides from 8 to 100 pixels.",),
    ),
    Oddity(
        "images that do not open",
        broken_pictures,
        FOLDERS,
        (
            "source: 11 of 12 images were kept; not these: a/1.png (not an image of a known format).",
            "target: 5 of 6 images were kept; not these: 2.png (",
        ),
    ),
    Oddity(
        "rows of the source in the target and in the test",
        shared_rows,
        (*TABLES, "--target-test", "test.csv"),
        (
            "10 target examples stand in the source too, so training has seen them with their labels.",
            "3 target test examples stand in the source too, so the score on them is not a fair one.",
            "4 target test examples stand in the target too, so training has seen them, if without their labels.",
        ),
    ),
    Oddity(
        "rows twice in the source",
        lambda: (table("source.csv", x=[1.0] * 40, y=[0.0, 1.0] * 20), table("target.csv", classes=0)),  # type: ignore[arg-type, return-value, func-returns-value]
        TABLES,
        ("4 source test examples stand in the source too, so the score on the source is not a fair one.",),
    ),
    Oddity(
        "fewer examples than a batch",
        target(rows=5),
        TABLES,
        ("Fewer examples than a batch of 8 holds: target (5).",),
    ),
    Oddity(
        "columns that the source does not have",
        target(z=list(range(40))),
        TABLES,
        ("target: columns that the source does not have were left out: z.",),
    ),
    Oddity(
        "values that the source does not have",
        all_of(pair(c=["u", "v"] * 20), lambda: table("target.csv", classes=0, c=["u", "w"] * 20)),
        TABLES,
        ("column 'c' has values that the source does not have ('w') in 20 rows; they are encoded as zeros.",),
    ),
    Oddity(
        "texts of every kind",
        odd_reviews,
        (*TEXTS, "--target-test", "test.jsonl"),
        (
            "source: lines that are not UTF-8 and were read as Windows-1252: 1.",
            "source: blank lines were left out: 1.",
            "source: columns besides the texts and their labels were left out: stars.",
            "source: empty texts: 1 of 45; they stay, and are answered like any other.",
            "source: 2 of 45 texts were left out: 2 repeat another one.",
            "source: texts whose copies have different labels: 1; the first label was kept.",
            "target_test: 1 of 2 texts were left out: 1 stand in source.",
            "Of long texts the first 500 words are read: 1 of source.",
        ),
    ),
    Oddity(
        "stars",
        all_of(
            reviews(),
            lambda: json_lines("source.jsonl", *(labelled_review(i, label=[1.0, "5", 3][i % 3]) for i in range(40))),
        ),
        TEXTS,
        ("source: labels look like stars; they are 3 classes.",),
    ),
    Oddity(
        "texts beside other files",
        all_of(
            lambda: text_files("source", each=2),
            lambda: text_files("target", classes=()),
            text("source/good/notes.doc", "x"),
        ),
        FOLDERS,
        ("source: files left out because they are no texts: 1 .doc.",),
    ),
    Oddity(
        "a table of sentences that is read as one of categories",
        all_of(
            pair(said=["this is what they all say"] * 20 + ["and this is what nobody says"] * 20),
            lambda: table("target.csv", classes=0, said=["this is what they all say"] * 40),
        ),
        TABLES,
        ("column 'said' holds texts of several words", "to learn from their words, add --text-column said."),
    ),
]


@pytest.mark.parametrize("oddity", [pytest.param(o, id=o.name) for o in ODDITIES])
def test_what_is_odd_runs_and_is_said(acclimate: Command, oddity: Oddity) -> None:
    oddity.make()
    said = acclimate(*oddity.words, "-m", "mcc", "--out", "run", *QUICK)
    assert said.code == 0, said.err
    shown = " ".join(said.out.split())
    report = " ".join(Run("run").config["task"]["notes"])
    for note in oddity.notes:
        assert note in shown
        assert note in report


# Disks


def mounted(place: Path, options: str) -> Iterator[Path]:
    place.mkdir()
    asked = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True
    )
    if asked.returncode:
        pytest.skip(f"no small disk can be mounted here: {asked.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a record, and for no weights."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    yield from mounted(tmp_path / "disk", "size=24k")


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True, capture_output=True)


def test_a_full_disk_is_told_and_the_run_goes_on_with_room(acclimate: Command, disk: Path) -> None:
    pair()()
    said = acclimate(*TABLES, "-m", "mcc", "--out", "disk/run", *QUICK)
    assert said.code == 1
    assert "Error: Cannot write disk/run/" in said.err
    assert "No space left on device" in said.err
    assert "Free some space" in said.err
    assert "Traceback" not in said.err
    left = {p.name for p in disk.rglob("*")}
    assert not [name for name in left if name.endswith(".part")]
    assert "summary.json" not in left
    remount(disk, "size=20m")
    assert acclimate("resume", "disk/run").code == 0
    assert Run("disk/run").summary is not None


def test_a_disk_without_any_room_holds_no_run(acclimate: Command, disk: Path) -> None:
    pair()()
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    said = acclimate(*TABLES, "-m", "mcc", "--out", "disk/run", *QUICK)
    assert (said.code, said.out) == (1, "")
    assert "No space left on device" in said.err
    assert [p.name for p in disk.iterdir()] == ["filler"]


def test_a_read_only_disk_is_told(acclimate: Command, disk: Path, finished_run: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path, dirs_exist_ok=True)
    remount(disk, "ro")
    said = acclimate(*TABLES, "--out", "disk/run")
    assert said.code == 2
    assert "out must be a folder that can be written; got 'disk/run' (Read-only file system). Choose" in said.err
    said = acclimate("predict", "run", "target.csv", "--out", "disk/a.csv")
    assert said.code == 1
    assert "Cannot write disk/a.csv: Read-only file system. It can be read only: mount it for writing, or" in said.err
    assert not list(disk.iterdir())


def test_a_disk_that_fills_up_leaves_the_old_file(
    acclimate: Command, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without a small disk: the system reports that nothing more fits."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    shutil.copytree(finished_run, tmp_path, dirs_exist_ok=True)
    acclimate("report", "run")
    before = everything()
    monkeypatch.setattr(os, "fsync", full)
    for words in (("predict", "run", "target.csv", "--out", "a.parquet"), ("report", "run")):
        said = acclimate(*words)
        assert said.code == 1, said.err
        assert "No space left on device" in said.err
        assert everything() == before
    with pytest.raises(WorkError, match="No space left on device"):
        Run.create("new", {})
    assert everything() == before


# The rest of the house


def test_a_missing_extra_names_the_command_that_brings_it() -> None:
    error = MissingExtraError("timm", "hub")
    assert error.exit_code == 2
    assert isinstance(error, ImportError)
    assert str(error) == (
        "the package 'timm' must be installed for this; got no such module. Run: pip install 'acclimate[hub]'"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("adapt", "--source", "nowhere", "--target", "nowhere"),
        ("adapt", "--task", "demo", "--set", "epochs=many"),
        ("adapt", "--epochs", "many"),
        ("report", "x" * 300),
    ],
)
def test_a_true_process_says_the_same(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "acclimate", *words], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert said.returncode == 2
    assert said.stdout == ""
    assert "Error: " in said.stderr
    assert "Traceback" not in said.stderr
    assert not list(tmp_path.iterdir())
