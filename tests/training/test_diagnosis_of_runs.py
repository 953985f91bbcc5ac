"""Every run keeps what its two sides show before any training, and its report opens with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.synthetic import shifted_blobs
from acclimate.data.task import Task
from acclimate.reports.page import write_report
from acclimate.running.adaptation import adapt
from acclimate.running.diagnosing import glance
from acclimate.runs.record import Run
from acclimate.runs.request import Request


def finished(folder: Path, task: Task) -> Run:
    """A short run on a task."""
    training = {"steps": 10, "batch_size": 32, "evaluations": 1}
    request = Request(task="office_features:amazon-webcam", method="mcc", training=training)
    return adapt(request, folder, read=lambda *_: task)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished(tmp_path_factory.mktemp("run") / "run", shifted_blobs(150, shift=1.0))


def test_a_run_keeps_it_and_what_is_trained_beside_it_does_not(run: Run) -> None:
    assert run.summary is not None
    kept = run.summary["diagnosis"]
    assert "shift: " in kept["verdict"]
    assert kept["looked_at"] == {"source": 150, "target": 150}
    assert kept["outlook"] in ("likely to harm", "may help")
    assert run.baseline is not None
    assert run.baseline.summary is not None
    assert run.baseline.summary["diagnosis"] is None


def test_the_report_opens_with_it_and_computes_nothing_anew(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acclimate.running.diagnosing.diagnosed", None)
    page = write_report(run).read_text(encoding="utf-8")
    assert run.summary is not None
    verdict = run.summary["diagnosis"]["verdict"].replace("<", "&lt;")
    assert page.index("<main>") < page.index(verdict) < page.index('id="verdict"')


def test_where_too_few_examples_tell_anything_nothing_is_said(tmp_path: Path) -> None:
    small = finished(tmp_path / "small", shifted_blobs(20))
    assert small.summary is not None
    assert small.summary["diagnosis"] is None
    assert not small.failed
    assert 'id="sides"' not in write_report(small).read_text(encoding="utf-8")


def test_hidden_labels_change_no_bit_of_it_and_large_sides_are_looked_at_in_part() -> None:
    task = shifted_blobs(400)
    target = task.target
    told = [
        glance(task.source, replace(target, labels=labels))
        for labels in (np.arange(len(target)) % 3, np.zeros(len(target), int), target.labels)
    ]
    assert told[0] == told[1] == told[2]
    assert told[0] is not None
    assert told[0]["looked_at"] == {"source": 300, "target": 300}


def test_photos_are_left_to_the_command() -> None:
    photos = Domain(np.zeros((40, 64, 64, 3), np.uint8), np.arange(40) % 2, ("a", "b"), "photos")
    assert glance(photos, photos.unlabelled()) is None
