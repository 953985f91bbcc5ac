"""What fails once the weights exist costs neither them nor anything else of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import acclimate as ac
from acclimate.cli.main import app
from acclimate.data.synthetic import shifted_blobs, two_vocabularies
from acclimate.errors import RequestError, WorkError
from acclimate.networks.ngrams import to_words
from acclimate.reports.page import write_report
from acclimate.running import results
from acclimate.running.adaptation import Callbacks, adapt, load, resume
from acclimate.runs.record import Run
from acclimate.runs.request import Request


@pytest.fixture
def request_on_disk(tmp_path: Path) -> Request:
    task = shifted_blobs(60, shift=1.0)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs, y=task.hidden.target)
    return Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        method="dann",
        training={"steps": 2, "batch_size": 16, "evaluations": 1},
    )


def broken(*_: Any) -> Any:
    raise ZeroDivisionError("nothing to divide by")


PIECES = {
    "_seen": "the answers",
    "_predictions": "predictions.parquet",
    "_sample": "sample.npz",
    "words_of_run": "words.json",
    "translations_of_run": "translations.npz",
    "searches_of_run": "searches.npz",
    "_scores": "the scores",
}


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_that_fails_leaves_a_run_that_answers_and_is_finished_by_resuming(
    piece: str, request_on_disk: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = adapt(request_on_disk, tmp_path / "whole")
    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(results, piece, broken)
        run = adapt(request_on_disk, tmp_path / "run", Callbacks(notice=told.append))
    assert run.failed.keys() == {PIECES[piece], f"{PIECES[piece]} of the baseline"}
    for sentence in (f"{PIECES[piece]} (ZeroDivisionError: nothing to divide by)", f"acclimate resume {run.folder}"):
        assert sentence in told[-1]
    model = ac.load(run.folder)
    X = shifted_blobs(60, shift=1.0).target.inputs
    assert np.array_equal(model.predict_proba(X), ac.load(whole.folder).predict_proba(X))
    if run.predictions_path.is_file() and run.sample_path.is_file():
        assert "nothing to divide by" in write_report(run).read_text()
    else:
        with pytest.raises(RequestError, match=f"acclimate resume {run.folder}"):
            write_report(run)
    assert PIECES[piece] in model.verdict_
    done = CliRunner().invoke(app, ["resume", str(run.folder)])
    assert done.exit_code == 0, done.output
    assert not run.failed
    assert run.predictions_path.read_bytes() == whole.predictions_path.read_bytes()
    assert run.summary["scores"] == whole.summary["scores"]
    assert run.summary["steps"] == whole.summary["steps"]
    assert "nothing to divide by" not in run.report_path.read_text()
    with pytest.raises(RequestError, match="must be unfinished"):
        resume(run.folder)


def test_a_disk_that_is_full_is_gone_on_from(
    request_on_disk: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise WorkError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(results, "_sample", full)
        with pytest.raises(WorkError, match="full"):
            adapt(request_on_disk, tmp_path / "run")
    assert not resume(tmp_path / "run").failed


def test_a_report_that_fails_says_how_to_go_on(
    request_on_disk: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acclimate.reports import page

    run = adapt(request_on_disk, tmp_path / "run")
    monkeypatch.setattr(page, "_content", broken)
    done = CliRunner().invoke(app, ["report", str(run.folder)])
    assert isinstance(done.exception, WorkError)
    assert f"The run is whole: acclimate predict {run.folder} …; to try again: acclimate report" in str(
        done.exception
    )


@pytest.mark.parametrize("method", ["tfidf", "ngram-memory", "source-only"])
def test_texts_whose_classes_have_other_names_on_either_side(method: str, tmp_path: Path) -> None:
    task = two_vocabularies(40)
    from acclimate.data.ragged import to_texts

    for side, names in (("source", ("no", "yes")), ("target", ("bad", "good"))):
        domain = task.domains()[side]
        labels = domain.labels if side == "source" else task.hidden.target
        rows = [{"text": t, "label": names[y]} for t, y in zip(to_texts(domain.rows), labels, strict=True)]
        (tmp_path / f"{side}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    training = {"word_vectors": "random", "word_width": 8, "steps": 2} if method == "source-only" else {}
    request = Request(
        source=str(tmp_path / "source.jsonl"),
        target=str(tmp_path / "target.jsonl"),
        method=method,
        training={"precision": "fp32", "device": "cpu", **training},
    )
    run = adapt(request, tmp_path / "run")
    assert not run.failed
    assert run.words is not None
    assert load(run.folder).plan.classes == ("no", "yes")
    assert any("no class has the same name on both sides" in note.lower() for note in run.config["task"]["notes"])
    assert Run(run.folder).summary["scores"]["target_accuracy"] == 0
    write_report(run)


@pytest.mark.parametrize("shape", [(0, 1), (0, 5), (3, 0)])
def test_no_words_have_no_parts(shape: tuple[int, int]) -> None:
    nowhere = torch.zeros(0, 2, dtype=torch.long)
    assert to_words(torch.zeros(0, 4), [nowhere], torch.Size(shape)).shape == (*shape, 4)
