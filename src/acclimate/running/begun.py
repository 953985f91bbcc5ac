"""Going on from a finished run on another batch: the request, the plan, the weights, and that run beside the new one.

Everything that gives the weights their meaning is the old run's: method, networks, preprocessing, classes. What only
says how to train may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.problems.fitting import taken_over
from acclimate.problems.planning import make_method
from acclimate.running.description import plan_of
from acclimate.running.memory import fitting
from acclimate.running.requests import plan_request
from acclimate.runs.manifest import file_hash
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import checkpoints
from acclimate.training.checkpoints import Snapshot, interchangeable
from acclimate.training.plan import Plan

# What a network sees of an example; other inputs would mean nothing to the weights.
_OF_INPUTS = (
    "normalisation",
    "image_size",
    "vocabulary",
    "words",
    "word_vectors",
    "word_width",
    "photo_encoder",
    "text_features",
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
        old = plan_of(Run(request.model))
        plan = begun_with(old, make_method(request.method, request.method_options), task.target, request.training)
    return fitting(plan, task.source, task.target)


def begun_with(plan: Plan, method: Method, target: Domain, training: Mapping[str, Any]) -> Plan:
    """The plan of going on from a model: by its own method, or by another whose answers are made as that one's are.

    Args:
        plan: of the model to begin with.
        method: to go on by.
        target: the new target.
        training: training options.

    Raises:
        RequestError: if an option would change what the networks see, or the method another's answers.
    """
    if method.name == plan.method.name:
        return altered(plan, method, training)
    check_answers_alike(plan, method, target)
    own = {name: getattr(plan.options, name) for name in (*_OF_INPUTS, "device", "seed")}
    given = _given_for(own, training)
    options = TrainingOptions.resolve({**own, **method.recipe}, given)
    return replace(plan, method=method, options=options, notes=()).settled()


def altered(plan: Plan, method: Method, training: Mapping[str, Any]) -> Plan:
    """A plan trained otherwise, for the same networks on the same inputs.

    Args:
        plan: of the model to go on from.
        method: its method, perhaps with other hyper-parameters.
        training: training options over those of the plan.

    Raises:
        RequestError: if one of them would change what the networks see.
    """
    _check_sides(plan.method)
    own = {**plan.options.model_dump(), "activations": "auto"}  # memory is this machine's
    given = _given_for(own, training)
    if given.get("precision") == "auto":
        del given["precision"]  # it was decided when the model was trained
    if "epochs" in given:
        own["steps"] = None
    return replace(plan, method=method, options=TrainingOptions.resolve(own, given))


def _given_for(own: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """The training options that are given.

    Raises:
        RequestError: if one would change what the networks see.
    """
    given = {name: value for name, value in training.items() if value is not None}
    for name in _OF_INPUTS:
        if name in given and given[name] != own[name]:
            fix = "Leave it out, or train anew without the model."
            raise RequestError(name, f"must be the model's own, {own[name]!r}", repr(given[name]), fix)
    return given


@torch.no_grad()
def check_answers_alike(plan: Plan, method: Method, target: Domain) -> None:
    """Refuse a model whose answers a method would not give with the networks that both have by name.

    Tried on fresh networks and a few examples, as that is what shows it whatever the two are.

    Args:
        plan: of the model.
        method: to take it over.
        target: examples of the model's form.

    Raises:
        RequestError: if the answers differ, or the method lacks a network that the model answers with.
    """
    seen = plan.preprocess.of("target")
    x = seen.batch(seen.fit(target.take(slice(2))).inputs[:], None)
    theirs, ours = plan.networks(), replace(plan, method=method).networks()
    alike_by_name = (name for name in theirs if name in ours and interchangeable(theirs[name], ours[name]))
    shared = {name: theirs[name].eval() for name in alike_by_name}
    try:
        alike = torch.equal(plan.method.logits(shared, x), method.logits({**ours, **shared}, x))
    except KeyError:
        alike = False
    if not alike:
        raise RequestError(
            "model",
            f"must answer by one feature extractor and one classifier to be taken over by {method.name!r}",
            f"one of {plan.method.name!r}, which answers in a way of its own",
            "Begin with a run of source-only, dann, dan, coral, adabn or mcc.",
        )


def weights_of(run: Run, plan: Plan) -> Snapshot:
    """The networks of a finished run; what the method of a plan has beside them is fresh."""
    return taken_over(checkpoints.load(checkpoints.of_run(run), "nets/"), run.config["method"]["name"], plan)


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
