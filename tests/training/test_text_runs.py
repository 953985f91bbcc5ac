"""Runs on texts of the user's own: what they are compared with, and what becomes of reviews without a label."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import two_vocabularies
from acclimate.reports.page import write_report
from acclimate.running.adaptation import adapt, load
from acclimate.runs.request import Request

Reviews = Callable[..., Request]


@pytest.fixture
def reviews(tmp_path: Path) -> Reviews:
    """A request on reviews of books and of kitchen tools; the first `unlabelled` of books have no label."""
    task = two_vocabularies(60)

    def request(method: str, unlabelled: int = 0, **training: object) -> Request:
        for side, name in (("source", "books"), ("target_test", "kitchen")):
            domain = getattr(task, side)
            labels = domain.labels if side == "source" else task.hidden.target_test
            rows = [{"text": text} for text in to_texts(domain.rows)]
            for row, label in list(zip(rows, labels, strict=True))[unlabelled if side == "source" else 0 :]:
                row["label"] = domain.classes[label]
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return Request(
            source=str(tmp_path / "books.jsonl"),
            target=str(tmp_path / "kitchen.jsonl"),
            method=method,
            training={"precision": "fp32", "device": "cpu", **training},
        )

    return request


def test_what_is_computed_at_once_is_compared_with_what_is_too(reviews: Reviews, tmp_path: Path) -> None:
    request = reviews("ngram-memory", word_width=20, vocabulary=150, words=30, seed=3)
    run = adapt(request, tmp_path / "run")
    baseline = run.baseline
    assert baseline is not None
    assert baseline.config["method"]["name"] == "tfidf"
    assert {name: baseline.config["training"][name] for name in ("vocabulary", "words", "seed")} == {
        "vocabulary": 150, "words": 30, "seed": 3,
    }  # fmt: skip
    assert baseline.config["preprocess"]["signs"] == "!"  # its own reading, not the other method's
    load(baseline.folder)
    alone = adapt(reviews("tfidf", vocabulary=150, words=30, seed=3), tmp_path / "alone")
    assert alone.baseline is None
    assert baseline.summary is not None
    assert baseline.summary["scores"] == alone.summary["scores"]
    said = " ".join(write_report(run).read_text(encoding="utf-8").split())
    assert "TF-IDF and logistic regression trained on the source only is right on" in said
    assert "The same network" not in said


def test_a_network_is_compared_with_the_same_network_trained_alike(reviews: Reviews, tmp_path: Path) -> None:
    run = adapt(reviews("amn", steps=4, word_width=20, word_vectors="random"), tmp_path / "run")
    assert run.baseline is not None
    assert run.baseline.config["method"]["name"] == "source-only"
    assert run.baseline.config["training"] == run.config["training"]
    assert "The same network trained on the source only is right on" in " ".join(
        write_report(run).read_text(encoding="utf-8").split()
    )
    load(run.folder / "baseline")


def test_reviews_of_the_source_without_a_label_are_told(reviews: Reviews, tmp_path: Path) -> None:
    options = {"epochs": 1, "batch_size": 10, "word_width": 20, "word_vectors": "random", "patience": 0}
    run = adapt(reviews("amn", unlabelled=48, **options), tmp_path / "run")
    told = [note for note in run.config["task"]["notes"] if "without a label" in note]
    assert told == ["48 of the source's 60 examples are without a label; no step trains on them."]
    assert run.config["steps"] == run.summary["steps"] == 6  # an epoch of the target's 60, not of the source's 12
    whole = adapt(reviews("amn", **options), tmp_path / "whole")
    assert not [note for note in whole.config["task"]["notes"] if "without a label" in note]


def test_an_epoch_is_a_pass_over_what_is_trained_on(reviews: Reviews, tmp_path: Path) -> None:
    request = reviews("amn", unlabelled=24, epochs=2, batch_size=10, epoch_length="shorter", patience=0)
    training = {**request.training, "word_width": 20, "word_vectors": "random"}
    run = adapt(request.model_copy(update={"training": training, "baseline": False}), tmp_path / "run")
    assert run.summary is not None
    assert run.summary["steps"] == 2 * 3  # of 36 with a label, less a copy or two
