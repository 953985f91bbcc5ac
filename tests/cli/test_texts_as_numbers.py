"""`--text-features tfidf` from the command line: a method for tables, its baseline, its answers, its export."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import two_vocabularies
from acclimate.runs.record import Run
from commands import Command
from exporting import answers_alone, same_answers


def test_a_method_for_tables_on_reviews(acclimate: Command) -> None:
    task = two_vocabularies(60)
    for name, side, labels in (("books", task.source, task.source.labels), ("kitchen", task.target, None)):
        rows = [{"text": text} for text in to_texts(side.rows)]
        for row, label in zip(rows, labels if labels is not None else [], strict=False):
            row["label"] = task.classes[label]
        Path(f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    sides = ("--source", "books.jsonl", "--target", "kitchen.jsonl")
    short = ("--steps", "5", "--batch-size", "16", "--precision", "fp32", "--set", "evaluations=1")
    said = acclimate("adapt", *sides, "-m", "linear-coral", "--text-features", "tfidf", *short, "--out", "run")
    assert said.code == 0, said.err
    run = Run("run")
    assert (run.config["network"], run.config["training"]["text_features"]) == ("bag-of-words", "tfidf")
    assert run.baseline is not None
    assert run.baseline.config["method"]["name"] == "source-only"
    assert acclimate("predict", "run", "kitchen.jsonl", "--out", "answers.csv").code == 0
    assert len(pl.read_csv("answers.csv")) == 60
    told = acclimate("predict", "run", "kitchen.jsonl", "--explain", "--out", "explained.csv")
    assert told.code == 2
    assert "Traceback" not in told.err
    out = acclimate("export", "run", "model")
    assert out.code == 0, out.err
    same_answers(answers_alone(Path("model"), "kitchen.jsonl"), Path("answers.csv"))


def test_a_kind_that_there_is_not_is_refused(acclimate: Command) -> None:
    Path("books.jsonl").write_text(
        '{"text": "good pan", "label": "x"}\n{"text": "bad pan", "label": "y"}\n', encoding="utf-8"
    )
    said = acclimate("adapt", "--source", "books.jsonl", "--target", "books.jsonl", "--text-features", "bert")
    assert said.code == 2
    assert "text_features must be a known name; got 'bert'. Known: tfidf." in said.err
