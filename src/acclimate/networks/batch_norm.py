"""Batch-norm layers: finding them and estimating their statistics afresh."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
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


@contextmanager
def batch_statistics(modules: Mapping[str, nn.Module]) -> Iterator[None]:
    """Inside, batch-norm layers normalise by the batch at hand, as while training, but leave their averages alone.

    Args:
        modules: the networks in eval mode; dropout stays off.
    """
    layers = [layer for layer in batch_norm_layers(modules) if layer.running_mean is not None]
    averages = [(layer.running_mean, layer.running_var) for layer in layers]
    for layer in layers:
        layer.running_mean = layer.running_var = None  # without averages, layers use the batch in eval mode too
    try:
        yield
    finally:
        for layer, (mean, variance) in zip(layers, averages, strict=True):
            layer.running_mean, layer.running_var = mean, variance


@contextmanager
def mixed_statistics(modules: Mapping[str, nn.Module], share: float) -> Iterator[None]:
    """Inside, batch-norm layers normalise by their averages and, to a share, by the batch at hand.

    Averages are as before afterwards.

    Args:
        modules: the networks in eval mode; dropout stays off.
        share: of the batch's own mean and variance, in [0, 1]; 1 is `batch_statistics`, but for its batches of one.
    """
    layers = list(averaging_layers(modules).values())
    averages = [(layer.running_mean, layer.running_var) for layer in layers]

    def mixing(mean: Tensor, variance: Tensor) -> Callable[[_BatchNorm, Any], None]:
        def mix(layer: _BatchNorm, inputs: tuple[Tensor, ...]) -> None:
            seen, spread = _moments(inputs[0])
            layer.running_mean, layer.running_var = mean.lerp(seen, share), variance.lerp(spread, share)

        return mix

    handles = [
        layer.register_forward_pre_hook(mixing(mean, variance))
        for layer, (mean, variance) in zip(layers, averages, strict=True)
        if mean is not None and variance is not None
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for layer, (mean, variance) in zip(layers, averages, strict=True):
            layer.running_mean, layer.running_var = mean, variance


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel, `(channels,)`, of inputs `(b, channels, …)`."""
    if x.device.type == "cpu":  # a quarter of the time that the sums of var_mean take there
        return torch.batch_norm_update_stats(x, None, None, 0.0)
    variance, mean = torch.var_mean(x.transpose(0, 1).flatten(1), dim=1, correction=0)
    return mean, variance


def affine_alone(modules: Mapping[str, nn.Module]) -> list[nn.Parameter]:
    """The scales and shifts of batch-norm layers with averages, which alone learn from then on.

    Args:
        modules: the networks; every other parameter is set not to, in place.
    """
    for net in modules.values():
        net.requires_grad_(False)
    layers = averaging_layers(modules).values()
    found = [parameter for layer in layers for parameter in layer.parameters(recurse=False)]
    for parameter in found:
        parameter.requires_grad_(True)
    return found


@dataclass
class SeenStatistics:
    """Mean and variance of what reached one batch-norm layer, per channel, over several batches.

    Attributes:
        n: values per channel so far.
        mean: `(channels,)`.
        variance: `(channels,)`, biased.
    """

    n: int = 0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(1))
    variance: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def add(self, x: Tensor) -> None:
        """Take in a layer's input `(b, channels, …)`."""
        variance, mean = torch.var_mean(x.detach().float().transpose(0, 1).flatten(1), dim=1, correction=0)
        self._join(x.numel() // x.shape[1], *(v.cpu().numpy().astype(np.float64) for v in (mean, variance)))

    def _join(self, n: int, mean: np.ndarray, variance: np.ndarray) -> None:
        # Chan, Golub & LeVeque's update: adding up squares would lose small variances around large means.
        total = self.n + n
        apart = mean - self.mean
        self.variance = (self.n * self.variance + n * variance + apart**2 * self.n * n / total) / total
        self.mean = self.mean + apart * n / total
        self.n = total


@contextmanager
def watched(modules: Mapping[str, nn.Module]) -> Iterator[dict[str, SeenStatistics]]:
    """Inside, what reaches each batch-norm layer with running averages is summed up, by `<network>.<layer>`."""
    seen: dict[str, SeenStatistics] = {}

    def noting(name: str) -> Callable[[nn.Module, Any], None]:
        return lambda _layer, inputs: seen.setdefault(name, SeenStatistics()).add(inputs[0])

    layers = averaging_layers(modules)
    handles = [layer.register_forward_pre_hook(noting(name)) for name, layer in layers.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def averaging_layers(modules: Mapping[str, nn.Module]) -> dict[str, _BatchNorm]:
    """Batch-norm layers that keep running averages, by `<network>.<layer>`."""
    return {
        f"{net}.{name}": layer
        for net, module in modules.items()
        for name, layer in module.named_modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None
    }


def distance(layer: _BatchNorm, seen: SeenStatistics) -> float:
    """How far what reached a layer lies from its running averages: 0 is the same, 1 a standard deviation.

        median over channels of max(|μ − m| / s, |ln(σ / s)|)

    with m, s the running mean and deviation, and μ, σ those seen. The layer's ε is in both deviations, as when it
    normalises, so channels that never vary do not count for much.
    """
    assert layer.running_mean is not None
    assert layer.running_var is not None
    mean = layer.running_mean.detach().cpu().double().numpy()
    deviation = np.sqrt(layer.running_var.detach().cpu().double().numpy() + layer.eps)
    moved = np.abs(seen.mean - mean) / deviation
    stretched = np.abs(np.log(np.sqrt(seen.variance + layer.eps) / deviation))
    return float(np.median(np.maximum(moved, stretched)))
