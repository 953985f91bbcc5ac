"""Batch-norm layers: finding them and estimating their statistics afresh."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def batch_norm_layers(modules: Mapping[str, nn.Module]) -> list[_BatchNorm]:
    """All batch-norm layers of the networks."""
    return [m for net in modules.values() for m in net.modules() if isinstance(m, _BatchNorm)]


@torch.no_grad()
def estimate_statistics(modules: Mapping[str, nn.Module], forwards: Iterable[Tensor]) -> None:
    """Replace running means and variances by averages over batches, in place.

    Only batch-norm layers are put into training mode, with the cumulative average (momentum None); dropout stays off.

    Args:
        modules: the networks, in any mode; they are left in eval mode.
        forwards: an iterable whose steps run one batch each through the networks.
    """
    layers = batch_norm_layers(modules)
    momenta = [layer.momentum for layer in layers]
    for net in modules.values():
        net.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    for _ in forwards:
        pass
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        layer.eval()
