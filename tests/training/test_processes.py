"""Two processes and one: the same global batches, the same averaged gradients, the same weights and metrics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.torch import load_file

from acclimate.data.synthetic import dimmed_bars
from acclimate.runs import checkpoint_files
from acclimate.runs.record import Run
from forked import begin, errors, one_thread

# Seconds after which a command hangs; how fast a machine is must not matter.
WAIT = 600

# Method, global batch size and gradient noise.
CASES = {"even halves": ("dann", 16, 0), "uneven halves with noise": ("mcd", 15, 0.01)}
PROGRAM = """
import json
import sys
import torch
from safetensors.torch import save_file
from torch import nn
from acclimate.data.synthetic import shifted_blobs
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.mcd import MCD
from acclimate.problems.planning import make_plan
from acclimate.problems.fitting import make_trainer
from acclimate.training.hooks import Hooks
from acclimate.training.randomness import seeded

for case, (method, batch_size, noise) in json.loads(sys.argv[2]).items():
    task = shifted_blobs(64)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 8), nn.Tanh())  # no batch norm, no dropout: nothing depends on the slice
    options = {"steps": 5, "batch_size": batch_size, "optimizer": "sgd", "lr": 0.1, "device": "cpu"}
    options |= {"precision": "fp32", "gradient_noise": noise}
    method = {"dann": DANN, "mcd": MCD}[method]()
    plan = make_plan(method, task.source, task.target, network=network, options=options)
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    with seeded(1, trainer.device):
        for _ in range(5):
            trainer.train_step()
    weights = {f"{n}.{k}": v.contiguous() for n, net in trainer.nets.items() for k, v in net.state_dict().items()}
    save_file(weights, f"{sys.argv[1]}/{case}-{trainer.processes.rank}of{trainer.processes.size}.safetensors")
"""
LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0"]
LAUNCHER += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def done(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    found = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=WAIT, env=ONE_THREAD)
    assert found.returncode == code, found.stderr
    return found


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the weights that one process and two reach in every case."""
    folder = tmp_path_factory.mktemp("reached")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    words = [program, folder, json.dumps(CASES)]
    done(sys.executable, *words)
    done(*LAUNCHER, *words)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_two_processes_reach_the_weights_of_one(reached: Path, case: str) -> None:
    alone, first, second = (load_file(reached / f"{case}-{name}.safetensors") for name in ("0of1", "0of2", "1of2"))
    assert alone.keys() == first.keys()
    for name, value in alone.items():
        assert first[name].equal(second[name]), name
        assert value.allclose(first[name], atol=1e-6), name


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """The arguments of a command that adapts between small pictures with a network that has no batch norm."""
    task = dimmed_bars(40)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs)
    np.savez(tmp_path / "test.npz", X=task.target_test.inputs, y=task.hidden.target_test)
    sides = [f"--source={tmp_path / 'source.npz'}", f"--target={tmp_path / 'target.npz'}"]
    sides += [f"--target-test={tmp_path / 'test.npz'}"]
    options = ["--method=dann", "--network=dann-mnist", "--batch-size=7", "--precision=fp32", "--set=evaluations=2"]
    return [*sides, *options]


def test_the_command_in_two_processes_finds_what_one_finds(pictures: list[str], tmp_path: Path) -> None:
    words = ["adapt", *pictures, "--steps=8", "--out"]
    log = tmp_path / "said"
    alone = begin(tmp_path, *words, tmp_path / "one", log=log, prepare=one_thread)
    alone.join()
    assert alone.exitcode == 0, errors(log).read_text()
    command = ["-m", "acclimate", *words]
    said = done(*LAUNCHER, *command, tmp_path / "two")
    assert said.stdout.count("Report:") == 1
    one, two = Run(tmp_path / "one"), Run(tmp_path / "two")
    assert two.config["processes"] == 2
    for a, b in ((one, two), (one.baseline, two.baseline)):
        assert a is not None
        assert b is not None
        assert len(a.metrics()) == len(b.metrics()) > 8
        for expected, found in zip(a.metrics(), b.metrics(), strict=True):
            if expected["kind"] == "health":
                assert found == expected
            else:
                assert found == pytest.approx(expected, abs=1e-4)
        assert a.summary["scores"] == b.summary["scores"]
    refused = done(*LAUNCHER, *command, tmp_path / "two", code=1)  # torchrun's own exit code
    assert "Error: out must be a new or empty folder" in refused.stderr


STOPPING = """
import sys
from pathlib import Path
from acclimate.runs.request import Request
from acclimate.running.adaptation import Callbacks, adapt, resume
from acclimate.training.processes import Processes
from acclimate.training.trainer import Interrupted

described, *works = sys.argv[1:]
rank = Processes("cpu").rank
for folder, stop_at in zip(map(Path, works[::2]), map(int, works[1::2]), strict=True):
    asked = iter(range(1000))
    # Only the second process is asked to stop; all must.
    around = Callbacks(stop=lambda: rank == 1 and next(asked) == stop_at)
    try:
        if (folder / "config.json").is_file():
            resume(folder)
        else:
            adapt(Request.model_validate_json(Path(described).read_text()), folder, around)
    except Interrupted as stop:
        print(f"{rank} {stop}")
"""


def test_two_processes_stopped_and_resumed_are_as_if_never_stopped(pictures: list[str], tmp_path: Path) -> None:
    program, described = tmp_path / "program.py", tmp_path / "request.json"
    program.write_text(STOPPING)
    training = {"steps": 9, "batch_size": 8, "pad": 1, "flip": True, "precision": "fp32", "evaluations": 2}
    request = {side: str(tmp_path / f"{side}.npz") for side in ("source", "target")} | {"baseline": False}
    # Dropout and batch norm: each process has random states and statistics of its own.
    described.write_text(json.dumps({**request, "method": "mcd", "network": "mcd-usps", "training": training}))
    stopped = done(*LAUNCHER, program, described, tmp_path / "whole", 1000, tmp_path / "run", 4)
    assert sorted(stopped.stdout.split("\n")[:2]) == ["0 stopped at step 4 of 9", "1 stopped at step 4 of 9"]
    done(*LAUNCHER, program, described, tmp_path / "run", 1000)
    whole, resumed = Run(tmp_path / "whole"), Run(tmp_path / "run")
    assert resumed.metrics_path.read_bytes() == whole.metrics_path.read_bytes()
    a, b = (load_file(checkpoint_files.latest(run.checkpoints_path)) for run in (whole, resumed))
    assert all(a[name].equal(b[name]) for name in a)
    assert any("Batch norm: each of the 2 processes" in note for note in whole.config["task"]["notes"])


def test_when_one_process_dies_all_stop_and_the_run_can_go_on(pictures: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = [*LAUNCHER, "-m", "acclimate", "adapt", *pictures, "--steps=100000", "--no-baseline"]
    words += ["--set=checkpoint_seconds=0", "--out", folder]
    with subprocess.Popen([str(w) for w in words], stderr=subprocess.PIPE, text=True, env=ONE_THREAD) as launcher:
        deadline = time.monotonic() + WAIT
        while len(checkpoint_files.checkpoints(folder / "checkpoints")) < 2:
            assert time.monotonic() < deadline, launcher.poll()
            time.sleep(0.02)
        workers = {worker.environ()["RANK"]: worker for worker in psutil.Process(launcher.pid).children()}
        workers["1"].kill()
        _, said = launcher.communicate(timeout=WAIT)
    assert launcher.returncode != 0
    assert "another process of this run has died or cannot be reached" in said
    path, faults = checkpoint_files.latest_good(folder / "checkpoints")
    assert path is not None
    assert not faults
