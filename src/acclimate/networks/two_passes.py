"""Two passes of one input through the same weights, for little more than the price of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from acclimate.networks.recompute import recomputes

_BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d)
_DROPOUT = (nn.Dropout, nn.Dropout2d)
# What gives the same output for the same input and remembers nothing. A network with anything else is run twice.
_PURE = (
    nn.AdaptiveAvgPool2d,
    nn.AvgPool2d,
    nn.Conv2d,
    nn.Flatten,
    nn.Identity,
    nn.LeakyReLU,
    nn.Linear,
    nn.MaxPool2d,
    nn.ReLU,
    nn.ReLU6,
)


def two_passes(net: nn.Module, x: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    """Run `x` through a network twice, first without a graph, then with one, its weights not moving in between.

    A chain of layers of which only the last may be random is computed once: for the second pass a last dropout draws
    a new mask, and the running statistics of batch norm move on by the same batch. Outputs, gradients, statistics and
    the random numbers drawn are those of two calls, bit for bit on a CPU. Any other network is called twice.

    Args:
        net: in training mode.
        x: its input.

    Returns:
        The output of the first pass, without a graph, and a function that makes the second pass, to be called once.
    """
    layers = list(_chain(net))
    if not _computable_once(net, layers):
        with torch.no_grad():
            return net(x), lambda: net(x)
    dropout = layers.pop() if isinstance(layers[-1], _DROPOUT) else nn.Identity()
    norms = [layer for layer in layers if isinstance(layer, _BATCH_NORM)]
    first, seen = _recorded(net, x, [*norms, layers[-1]])

    def second() -> Tensor:
        for norm in norms:
            _advance(norm, seen[norm][0])
        # The dtype is the network's own: one that trains in bf16 hands out float32.
        return dropout(seen[layers[-1]][1]).to(first.dtype)  # type: ignore[no-any-return]

    return first.detach(), second


def _chain(net: nn.Module) -> Iterator[nn.Module]:
    """The layers of nested `nn.Sequential`s in order; whatever is none counts as one layer."""
    if isinstance(net, nn.Sequential) and type(net).forward is nn.Sequential.forward:
        for child in net:  # not children(), which names a layer once that is used twice
            yield from _chain(child)
    else:
        yield net


def _computable_once(net: nn.Module, layers: list[nn.Module]) -> bool:
    if any(map(recomputes, net.modules())):
        return False  # recording what it computes would keep it
    if net._compiled_call_impl is not None or len({*layers}) < max(2, len(layers)):
        return False  # hooks would make a compiled network compile again; a layer used twice would be recorded once
    *body, last = layers
    return all(_repeatable(layer) for layer in body) and (_repeatable(last) or _redrawable(last))


def _repeatable(layer: nn.Module) -> bool:
    # The type itself: a subclass or a parametrised layer may do more.
    if type(layer) in _BATCH_NORM:
        return layer.training and layer.track_running_stats and layer.momentum is not None  # type: ignore[return-value]
    return type(layer) in _PURE


def _redrawable(layer: nn.Module) -> bool:
    return type(layer) in _DROPOUT and not layer.inplace


def _recorded(
    net: nn.Module, x: Tensor, layers: Iterable[nn.Module]
) -> tuple[Tensor, dict[nn.Module, tuple[Tensor, Tensor]]]:
    """The output of a network, and what went in and came out of some of its layers."""
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def record(layer: nn.Module, args: tuple[Tensor], output: Tensor) -> None:
        seen[layer] = args[0], output

    handles = [layer.register_forward_hook(record) for layer in {*layers}]
    try:
        return net(x), seen
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def _advance(norm: nn.Module, x: Tensor) -> None:
    """Move running statistics by the batch `x`, as a forward pass in training mode does."""
    # .data, as the graph of the first pass holds these buffers and would call the move a modification. Training mode
    # does not read them.
    norm.num_batches_tracked.add_(1)  # type: ignore[operator]
    torch.batch_norm_update_stats(x, norm.running_mean.data, norm.running_var.data, norm.momentum)  # type: ignore
