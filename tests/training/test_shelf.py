"""Data are read once for runs on the same, and again where anything says that they may be others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from acclimate.data.synthetic import shifted_blobs
from acclimate.data.task import Task
from acclimate.running import shelf
from acclimate.running.cells import compare
from acclimate.running.comparison import Comparison, Row
from acclimate.running.shelf import Shelf
from acclimate.runs.record import Run
from acclimate.runs.request import Request


@pytest.fixture
def request_of_files(tmp_path: Path) -> Request:
    task = shifted_blobs(60, shift=1.0)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs)
    training = {"steps": 2, "batch_size": 16, "device": "cpu"}
    return Request(
        source=str(tmp_path / "source.npz"), target=str(tmp_path / "target.npz"), method="mcc", training=training
    )


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What has been read, in order."""
    original, found = shelf.task_of, []

    def counting(request: Request, before: Run | None = None) -> Task:
        found.append(request)
        return original(request, before)

    monkeypatch.setattr(shelf, "task_of", counting)
    return found


def seeded(request: Request, seed: int) -> Request:
    return request.model_copy(update={"training": {**request.training, "seed": seed}})


@pytest.mark.parametrize(
    ("change", "reads"),
    [
        (lambda request: request, 1),
        (lambda request: request.model_copy(update={"method": "dann", "network": "mlp", "baseline": False}), 1),
        (lambda request: seeded(request, 1), 2),  # another part of the source is set aside
        (lambda request: request.model_copy(update={"target": request.source}), 2),
        (lambda request: request.model_copy(update={"bins": 3}), 2),
    ],
)
def test_the_same_is_read_once_and_anything_else_anew(
    change: Callable[[Request], Request], reads: int, request_of_files: Request, read: list[Request]
) -> None:
    place = Shelf()
    first = place.task(request_of_files)
    second = place.task(change(request_of_files))
    assert len(read) == reads
    assert (first is second) == (reads == 1)


def test_a_file_that_was_written_since_is_read_again(request_of_files: Request, read: list[Request]) -> None:
    place = Shelf()
    before = place.task(request_of_files)
    task = shifted_blobs(60, shift=2.0)
    np.savez(request_of_files.target, X=task.target.inputs)
    after = place.task(request_of_files)
    assert len(read) == 2
    assert before.target.content_hash != after.target.content_hash


def test_folders_are_read_every_time(tmp_path: Path, pictures_of: Request, read: list[Request]) -> None:
    place = Shelf()
    for _ in range(2):
        place.task(pictures_of)
    assert len(read) == 2


@pytest.fixture
def pictures_of(tmp_path: Path) -> Request:
    for side in ("source", "target"):
        for kind in "ab":
            (tmp_path / side / kind).mkdir(parents=True)
            for i in range(3):
                (tmp_path / side / kind / f"{i}.txt").write_text(f"{kind} {kind} number {i} of {side}")
    return Request(source=str(tmp_path / "source"), target=str(tmp_path / "target"), method="tfidf")


def test_cells_of_a_comparison_share_what_was_read(
    request_of_files: Request, read: list[Request], tmp_path: Path
) -> None:
    baseline = Row(name="source-only", request=request_of_files.model_copy(update={"method": "source-only"}))
    rows = (baseline, *(Row(name=name, request=request_of_files, baseline="source-only") for name in ("one", "two")))
    assert len(list(compare(Comparison(id="blobs", seeds=1, rows=rows), tmp_path / "cells"))) == 3
    assert len(read) == 1
