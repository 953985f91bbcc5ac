"""Going on from a finished run on another batch: the request, the plan, the weights, and that run beside the new one.

Everything that gives the weights their meaning is the old run's: method, networks, preprocessing, classes. What only
says how to train may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.runs.manifest import file_hash
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import checkpoints
from acclimate.training.checkpoints import Snapshot
from acclimate.training.description import plan_of
from acclimate.training.memory import fitting
from acclimate.training.plan import Plan
from acclimate.training.requests import make_method, plan_request

# What a network sees of an example; other inputs would mean nothing to the weights.
_OF_INPUTS = (
    "normalisation",
    "image_size",
    "vocabulary",
    "words",
    "word_vectors",
    "word_width",
    "photo_encoder",
    "row_space",
)


def plan_for(request: Request, task: Task) -> Plan:
    """The plan of a request: that of the run it begins with, as far as it gives weights a meaning, or a new one.

    Raises:
        RequestError: if an option would change what the networks see, or training does not fit into memory.
    """
    if request.model is None:
        plan = plan_request(request, task)
    else:
        plan = altered(plan_of(Run(request.model)), request.method_options, request.training)
    return fitting(plan, task.source, task.target)


def altered(plan: Plan, method_options: Mapping[str, Any], training: Mapping[str, Any]) -> Plan:
    """A plan trained otherwise, for the same networks on the same inputs.

    Args:
        plan: of the model to go on from.
        method_options: hyper-parameters of its method.
        training: training options over those of the plan.

    Raises:
        RequestError: if one of them would change what the networks see.
    """
    _check_sides(plan.method)
    own = {**plan.options.model_dump(), "activations": "auto"}  # memory is this machine's
    given = {name: value for name, value in training.items() if value is not None}
    if given.get("precision") == "auto":
        del given["precision"]  # it was decided when the model was trained
    for name in _OF_INPUTS:
        if name in given and given[name] != own[name]:
            fix = "Leave it out, or train anew without the model."
            raise RequestError(name, f"must be the model's own, {own[name]!r}", repr(given[name]), fix)
    if "epochs" in given:
        own["steps"] = None
    return replace(
        plan,
        method=make_method(plan.method.name, {**plan.method.model_dump(), **method_options}),
        options=TrainingOptions.resolve(own, given),
    )


def weights_of(run: Run) -> Snapshot:
    """The networks of a finished run."""
    return checkpoints.load(checkpoints.of_run(run), "nets/")


def facts_of(folder: str) -> dict[str, Any]:
    """What `config.json` keeps of the run that another begins with: where it was, and the SHA-256 of its weights."""
    run = Run(folder)
    return {"run": folder, "weights": file_hash(checkpoints.of_run(run))}


def _check_sides(method: Method) -> None:
    """Refuse a method whose sides have features of their own: its weights may be those of one batch's rows."""
    if method.problem in ("heterogeneous", "retrieval"):
        fix = "Train it anew on the new data."
        raise RequestError(
            "model", "must be of a method with the same features on both sides", repr(method.name), fix
        )
