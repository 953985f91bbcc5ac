"""Two processes and one: the same global batches, the same averaged gradients, the same weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

PROGRAM = """
import sys
import torch
from safetensors.torch import save_file
from torch import nn
from acclimate.data.synthetic import shifted_blobs
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.mcd import MCD
from acclimate.training.session import make_plan, make_trainer
from acclimate.training.trainer import Hooks, seeded

method = {"dann": DANN, "mcd": MCD}[sys.argv[1]]()
task = shifted_blobs(64)
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(2, 8), nn.Tanh())  # no batch norm, no dropout: nothing depends on the slice
options = {"steps": 5, "batch_size": 16, "optimizer": "sgd", "lr": 0.1, "device": "cpu", "precision": "fp32"}
plan = make_plan(method, task.source, task.target, network=network, options=options)
trainer = make_trainer(plan, task.source, task.target, Hooks())
with seeded(1, trainer.device):
    for _ in range(5):
        trainer.train_step()
weights = {f"{n}.{k}": v.contiguous() for n, net in trainer.nets.items() for k, v in net.state_dict().items()}
save_file(weights, f"{sys.argv[2]}-{trainer.processes.rank}of{trainer.processes.size}.safetensors")
"""


@pytest.mark.parametrize("method", ["dann", "mcd"])
def test_two_processes_reach_the_weights_of_one(method: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    words = [program, method, tmp_path / "weights"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0"]
    launcher += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    for command in ([sys.executable, *words], [*launcher, *words]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    alone, first, second = (load_file(tmp_path / f"weights-{name}.safetensors") for name in ("0of1", "0of2", "1of2"))
    assert alone.keys() == first.keys()
    for name, value in alone.items():
        assert first[name].equal(second[name]), name
        assert value.allclose(first[name], atol=1e-6), name
