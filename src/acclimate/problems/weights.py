"""What the option `weights` asks for."""

from __future__ import annotations

from acclimate.data.weights import balanced_weights
from acclimate.errors import RequestError
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.runs.options import TrainingOptions
from acclimate.streams.order import Weigh


def class_weights(method: Method, options: TrainingOptions) -> Weigh | None:
    """What gives labels their weights; None where all examples count alike.

    Raises:
        RequestError: if the method cannot weigh classes.
    """
    if options.weights is None:
        return None
    if not needs.weighs_classes(method):
        raise RequestError(
            "weights",
            f"must be left out for the method {method.name!r}, whose labels all count alike",
            repr(options.weights),
            "Leave it out, or choose a method that trains a classifier: acclimate methods.",
        )
    return balanced_weights
