"""A request that begins with a finished run: what it leaves open is as that run had it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from acclimate import discovery
from acclimate.errors import RequestError
from acclimate.runs.record import Run
from acclimate.runs.request import Request, method_name

# Problems whose source is a model of it; see `Problem.roles`.
_MODEL = "model"
# What a request leaves open is as before. Which columns count is not asked again: the schema says what they mean.
_INHERITED = (
    "source",
    *(f"{side}{what}_column" for side in ("", "source_", "target_") for what in ("text", "label", "id")),
    "delimiter",
    "bins",
    "network",
)


def continued(request: Request, named: Collection[str]) -> Request:
    """A request that begins with a run, with what it leaves open as that run had it.

    Args:
        request: with `model` set.
        named: the fields that the user named.

    Raises:
        RequestError: if the run cannot be gone on from, the network is another, the method is and needs a source, or
            nobody names a source for one that does.
    """
    run = _run_to_begin_with(request.model or "")
    before = Request(**run.config["request"])
    if request.task is not None:
        raise RequestError("task", "must not be given with a model", request.task, "Give --source and --target.")
    if "method" in named and method_name(request.method) != before.method and not _needs_no_source(request.method):
        fix = f"Leave the method out, or leave --model out to train {request.method!r} from the start."
        raise RequestError(
            "method",
            f"must be the model's own, {before.method!r}, or one that needs no source, such as 'shot'",
            repr(request.method),
            fix,
        )
    if request.network is not None and request.network != run.config["network"]:
        raise RequestError("network", f"must be the model's own, {run.config['network']!r}", repr(request.network),
                           "Leave network out.")  # fmt: skip
    kept = {name: getattr(before, name) for name in _INHERITED if getattr(request, name) is None}
    if request.source is None:
        kept["more_sources"] = before.more_sources
    if "quoting" not in named:
        kept["quoting"] = before.quoting
    method = method_name(request.method) if "method" in named else before.method
    if _needs_no_source(method):
        same = {"method_options": before.method_options, "training": before.training}
        kept |= {
            "source": request.source,
            "more_sources": request.more_sources,
            "method": method,
            **(same if method == before.method else {}),
        }
        return _without_source(request.model_copy(update=kept))
    continued = request.model_copy(
        update={**kept, "method": before.method, "method_options": before.method_options, "training": before.training}
    )
    if continued.source is None:
        raise RequestError(
            "source",
            f"must be given to the method {before.method!r}",
            f"none, and {request.model} was trained on {before.task or 'none'}",
            "Add --source with labelled data in the same classes, or --method shot, which needs none.",
        )
    return continued


def _needs_no_source(method: str) -> bool:
    """Whether a model stands for the source of what that method is for."""
    problem = discovery.find("method", method, discovery.methods()).fact("problem", "adaptation")
    return _MODEL in discovery.problems()[problem].fact("roles", ())


def _without_source(request: Request) -> Request:
    """A request that begins with a run and the target alone.

    Raises:
        RequestError: if it names a source.
    """
    if request.source is not None:
        fix = "Leave --source out; or leave --model out, and the source is learnt from first."
        raise RequestError("source", f"must not be given to {request.method!r} beside a model", request.source, fix)
    return request


def with_options(request: Request, method_options: Mapping[str, Any], training: Mapping[str, Any]) -> Request:
    """A request with further options over those that it has; epochs and steps are in each other's place."""
    kept = dict(request.training)
    for one, other in (("epochs", "steps"), ("steps", "epochs")):
        if training.get(one) is not None:
            kept.pop(other, None)
    return request.model_copy(
        update={
            "method_options": {**request.method_options, **method_options},
            "training": {**kept, **training},
        }
    )


def _run_to_begin_with(folder: str) -> Run:
    """The finished run in a folder.

    Raises:
        RequestError: if there is none, its weights are gone, or its method has sides of another kind.
    """
    run = Run(folder)
    if run.summary is None:
        raise RequestError("model", "must be a finished run", folder, f"Go on with: acclimate resume {folder}")
    if not any(run.checkpoints_path.glob("step-*")):
        fix = "`acclimate compare` keeps scores, not weights: train one with acclimate adapt."
        raise RequestError("model", "must still have its weights", f"none in {run.checkpoints_path}", fix)
    method = discovery.find("method", run.config["method"]["name"], discovery.methods())
    if method.fact("problem", "adaptation") == "regression":
        fix = "Train it anew on the new data, without --model."
        raise RequestError("model", "must be of a method that tells classes apart", repr(method.name), fix)
    if method.fact("problem", "adaptation") in ("heterogeneous", "retrieval", "several-sources"):
        fix = "Train it anew on the new data, without --model."
        raise RequestError(
            "model", "must be of a method of one source with the same features on both sides", repr(method.name), fix
        )
    return run
