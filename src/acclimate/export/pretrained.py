"""Weights and what builds the networks, as the Hugging Face Hub lays a model out: `model.safetensors`, `config.json`.

The folder is read as a run's configuration is, so what is checked there is checked here; it holds no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import acclimate
from acclimate.errors import RequestError, WorkError
from acclimate.networks.architecture import Architecture
from acclimate.running.description import as_described, plan_of
from acclimate.runs.files import as_json
from acclimate.runs.record import FORMAT, Run
from acclimate.training.checkpoints import Snapshot, load_networks, network_tensors
from acclimate.training.fitted import Fitted
from acclimate.training.plan import Plan

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_PASSING = ("command", "commit", "created", "machine", "processes", "threads", "begun_from")


def write_pretrained(folder: Path, fitted: Fitted, config: Mapping[str, Any]) -> None:
    """Write both files.

    Args:
        folder: where.
        fitted: the model.
        config: a run's `config.json`, or `config_of`.
    """
    kept = {**public(config), "library_name": "acclimate"}
    (folder / CONFIG).write_text(as_json(kept), encoding="utf-8")
    tensors = {
        name: value.detach().contiguous().cpu().clone() for name, value in network_tensors(fitted.nets).items()
    }
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's configuration without what says nothing of the model: machine, moment, and where files lay."""
    task, request = config["task"], config.get("request", {})
    sides = [task["names"][side] for side in ("source", "target") if side in task["names"]]  # some have no source
    name = task["name"] if request.get("task") else " → ".join(sides)
    kept = {name: value for name, value in config.items() if name not in _PASSING}
    return {**kept, "request": {}, "task": {**task, "name": name, "fingerprints": {}}}


def check_named(fitted: Fitted) -> None:
    """Refuse a network that is a module of the user's own, which no file can name.

    Raises:
        RequestError: if it is.
    """
    if fitted.plan.network == "custom":
        raise RequestError(
            "form",
            "must be onnx or pt2 for a network of your own, which cannot be built again from a file",
            "'safetensors'",
            "Choose --form onnx.",
        )


def config_of(fitted: Fitted, schemas: Mapping[str, Any], bins: list[float] | None) -> dict[str, Any]:
    """The configuration of a model that was fitted in Python, as a run's `config.json` has it.

    Args:
        fitted: the model.
        schemas: `schema` and, where the sides have columns of their own, `source_schema`.
        bins: edges of the ranges that its classes are, or None.
    """
    plan = fitted.plan
    sides = ("source", "target")
    return {
        "format": FORMAT,
        "acclimate": acclimate.__version__,
        "request": {},
        "task": {
            "name": "data in Python",
            "classes": list(plan.classes),
            "num_classes": len(plan.classes),
            "sizes": dict.fromkeys(sides, 0),
            "names": {side: side for side in sides},
            "labelled_target": 0,
            "fingerprints": {},
            "bins": bins,
            "notes": [],
            **schemas,
        },
        "problem": plan.method.problem,
        "method": {
            "name": plan.method.name,
            "title": plan.method.title,
            "paper": plan.method.paper,
            "options": plan.method.model_dump(mode="json"),
        },
        "network": plan.network,
        "preprocess": plan.preprocess.model_dump(mode="json"),
        "training": plan.options.model_dump(mode="json"),
        "steps": 0,
    }


def read_pretrained(folder: Path | str) -> Fitted:
    """The model of a folder with both files.

    Raises:
        RequestError: if they are not there.
        WorkError: if one is damaged or does not fit the other.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        fix = "Write one with: acclimate export RUN FOLDER --form safetensors"
        raise RequestError("folder", f"must hold {WEIGHTS} and {CONFIG}", repr(str(folder)), fix)
    run = Run(folder)
    plan = plan_of(run)
    bare = replace(plan, architecture=_without_weights(plan.architecture))
    with as_described(run):
        nets = bare.networks()
    try:
        load_networks(nets, Snapshot(0, load_file(path)))
    except (SafetensorError, OSError) as error:
        raise WorkError(f"{path} cannot be read: {error}") from None
    return _fitted(plan, nets)


def _fitted(plan: Plan, nets: Mapping[str, Any]) -> Fitted:
    device = plan.processes.device
    return Fitted(plan, {name: net.to(device).eval() for name, net in nets.items()}, device)


def _without_weights(architecture: Architecture) -> Architecture:
    """The same networks, for weights that come: those that training began with need not be on this machine."""
    changes: dict[str, Any] = {}
    for one in fields(architecture) if is_dataclass(architecture) else ():
        value = getattr(architecture, one.name)
        if one.name == "pretrained":
            changes["pretrained"] = False
        elif isinstance(value, Architecture):
            changes[one.name] = _without_weights(value)
    return replace(architecture, **changes)
