"""Texts of the user's own, as a user types it: adapt, predict, evaluate."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import acclimate as ac
from acclimate.cli.request import make_request
from acclimate.runs.record import Run
from commands import Command

LEARN = (
    "--set", "optimizer=adam", "--lr", "0.01", "--steps", "80", "--batch-size", "16", "--precision", "fp32",
    "--method", "amn", "--set", "word_vectors=random", "--set", "evaluations=1", "--no-baseline", "--out", "run",
)  # fmt: skip
QUICK = (*LEARN, "--steps", "2")
WORDS = {"bad": ["terrible", "poor", "awful", "waste"], "good": ["great", "excellent", "best", "lovely"]}


def reviews(n: int, about: str, seed: int) -> tuple[list[str], list[str]]:
    """Texts that differ, and their classes."""
    rng = np.random.default_rng(seed)
    labels = [("bad", "good")[i % 2] for i in range(n)]
    texts = [
        f"{' '.join(rng.choice(WORDS[label], 3))} {' '.join(rng.choice(about.split(), 3))} {'x' * i}"
        for i, label in enumerate(labels)
    ]
    return texts, labels


SOURCE, TARGET = reviews(80, "book story chapter author", 0), reviews(60, "pan knife spoon story", 1)


def write(path: str, texts: list[str], labels: list[str] | None) -> None:
    """The same reviews as JSON lines, a table or a folder, by the name."""
    columns: dict[str, list[str]] = {"text": texts} | ({"label": labels} if labels else {})
    if path.endswith((".jsonl", ".gz")):
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        content = "\n".join(map(json.dumps, rows)).encode()
        Path(path).write_bytes(gzip.compress(content) if path.endswith(".gz") else content)
    elif path.endswith(".csv"):
        pl.DataFrame(columns).write_csv(path)
    elif path.endswith(".parquet"):
        pl.DataFrame(columns).write_parquet(path)
    else:
        for i, text in enumerate(texts):
            place = Path(path) / (labels[i] if labels else "")
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{i:03d}.txt").write_text(text)


def columns_of(path: str) -> tuple[str, ...]:
    return ("--text-column", "text") if path.endswith((".csv", ".parquet")) else ()


@pytest.mark.parametrize(
    ("source", "target"),
    [("a.jsonl", "b.jsonl"), ("a.jsonl.gz", "b"), ("a.csv", "b.jsonl"), ("a.parquet", "b.csv"), ("a", "b")],
)
def test_from_two_sides_to_predictions(acclimate: Command, tmp_path: Path, source: str, target: str) -> None:
    write(source, *SOURCE)
    write(target, TARGET[0], None)
    write("test.jsonl", *TARGET)
    said = acclimate("adapt", "--source", source, "--target", target, *columns_of(source), *LEARN)
    assert said.code == 0, said.err
    run = Run("run")
    assert run.config["method"]["name"] == "amn"
    assert run.config["task"]["schema"]["text_column"] == "text"

    said = acclimate("predict", "run", target, "--out", "answers.csv")
    assert said.code == 0, said.err
    answers = pl.read_csv("answers.csv")
    assert len(answers) == 60
    assert (answers["predicted"] == pl.Series(TARGET[1])).mean() > 0.9
    first = {"jsonl": "line 1", "csv": "line 2"}.get(target.rpartition(".")[2], "000.txt")
    assert answers["id"][0] == first

    said = acclimate("evaluate", "run", "--data", "test.jsonl", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["accuracy"] > 0.9
    assert ac.load("run").score(*TARGET) == json.loads(said.out)["accuracy"]


def test_no_row_is_lost_and_everything_odd_is_counted(acclimate: Command) -> None:
    write("a.jsonl", *SOURCE)
    write("b.jsonl", TARGET[0], None)
    assert acclimate("adapt", "--source", "a.jsonl", "--target", "b.jsonl", *QUICK).code == 0
    rows = [
        {"text": "great"},
        {"text": "great"},
        {"text": ""},
        {"text": None},
        {"text": "good " * 100_000, "id": "x"},
    ]
    Path("c.jsonl").write_bytes(
        "\n".join(map(json.dumps, rows)).encode() + b'\n\n{"text": "caf\xe9"}\n{"text": "12", "label": "good"}'
    )
    said = acclimate("predict", "run", "c.jsonl", "--out", "answers.parquet")
    assert said.code == 0, said.err
    assert pl.read_parquet("answers.parquet")["id"].to_list() == [
        "line 1", "line 2", "line 3", "line 4", "x", "line 7", "line 8",
    ]  # fmt: skip
    shown = " ".join(said.out.split())
    for note in (
        "data: lines that are not UTF-8 and were read as Windows-1252: 1.",
        "data: blank lines were left out: 1.",
        "data: empty texts: 2 of 7;",
        "Of long texts the first 500 words are read: 1 of data.",
    ):
        assert note in shown
    said = acclimate("predict", "run", "c.jsonl", "--out", "again.csv", "--json")
    assert len(json.loads(said.out)["notes"]) == 4
    said = acclimate("evaluate", "run", "--data", "c.jsonl")
    assert "Note: data: 6 of 7 examples have no label and are not scored." in " ".join(said.out.split())
    said = acclimate("evaluate", "run", "--data", "c.jsonl", "--json")
    assert (json.loads(said.out)["n"], len(json.loads(said.out)["notes"])) == (1, 5)


def test_columns_have_one_name_as_flags_in_a_file_and_as_settings(acclimate: Command) -> None:
    for name, (texts, labels) in (("a", SOURCE), ("b", TARGET)):
        pl.DataFrame({"review": texts, "mood": labels, "n": range(len(texts))}).write_csv(f"{name}.csv")
    Path("recipe.toml").write_text(
        'source = "a.csv"\ntarget = "b.csv"\ntext_column = "review"\nlabel_column = "mood"\n[training]\nwords = 3\n'
    )
    said = acclimate("adapt", "--config", "recipe.toml", *QUICK)
    assert said.code == 0, said.err
    config = Run("run").config
    assert config["request"]["text_column"] == "review"
    assert config["method"]["name"] == "amn"
    assert config["preprocess"]["limit"] == 3
    assert config["task"]["schema"] == {"text_column": "review", "label_column": "mood", "id_column": None}
    assert "Of long texts the first 3 words are read: 72 of source" in " ".join(config["task"]["notes"])
    assert Run("run").summary["scores"].keys() >= {"target_accuracy"}
    assert acclimate("predict", "run", "b.csv", "--out", "p.csv").code == 0
    Path("c.csv").write_text("body\ngreat\n")
    said = acclimate("predict", "run", "c.csv", "--out", "q.csv")
    assert said.code == 2
    assert "c.csv must have a column 'review' that holds the texts; got only body." in " ".join(said.err.split())
    assert acclimate("predict", "run", "c.csv", "--text-column", "body", "--out", "q.csv").code == 0


def test_without_copies_from_the_split_on(acclimate: Command) -> None:
    """Every source text stands there twice: none may be on both sides of the split, nor in the test."""
    texts, labels = SOURCE
    write("a.jsonl", [*texts, *(text.upper() for text in texts)], labels * 2)
    write("b.jsonl", [*TARGET[0], TARGET[0][0]], None)
    write("t.jsonl", [texts[0], *TARGET[0][:4], TARGET[0][0]], [labels[0], *TARGET[1][:4], "good"])
    said = acclimate("adapt", "--source", "a.jsonl", "--target", "b.jsonl", "--target-test", "t.jsonl", *QUICK)
    assert said.code == 0, said.err
    task = Run("run").config["task"]
    assert task["sizes"] == {"source": 72, "target": 61, "source_test": 8, "target_test": 4}
    notes = " ".join(task["notes"])
    assert "source: 80 of 160 texts were left out: 80 repeat another one." in notes
    assert "target_test: 2 of 6 texts were left out: 1 repeat another one and 1 stand in source." in notes
    assert "target_test: texts whose copies have different labels: 1; the first label was kept." in notes
    assert "source test examples stand in the source" not in notes
    assert pl.read_parquet("run/predictions.parquet").group_by("split").len().sort("split").rows() == [
        ("target", 61),
        ("target_test", 4),
    ]


def test_a_run_goes_on_with_the_same_texts_and_not_with_others(acclimate: Command) -> None:
    write("a.jsonl", *SOURCE)
    write("b.jsonl", TARGET[0], None)
    assert acclimate("adapt", "--source", "a.jsonl", "--target", "b.jsonl", *QUICK).code == 0
    Path("run/summary.json").unlink()
    write("b.jsonl", [*TARGET[0][:-1], "another"], None)
    said = acclimate("resume", "run")
    assert said.code == 2
    assert "target must hold the same data as when the run began" in " ".join(said.err.split())
    write("b.jsonl", TARGET[0], None)
    assert acclimate("resume", "run").code == 0


def test_a_plan_of_texts(acclimate: Command) -> None:
    write("a.jsonl", *SOURCE)
    write("b.jsonl", TARGET[0], None)
    said = acclimate("adapt", "--source", "a.jsonl", "--target", "b.jsonl", "--dry-run", "--json")
    assert said.code == 0, said.err
    plan = json.loads(said.out)
    assert plan["domains"]["source"] == "72 texts, 72 labelled"
    assert plan["input"] == "the first 500 words of a text, of 70 known words"  # the full stop is one
    assert plan["method"] == "ngram-memory"


@pytest.mark.parametrize(
    ("about", "method"),
    [
        ({"task": "demo"}, "mcd"),
        ({"task": "amazon:books-dvd"}, "ngram-memory"),
        ({"source": "a.jsonl"}, "ngram-memory"),
        ({"source": "a.csv"}, "mcd"),
        ({"source": "a.csv", "text_column": "x"}, "ngram-memory"),
        ({"source": "texts"}, "ngram-memory"),
        ({"source": "nowhere"}, "mcd"),
        ({"source": "a.jsonl", "method": "dann"}, "dann"),
        ({}, "mcd"),
    ],
)
def test_the_method_where_none_is_named(
    about: dict[str, Any], method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").touch()
    (tmp_path / "a.csv").touch()
    assert make_request({}, about, []).method == method
