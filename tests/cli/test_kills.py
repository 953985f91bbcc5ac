"""A run that was killed after its training: `resume` finishes what is unfinished, and nothing half written stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from acclimate.data.synthetic import shifted_blobs
from acclimate.data.temporary import is_temporary
from acclimate.running.adaptation import adapt
from acclimate.runs import checkpoint_files
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from commands import Command
from forked import begin, die_naming, errors

QUICK = ("-m", "mcc", "--steps", "4", "--batch-size", "16")


def kill_at(file: str, folder: Path, *words: str) -> None:
    """Run the command until it would give a file, written in full, its name."""
    with TemporaryDirectory() as elsewhere:
        log = Path(elsewhere) / "said"
        process = begin(folder, *words, log=log, prepare=partial(die_naming, file))
        process.join()
        assert process.exitcode == -signal.SIGKILL, errors(log).read_text()


def sides(folder: Path) -> tuple[str, ...]:
    return ("--source", str(folder / "source.npz"), "--target", str(folder / "target.npz"))


def leftovers(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if is_temporary(path)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two sides and a run on them."""
    folder, task = tmp_path_factory.mktemp("finished"), shifted_blobs(60, shift=1.0)
    np.savez(folder / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(folder / "target.npz", X=task.target.inputs, y=task.hidden.target)
    _, source, _, target = sides(folder)
    training = {"steps": 4, "batch_size": 16, "evaluations": 1}
    adapt(Request(source=source, target=target, method="mcc", training=training, baseline=False), folder / "run")
    return folder


def test_a_report_that_was_not_written_is_written_by_resume(
    acclimate: Command, finished: Path, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-r", finished / "run", tmp_path / "run"], check=True)
    kill_at("report.html", tmp_path, "report", "run")
    assert leftovers(tmp_path)
    said = acclimate("resume", "run")
    assert said.code == 0, said.err
    assert "its report had not" in said.err
    assert "Report: run/report.html" in said.out
    assert not leftovers(tmp_path)
    whole = (tmp_path / "run" / "report.html").read_bytes()
    assert acclimate("report", "run").code == 0
    assert (tmp_path / "run" / "report.html").read_bytes() == whole
    # Now there is nothing left to do.
    assert "run must be unfinished to be resumed" in acclimate("resume", "run").err


def test_a_report_killed_while_it_replaced_another(acclimate: Command, finished: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", finished / "run", tmp_path / "run"], check=True)
    assert acclimate("report", "run").code == 0
    kill_at("report.html", tmp_path, "report", "run")
    assert leftovers(tmp_path)
    assert acclimate("report", "run").code == 0
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_answers_that_were_being_written(acclimate: Command, finished: Path, tmp_path: Path, suffix: str) -> None:
    np.savez(tmp_path / "x.npz", X=np.zeros((2, 2)))
    words = ["predict", str(finished / "run"), "x.npz", "--out", f"answers{suffix}"]
    kill_at(suffix, tmp_path, *words)
    assert leftovers(tmp_path)
    assert acclimate(*words).code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"x.npz", f"answers{suffix}"}


@pytest.mark.parametrize("file", ["run/summary.json", "run/report.html", "run/baseline/summary.json"])
def test_one_checkpoint_is_left_wherever_it_was_killed(
    acclimate: Command, finished: Path, tmp_path: Path, file: str
) -> None:
    kill_at(file, tmp_path, "adapt", *sides(finished), *QUICK, "--set", "checkpoint_seconds=0", "-o", "run")
    assert acclimate("resume", "run").code == 0
    for run in (Run(tmp_path / "run"), Run(tmp_path / "run" / "baseline")):
        (kept,) = checkpoint_files.checkpoints(run.checkpoints_path)
        assert kept.stem == "step-00000004"
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("file", ["sample.npz", "summary.json"])
def test_whatever_was_being_written_is_finished(
    acclimate: Command, finished: Path, tmp_path: Path, file: str
) -> None:
    words = ("adapt", *sides(finished), *QUICK, "--set", "evaluations=1", "--no-baseline")
    kill_at(file, tmp_path, *words, "-o", "run")
    said = acclimate("resume", "run")
    assert said.code == 0, said.err
    assert not leftovers(tmp_path)
    one, other = Run(finished / "run"), Run(tmp_path / "run")
    assert one.metrics() == other.metrics()
    assert one.predictions_path.read_bytes() == other.predictions_path.read_bytes()
    assert (other.summary or {})["scores"] == (one.summary or {})["scores"]
    assert other.report_path.is_file()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can make a folder read-only here")
def test_a_run_on_a_disk_that_can_only_be_read(acclimate: Command, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    mounted = subprocess.run(["mount", "--bind", finished / "run", tmp_path / "run"], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", tmp_path / "run"], check=True)
        said = acclimate("report", "run")
        assert said.code == 2
        assert "run must be a folder that can be written; got 'run' (Read-only file system)" in said.err
        assert "Copy it to a disk that can be written." in said.err
        assert acclimate("evaluate", "run", "--data", "nothing.npz").err.count("nothing.npz") == 1
    finally:
        subprocess.run(["umount", "-l", tmp_path / "run"], check=True)
