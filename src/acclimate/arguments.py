"""Classes whose constructors say what they take: an estimator's arguments are a method's and those of training."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from pydantic import BaseModel

from acclimate.runs.options import TrainingOptions

T = TypeVar("T")


def with_arguments(name: str, base: type[T], options: type[BaseModel], unset: str) -> type[T]:
    """A class whose arguments are these options, `network`, `bins` and those of training.

    Args:
        name: of the class.
        base: what it does.
        options: its own, with their description and in whose docstring what it is for.
        unset: what holds of training options that are left at None, in a sentence.
    """
    signature = _signature(options)

    def __init__(self: T, **arguments: Any) -> None:  # noqa: N807  becomes a class's
        bound = signature.bind(self, **arguments)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    document, module = "\n".join([_document(options), "", unset]), base.__module__
    return type(name, (base,), {"__init__": __init__, "__doc__": document, "__module__": module, "_method": options})


def _document(options: type[BaseModel]) -> str:
    own = [f"    {name}: {field.description}" for name, field in options.model_fields.items()]
    training = [f"    {name}: {field.description}" for name, field in TrainingOptions.model_fields.items()]
    network = "    network: name of an architecture, a feature extractor (nn.Module) of your own, or None."
    bins = "    bins: predict so many ranges of y, of equal size in the source; y is then a number. None for classes."
    return "\n".join([inspect.getdoc(options) or "", "", "Args:", *own, network, bins, *training])


def _signature(method: type[BaseModel]) -> inspect.Signature:
    """`(self, *, <hyper-parameters>, network=None, bins=None, <training options>)`, with defaults shown."""
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    defaults = {name: field.default for name, field in method.model_fields.items()}
    defaults |= {"network": None, "bins": None}
    defaults |= dict.fromkeys(TrainingOptions.model_fields)
    for name, default in defaults.items():
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
    return inspect.Signature(parameters)
