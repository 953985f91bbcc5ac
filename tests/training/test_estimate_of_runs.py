"""Every run's `summary.json` tells how often it is likely to be right, or that this cannot be told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acclimate.data.synthetic import shifted_blobs
from acclimate.data.task import HiddenLabels, Task
from acclimate.reports.outcome import outcome
from acclimate.running.adaptation import adapt
from acclimate.runs.record import Run
from acclimate.runs.request import Request


def finished(folder: Path, task: Task, method: str = "mcc", **asked: object) -> Run:
    """A short run on a task."""
    options = {"steps": 60, "batch_size": 32, "evaluations": 1, "lr": 1e-2}
    request = Request(task="office_features:amazon-webcam", method=method, training=options, **asked)  # type: ignore[arg-type]
    return adapt(request, folder, read=lambda *_: task)


@pytest.fixture(scope="module")
def task() -> Task:
    return shifted_blobs(150, shift=1.0)


def test_a_run_and_its_baseline_tell_each_an_estimate(task: Task, tmp_path: Path) -> None:
    run = finished(tmp_path / "run", task)
    assert run.summary is not None
    told = run.summary["estimate"]
    right = run.summary["scores"]["target_accuracy"]
    assert told["low"] <= right <= told["high"]
    assert told["low"] <= told["value"] <= told["high"]
    assert len(told["by_class"]) == 3
    assert run.baseline is not None
    assert run.baseline.summary is not None
    assert run.baseline.summary["estimate"] is not None


def test_hidden_labels_change_no_bit_of_it(task: Task, tmp_path: Path) -> None:
    answers = task.hidden
    assert answers.target is not None
    assert answers.target_test is not None
    other = np.random.default_rng(0)
    shuffled = HiddenLabels(*(other.permutation(labels) for labels in (answers.target, answers.target_test)))
    told = [
        (finished(tmp_path / name, replace(task, hidden=known)).summary or {})["estimate"]
        for name, known in (("one", answers), ("two", shuffled), ("none", HiddenLabels()))
    ]
    assert told[0] == told[1] == told[2]


def test_without_source_examples_set_aside_or_with_a_small_target_it_cannot_be_told(
    task: Task, tmp_path: Path
) -> None:
    blind = finished(tmp_path / "blind", replace(task, source_test=None)).summary
    assert blind is not None
    assert "no labelled source example" in blind["estimate"]["cannot_tell"]
    assert blind["estimate"]["value"] is None
    small = finished(tmp_path / "small", shifted_blobs(20)).summary
    assert small is not None
    assert "only 20 target examples" in small["estimate"]["cannot_tell"]


def test_where_target_labels_were_trained_on_nothing_is_estimated(task: Task, tmp_path: Path) -> None:
    granted = finished(tmp_path / "run", task.with_label_budget("3"), label_budget="3").summary
    assert granted is not None
    assert granted["estimate"] is None


def test_a_run_that_no_label_scores_says_it_first(task: Task, tmp_path: Path) -> None:
    run = finished(tmp_path / "run", replace(task, hidden=HiddenLabels(), target_test=None))
    assert run.summary is not None
    told = run.summary["estimate"]
    said = outcome(run)
    whole = [f"{100 * told[name]:.0f}" for name in ("value", "low", "high")]
    assert said.sentences[0].startswith(f"About {whole[0]}\u00a0% ({whole[1]} to {whole[2]}) of its answers")
    assert said.tiles[0].name == "Target accuracy, estimated"
    assert "unknown" not in [tile.value for tile in said.tiles]
