from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from acclimate.errors import RequestError, WorkError
from acclimate.runs.files import write_atomically, write_json, write_text
from acclimate.runs.lock import lock
from acclimate.runs.record import FORMAT, Run

TASK = {
    "name": "t",
    "classes": ["a", "b"],
    "num_classes": 2,
    "sizes": {"source": 4, "target": 4},
    "names": {"source": "s", "target": "t"},
    "labelled_target": 0,
    "fingerprints": {},
    "notes": [],
}
CONFIG = {
    "request": {"task": "t"},
    "task": TASK,
    "method": {"name": "mcc", "title": "MCC", "options": {}},
    "network": "tiny",
    "preprocess": {},
    "training": {"seed": 0},
    "steps": 3,
}


def test_a_run_is_created_once_and_found_again(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs" / "one", CONFIG)
    assert Run(tmp_path / "runs" / "one").config["task"]["name"] == "t"
    assert run.config["format"] == FORMAT
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
    assert Run.create(tmp_path, CONFIG).config["format"] == FORMAT


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_other_folders_are_no_runs(tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="run must be the folder of a run"):
        Run(folder)


def test_metrics_survive_a_line_cut_short(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", {})
    run.journal.append({"kind": "losses", "step": 1})
    run.journal.append({"kind": "losses", "step": 2})
    position = run.journal.position()
    run.journal.append({"kind": "losses", "step": 3})
    with run.metrics_path.open("a") as file:
        file.write('{"kind": "losses", "st')
    assert [row["step"] for row in run.metrics()] == [1, 2, 3]
    run.journal.rewind(position)
    assert [row["step"] for row in run.metrics()] == [1, 2]
    assert run.metrics_path.read_text().endswith("}\n")
    run.journal.rewind(None)
    assert run.metrics() == []


def test_metrics_that_have_changed_are_not_gone_on_with(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", {})
    run.journal.append({"kind": "losses", "step": 1})
    position = run.journal.position()
    changed = run.metrics_path.read_text().replace("1", "2")
    run.metrics_path.write_text(changed)
    with pytest.raises(WorkError, match="metrics.jsonl is damaged"):
        run.journal.rewind(position)
    assert run.metrics_path.read_text() == changed


def test_what_a_killed_writer_leaves_is_in_nobodys_way(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / ".lock").touch()
    (folder / ".config.json.0123.part").write_text("{")
    run = Run.create(folder, CONFIG)
    assert sorted(path.name for path in run.folder.iterdir()) == [
        ".lock",
        "checkpoints",
        "config.json",
        "manifest.json",
    ]


def test_checksums_tell_a_changed_file(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", CONFIG)
    run.check(run.config_path)
    same_size = run.config_path.read_text().replace("2", "3", 1)
    run.config_path.write_text(same_size)
    with pytest.raises(WorkError, match=r"config.json does not have the content that was written"):
        run.check(run.config_path)
    run.config_path.write_text("{}")
    with pytest.raises(WorkError, match=r"config.json has 2 bytes instead of"):
        run.check(run.config_path)
    run.config_path.unlink()
    with pytest.raises(WorkError, match=r"config.json is missing"):
        run.check(run.config_path)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    held = lock(tmp_path / "r")
    with pytest.raises(RequestError, match="run must not be written by two processes"):
        lock(tmp_path / "r")
    held.release()
    lock(tmp_path / "r").release()


HOLD = """
import sys, time
from pathlib import Path
from acclimate.runs.lock import lock
held = lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_ends_with_its_owner_even_by_kill(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HOLD, str(tmp_path / "r")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(RequestError, match="must not be written by two processes"):
            lock(tmp_path / "r")
        owner.kill()
    lock(tmp_path / "r").release()


def test_a_baseline_is_a_run_inside_the_run(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", CONFIG | {"network": "a"})
    Run.create(run.folder / "baseline", CONFIG | {"network": "b"})
    assert run.baseline is not None
    assert run.baseline.config["network"] == "b"


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
