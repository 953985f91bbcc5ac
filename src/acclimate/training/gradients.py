"""Gradients of what an update names, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from acclimate.errors import WorkError
from acclimate.types import Update


def backward(update: Update, nets: Mapping[str, nn.Module]) -> list[nn.Parameter]:
    """Compute the gradients of exactly the networks that an update trains.

    Naming the parameters to `backward` makes autograd skip everything else, including weight gradients of layers
    that are only passed through.

    Args:
        update: what to minimise, and over what.
        nets: all networks.

    Returns:
        The parameters whose gradients were computed.

    Raises:
        WorkError: if the loss does not depend on a network that the update names.
    """
    parameters: list[nn.Parameter] = []
    for name in update.trains:
        own = [p for p in nets[name].parameters() if p.requires_grad]
        parameters.extend(own)
    for parameter in parameters:
        parameter.grad = None
    update.loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]
    for name in update.trains:
        if all(p.grad is None for p in nets[name].parameters()):
            raise WorkError(f"an update trains {name!r}, but its loss does not depend on that network")
    return parameters
