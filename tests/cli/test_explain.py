"""Which words carried the answers, as a user asks for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import two_vocabularies
from acclimate.data.task import Task
from acclimate.runs.record import Run
from commands import Command

QUICK = (
    "--steps",
    "30",
    "--batch-size",
    "32",
    "--set",
    "word_vectors=random",
    "--set",
    "optimizer=adam",
    "--lr",
    "0.01",
)
HOSTILE = ("<script>alert(1)</script> great", "", "pan " * 2_000 + "awful", "שלום 🙂 great")


def write_lines(domain: Domain, labels: np.ndarray | None, path: Path) -> None:
    texts = list(to_texts(domain.rows))
    rows: list[dict[str, Any]] = [{"text": text} for text in texts]
    for row, label in zip(rows, labels if labels is not None else (), strict=False):
        row["label"] = domain.classes[label]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def reviews(tmp_path: Path) -> Task:
    """books.jsonl with labels, kitchen.jsonl without, more.jsonl with, and hostile.jsonl."""
    task = two_vocabularies(60)
    write_lines(task.source, task.source.labels, tmp_path / "books.jsonl")
    write_lines(task.target, None, tmp_path / "kitchen.jsonl")
    write_lines(task.target_test, task.hidden.target_test, tmp_path / "more.jsonl")
    write_lines(Domain(list(HOSTILE)), None, tmp_path / "hostile.jsonl")
    return task


def adapted(acclimate: Command, *words: str) -> None:
    said = acclimate(
        "adapt", "--source", "books.jsonl", "--target", "kitchen.jsonl", "-m", "amn", "--out", "run",
        "--no-baseline", "--lr", "0.01", *QUICK, *words,
    )  # fmt: skip
    assert said.code == 0, said.err


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_from_reviews_to_coloured_words(acclimate: Command, reviews: Task) -> None:
    adapted(acclimate, "--target-test", "more.jsonl")
    content = Run("run").words
    assert content is not None
    assert content["target"]["pivots"]["scored"]
    report = Run("run").report_path.read_text(encoding="utf-8")
    assert "Which words carried the decision" in report
    assert re.search(r"Attention did not matter|The answers rest on", report)

    said = acclimate("predict", "run", "more.jsonl", "--out", "answers.csv", "--explain")
    assert said.code == 0, said.err
    assert "answers.words.jsonl" in said.out
    assert "answers.words.html" in said.out
    answers, words = pl.read_csv("answers.csv"), lines("answers.words.jsonl")
    assert [row["predicted"] for row in words] == answers["predicted"].to_list()
    assert [row["id"] for row in words] == [str(i) for i in answers["id"]]
    classes = reviews.source.classes
    assert [row["label"] for row in words] == [classes[y] for y in reviews.hidden.target_test]
    assert [row["tokens"] for row in words] == [text.split() for text in to_texts(reviews.target_test.rows)]
    assert all(sum(row["weights"]) == pytest.approx(1, abs=1e-4) for row in words)
    page = Path("answers.words.html").read_text(encoding="utf-8")
    assert "60 texts were answered" in page
    assert "AMN trained on" in page


def test_the_shortest_command(acclimate: Command, reviews: Task) -> None:
    adapted(acclimate)
    said = acclimate("predict", "run", "hostile.jsonl", "--explain", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["out"] == "hostile-answers.parquet"
    assert found["words"] == ["hostile-answers.words.jsonl", "hostile-answers.words.html"]
    assert len(pl.read_parquet(found["out"])) == len(HOSTILE)
    markup, empty, long, other = lines(found["words"][0])
    assert markup["tokens"] == ["great"]
    assert empty["tokens"] == []
    assert (long["length"], len(long["tokens"])) == (2_001, 500)
    assert other["known"] == [False, False, True]
    page = Path(found["words"][1]).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "label:" not in page
    assert "1,501 more were not read" in page


def test_nothing_is_overwritten(acclimate: Command, reviews: Task, tmp_path: Path) -> None:
    (tmp_path / "a.words.html").write_text("mine")
    said = acclimate("predict", "nowhere", "more.jsonl", "--out", "a.parquet", "--explain")
    assert said.code == 2
    assert "out must not exist yet; got 'a.words.html'" in said.err
    assert (tmp_path / "a.words.html").read_text() == "mine"
    assert not (tmp_path / "a.parquet").exists()


def test_a_model_that_cannot_tell_says_so(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    acclimate("adapt", *sides, "-m", "source-only", "--steps", "3", "--batch-size", "8", "--out", "run")
    said = acclimate("predict", "run", tables["target"], "--out", "a.csv", "--explain")
    assert said.code == 2
    assert "explain needs a model of texts that weighs their words; got one of features" in said.err
    assert "Leave --explain out" in said.err
    assert not (tmp_path / "a.csv").exists()
    assert not (tmp_path / "run" / "words.json").exists()
