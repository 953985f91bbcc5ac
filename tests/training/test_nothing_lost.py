"""Runs that are killed, in the middle of a write too, end as if nothing had happened; what is damaged is told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from acclimate.data.synthetic import dimmed_bars
from acclimate.errors import RequestError, WorkError
from acclimate.reports.page import write_report
from acclimate.running.adaptation import Callbacks, adapt, load, resume
from acclimate.runs import checkpoint_files
from acclimate.runs.lock import lock
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import checkpoints
from acclimate.training.trainer import Interrupted

PROGRAM = Path(__file__).with_name("kill_runs.py")


@pytest.fixture
def request_on_disk(tmp_path: Path) -> Request:
    """Small pictures; batch norm, augmentation and given target labels, so that every kind of state counts."""
    task = dimmed_bars(60)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs, y=task.hidden.target)
    np.savez(tmp_path / "test.npz", X=task.target_test.inputs, y=task.hidden.target_test)
    return Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        target_test=str(tmp_path / "test.npz"),
        label_budget="5",
        method="mcd",
        network="tiny",
        training={
            "steps": 30, "batch_size": 16, "evaluations": 4, "pad": 1, "flip": True, "precision": "fp32",
            "checkpoint_seconds": 0, "device": "cpu",
        },
    )  # fmt: skip


def everything(folder: Path) -> dict[str, object]:
    """All that a run and its baseline have found out, but for times."""
    found: dict[str, object] = {}
    for run in (Run(folder), Run(folder / "baseline")):
        assert run.summary is not None
        weights = load_file(checkpoint_files.latest(run.checkpoints_path))
        found |= {f"{run.folder.name} {name}": v.numpy().tobytes() for name, v in weights.items()}
        found[f"{run.folder.name} metrics"] = run.metrics_path.read_bytes()
        found[f"{run.folder.name} predictions"] = pl.read_parquet(run.predictions_path).write_json()
        found[f"{run.folder.name} scores"] = run.summary["scores"], run.summary["steps"]
        with np.load(run.sample_path) as sample:
            found |= {f"{run.folder.name} sample {name}": sample[name].tobytes() for name in sample}
    return {name.replace(folder.name, "run", 1): value for name, value in found.items()}


@pytest.fixture
def never_killed(request_on_disk: Request, tmp_path: Path) -> dict[str, object]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return everything(adapt(request_on_disk, tmp_path / "whole").folder)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("mode", "number", "least"), [("random", 0, 6), ("every", 31, 15)])
def test_killed_at_any_moment_and_resumed_is_as_if_never_killed(
    request_on_disk: Request, never_killed: dict[str, object], tmp_path: Path, mode: str, number: int, least: int
) -> None:
    described = tmp_path / "request.json"
    described.write_text(request_on_disk.model_dump_json())
    words = [sys.executable, PROGRAM, tmp_path / "run", described, mode, str(number)]
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, timeout=900, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] >= least, done.stdout
    found = everything(tmp_path / "run")
    assert found.keys() == never_killed.keys()
    assert not [name for name in found if found[name] != never_killed[name]]


def test_the_command_killed_and_resumed(request_on_disk: Request, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    data = [f"--{side}={tmp_path / side}.npz" for side in ("source", "target")]
    options = ["--set", "network=tiny", "--set", "checkpoint_seconds=0", "--set", "batch_size=16", "--no-baseline"]
    command = [sys.executable, "-m", "acclimate"]
    words = [*command, "adapt", *data, "--method=dann", "--steps=100000", *options, "--out", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as victim:
        deadline = time.monotonic() + 600
        while len(checkpoint_files.checkpoints(folder / "checkpoints")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        again = subprocess.run([*command, "resume", str(folder)], capture_output=True, text=True, timeout=600)
        assert again.returncode == 2
        assert "must not be written by two processes" in again.stderr
        victim.kill()
    reached = checkpoints.load(checkpoint_files.latest_good(folder / "checkpoints")[0]).step
    with subprocess.Popen([*command, "resume", str(folder)], stderr=subprocess.PIPE, text=True) as second:
        # By name: the training may remove what is being read.
        while int(checkpoint_files.checkpoints(folder / "checkpoints")[-1].stem.removeprefix("step-")) <= reached:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second.send_signal(signal.SIGTERM)
        _, said = second.communicate(timeout=600)
    assert second.returncode == 130
    assert f"saved. Go on with: acclimate resume {folder}" in said


def stopped(request: Request, folder: Path, step: int) -> Run:
    """A run that was stopped in its own training, with two checkpoints."""
    asked = iter(range(1000))
    with pytest.raises(Interrupted):
        adapt(request, folder, Callbacks(stop=lambda: next(asked) == step))
    assert len(checkpoint_files.checkpoints(folder / "checkpoints")) == 2
    return Run(folder)


@pytest.fixture
def alone(request_on_disk: Request) -> Request:
    """Without a baseline: quicker."""
    return request_on_disk.model_copy(update={"baseline": False})


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [flip_a_bit, cut_short], ids=["bit flipped", "cut short"])
def test_the_last_good_checkpoint_is_used_and_the_damage_told(alone: Request, tmp_path: Path, damage: object) -> None:
    whole = adapt(alone, tmp_path / "whole")
    run = stopped(alone, tmp_path / "run", 12)
    damage(checkpoint_files.checkpoints(run.checkpoints_path)[-1])  # type: ignore[operator]
    told: list[str] = []
    resume(run.folder, Callbacks(notice=told.append))
    assert len(told) == 1
    assert "step-00000012.safetensors" in told[0]
    assert "Going on from step-00000011.safetensors, which is undamaged." in told[0]
    assert run.metrics() == whole.metrics()
    one, two = (load_file(checkpoint_files.latest(r.checkpoints_path)) for r in (run, whole))
    assert all(one[name].equal(two[name]) for name in two)


def test_with_no_good_checkpoint_nothing_is_used_and_nothing_changed(alone: Request, tmp_path: Path) -> None:
    run = stopped(alone, tmp_path / "run", 12)
    for path in checkpoint_files.checkpoints(run.checkpoints_path):
        flip_a_bit(path)
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    with pytest.raises(WorkError, match="No other is left. Restore one from a copy, or start a new run"):
        resume(run.folder)
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before


def test_damaged_weights_of_a_finished_run_are_not_used(alone: Request, tmp_path: Path) -> None:
    run = adapt(alone, tmp_path / "run")
    (path,) = checkpoint_files.checkpoints(run.checkpoints_path)
    flip_a_bit(path)
    with pytest.raises(WorkError, match="does not have the content that was written"):
        load(run.folder)


def test_no_report_is_made_of_changed_files(alone: Request, tmp_path: Path) -> None:
    run = adapt(alone, tmp_path / "run")
    write_report(run)
    report = run.report_path.read_bytes()
    for name in ("predictions.parquet", "sample.npz", "metrics.jsonl", "summary.json"):
        before = (run.folder / name).read_bytes()
        flip_a_bit(run.folder / name)
        with pytest.raises(WorkError, match=f"{name} does not have the content that was written"):
            write_report(run)
        (run.folder / name).write_bytes(before)
    assert run.report_path.read_bytes() == report


def test_a_changed_configuration_is_not_gone_on_with(alone: Request, tmp_path: Path) -> None:
    run = stopped(alone, tmp_path / "run", 12)
    run.config_path.write_text(run.config_path.read_text().replace('"lr": 0.0002', '"lr": 0.0003'))
    with pytest.raises(WorkError, match=r"config.json does not have the content that was written"):
        resume(run.folder)


def test_a_run_of_another_format_is_refused_and_of_another_machine_told(alone: Request, tmp_path: Path) -> None:
    run = stopped(alone, tmp_path / "run", 12)
    config = json.loads(run.config_path.read_text())

    def rewrite(**changes: object) -> None:
        text = json.dumps({**config, **changes})
        run.write(run.config_path, lambda path: path.write_text(text) and None)

    rewrite(format=1, acclimate="0.0.1")
    with pytest.raises(
        WorkError, match="was begun by acclimate 0.0.1 in format 1, and this one goes on with format 2"
    ):
        resume(run.folder)
    rewrite(acclimate="0.0.2", threads=77)
    told: list[str] = []
    resume(run.folder, Callbacks(notice=told.append))
    assert len(told) == 1
    assert "acclimate 0.0.2 →" in told[0]
    assert "threads 77 →" in told[0]


def test_two_runs_cannot_write_one_folder(alone: Request, tmp_path: Path) -> None:
    run = stopped(alone, tmp_path / "run", 12)
    held = lock(run.folder)
    try:
        with pytest.raises(RequestError, match="run must not be written by two processes"):
            resume(run.folder)
    finally:
        held.release()
    resume(run.folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_stops_the_run_with_its_last_checkpoint(alone: Request, tmp_path: Path, small_disk: Path) -> None:
    whole = adapt(alone, tmp_path / "whole")
    run = stopped(alone, small_disk / "run", 12)
    before = [path.read_bytes() for path in checkpoint_files.checkpoints(run.checkpoints_path)]
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(WorkError, match="Cannot write .*: No space left"):
        resume(run.folder)
    assert [path.read_bytes() for path in checkpoint_files.checkpoints(run.checkpoints_path)] == before
    filler.unlink()
    resume(run.folder)
    assert run.metrics() == whole.metrics()


def test_a_library_that_is_killed_in_its_own_temporary_file_leaves_nothing(alone: Request, tmp_path: Path) -> None:
    run = stopped(alone, tmp_path / "run", 12)
    code = (
        "import os, signal, sys; from pathlib import Path; from acclimate.training import checkpoints\n"
        "def killed(tensors, path, metadata):\n"
        "    path.with_name('.tmpA1b2C3').touch(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "checkpoints.save_file = killed\n"
        "checkpoints.save(Path(sys.argv[1]), checkpoints.Snapshot(99, {}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, run.checkpoints_path], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list(run.checkpoints_path.rglob(".tmp*"))
    resume(run.folder)
    assert {path.name for path in run.checkpoints_path.iterdir()} == {"manifest.json", "step-00000030.safetensors"}
