"""Checkpoints: the whole state of a training in one safetensors file, written atomically, never pickled.

Tensors are stored under slash-separated names, everything else as JSON in the file's header:

    nets/<network>/<key>                       weights and buffers
    optimizers/<network>/<parameter>/<key>     moments
    generators/<process>/<which>               random states: torch's, and each stream's

The checksum of every file is in the folder's manifest. Two checkpoints are kept while a run goes on, so that one is
left when the other is damaged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from acclimate.data.temporary import temporary_beside
from acclimate.errors import WorkError
from acclimate.runs import checkpoint_files
from acclimate.runs.checkpoint_files import SUFFIX, prune
from acclimate.runs.manifest import Manifest
from acclimate.runs.record import Run


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A training's state as named tensors and plain data."""

    step: int
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name starts with `prefix/`, without it."""
        start = prefix + "/"
        return {k.removeprefix(start): v for k, v in self.tensors.items() if k.startswith(start)}


def save(folder: Path, snapshot: Snapshot, keep: int = 2) -> Path:
    """Write a snapshot into `folder` and then remove all but the newest `keep`.

    Raises:
        WorkError: if the system will not write it; older checkpoints are kept then.
    """
    path = folder / f"step-{snapshot.step:08d}{SUFFIX}"
    header = {"step": str(snapshot.step), "facts": json.dumps(snapshot.facts)}
    tensors = {k: v.detach().contiguous().cpu() for k, v in snapshot.tensors.items()}
    Manifest(folder).write(path, lambda temporary: _save_file(tensors, temporary, header))
    prune(folder, keep)
    return path


def _save_file(tensors: Mapping[str, Tensor], path: Path, header: Mapping[str, str]) -> None:
    """Write a file in a temporary folder: safetensors has temporary files of its own, which a kill would leave."""
    with temporary_beside(path, Path.mkdir) as folder:
        save_file(dict(tensors), folder / path.name, metadata=dict(header))
        (folder / path.name).replace(path)


def of_run(run: Run) -> Path:
    """The newest checkpoint of a run, as `latest`; one of format 1 kept no checksum to hold it against.

    Raises:
        WorkError: as `latest`.
    """
    found = checkpoint_files.checkpoints(run.checkpoints_path)
    return found[-1] if found and not run.has_checksums else checkpoint_files.latest(run.checkpoints_path)


def load(path: Path, prefix: str = "") -> Snapshot:
    """Read a snapshot, or only its tensors whose names start with `prefix`.

    Raises:
        WorkError: if the file is damaged or is not a checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys() if k.startswith(prefix)}  # noqa: SIM118
        return Snapshot(int(header["step"]), tensors, json.loads(header["facts"]))
    except (SafetensorError, OSError) as error:
        raise WorkError(f"the checkpoint {path} cannot be read: {error}") from None
    except (KeyError, ValueError):
        raise WorkError(f"the checkpoint {path} was not written by acclimate: its header lacks the step") from None


def network_tensors(nets: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Weights and buffers of all networks, by their names in a checkpoint."""
    return {f"nets/{name}/{key}": value for name, net in nets.items() for key, value in net.state_dict().items()}


def of_networks(nets: Mapping[str, nn.Module]) -> Snapshot:
    """Networks as something to begin with: no step of the training to come has been taken."""
    return Snapshot(0, network_tensors(nets))


def load_networks(nets: Mapping[str, nn.Module], snapshot: Snapshot) -> None:
    """Copy a snapshot's weights and buffers into the networks.

    Raises:
        WorkError: if they are those of other networks.
    """
    for name, net in nets.items():
        try:
            net.load_state_dict(snapshot.part(f"nets/{name}"))
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise WorkError(f"the checkpoint does not fit the network {name!r} of this run: {reason}") from None


def interchangeable(one: nn.Module, other: nn.Module) -> bool:
    """Whether either network can take over the other's weights and buffers: names and shapes are the same."""
    theirs, ours = ({key: value.shape for key, value in net.state_dict().items()} for net in (one, other))
    return theirs == ours


def optimizer_tensors(name: str, optimizer: Optimizer) -> dict[str, Tensor]:
    """An optimizer's moments, by their names in a checkpoint."""
    state = optimizer.state_dict()["state"]
    return {
        f"optimizers/{name}/{parameter}/{key}": torch.as_tensor(value)
        for parameter, entries in state.items()
        for key, value in entries.items()
        if value is not None
    }


def load_optimizer(name: str, optimizer: Optimizer, snapshot: Snapshot) -> None:
    """Give an optimizer the moments of a snapshot, laid out in memory as its weights are.

    Fused optimizers walk a weight and its moments side by side, and files hold everything in row-major order: a
    channels-last weight would meet the moments of others.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for path, value in snapshot.part(f"optimizers/{name}").items():
        number, _, key = path.partition("/")
        like = parameters[int(number)]
        laid_out = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        state.setdefault(int(number), {})[key] = laid_out
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
