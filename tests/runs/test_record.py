from __future__ import annotations

import json
from pathlib import Path

import pytest

from acclimate.errors import RequestError, WorkError
from acclimate.runs.files import write_atomically, write_json, write_text
from acclimate.runs.record import Run

CONFIG = dict.fromkeys(("request", "task", "method", "network", "preprocess", "training", "steps"))


def test_a_run_is_created_once_and_found_again(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs" / "one", CONFIG | {"task": {"name": "t"}})
    assert Run(tmp_path / "runs" / "one").config["task"] == {"name": "t"}
    assert run.config["format"] == 1
    assert run.summary is None
    assert run.baseline is None
    assert run.metrics() == []
    with pytest.raises(RequestError, match="out must be a new or empty folder; got .*resume"):
        Run.create(run.folder, {})


@pytest.mark.parametrize("content", ["file", "other"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, content: str) -> None:
    place = tmp_path / "place"
    if content == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RequestError, match="out must be a new or empty folder"):
        Run.create(place, {})
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    assert Run.create(tmp_path, CONFIG).config["format"] == 1


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_other_folders_are_no_runs(tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="run must be the folder of a run"):
        Run(folder)


def test_metrics_survive_a_line_cut_short(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", {})
    for step in (1, 2, 3):
        run.append({"kind": "losses", "step": step})
    with run.metrics_path.open("a") as file:
        file.write('{"kind": "losses", "st')
    assert [row["step"] for row in run.metrics()] == [1, 2, 3]
    run.forget_after(2)
    assert [row["step"] for row in run.metrics()] == [1, 2]
    assert run.metrics_path.read_text().endswith("}\n")


def test_a_baseline_is_a_run_inside_the_run(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", CONFIG | {"method": "a"})
    Run.create(run.folder / "baseline", CONFIG | {"method": "b"})
    assert run.baseline is not None
    assert run.baseline.config["method"] == "b"


def test_writing_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"old": 1})

    def fails(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(WorkError, match="Cannot write .*x.json: disk full"):
        write_atomically(path, fails)
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]
    write_text(path, "ø\n")
    assert path.read_bytes() == "ø\n".encode()
