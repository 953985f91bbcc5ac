"""Training in less memory: what blocks compute is not kept for the backward pass but computed again there.

Source: Chen, Xu, Zhang & Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016 (arXiv 1604.06174).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.checkpoint import checkpoint

from acclimate.errors import WorkError

_LISTS = (nn.Sequential, nn.ModuleList)
_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)
# So many layers with weights may stand in a list inside a block, such as a residual block's branch.
_OF_A_BLOCK = 4
_MARK = "recomputes"


def recompute_activations(net: nn.Module) -> None:
    """Make a network keep no more than its blocks' inputs for the backward pass in training mode, in place.

    A block is one of a list of modules: a residual block, or a layer with weights and what follows it up to the
    next. The backward pass runs it once more, over the whole batch, with the random state and the buffers (running
    averages, a spectral norm's vectors) of the first time, and leaves both as they are. Outputs, gradients, buffers
    and the random numbers drawn are those of the network itself. Undo it with `keep_activations`, for a network that
    is to be copied or pickled.
    """
    for blocks in _lists(net):
        if _is_chain(blocks):
            blocks.forward = _marked(functools.partial(_in_turn, _parts(blocks)))
            continue
        for block in blocks.children():
            if not _divides_itself(block) and any(True for _ in block.parameters()):
                block.forward = _marked(functools.partial(_computed_again, [block], block.forward))


def keep_activations(net: nn.Module) -> None:
    """Undo `recompute_activations`, in place; nothing happens to a network that never was."""
    for module in net.modules():
        if recomputes(module):
            del module.__dict__["forward"]


def recomputes(module: nn.Module) -> bool:
    """Whether the module's own forward pass is one that the backward pass repeats."""
    return hasattr(module.__dict__.get("forward"), _MARK)


def _marked(forward: functools.partial[Any]) -> Callable[..., Any]:
    setattr(forward, _MARK, True)
    return forward


def _is_chain(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _lists(module: nn.Module) -> Iterator[nn.Module]:
    """The lists of blocks in a network."""
    if isinstance(module, _LISTS):
        yield module
    for child in module.children():
        if not isinstance(module, _LISTS) or isinstance(child, _LISTS) or not _is_block(child):
            yield from _lists(child)


def _is_block(module: nn.Module) -> bool:
    """Whether a member of a list is computed again as a whole: it holds no list that is worth dividing."""
    return all(len(layers) <= _OF_A_BLOCK and not deep for layers, deep in map(_layers, _lists(module)))


def _layers(blocks: nn.Module) -> tuple[list[nn.Module], bool]:
    """The layers with weights in a list, norms left out, and whether it holds modules of several layers."""
    flat = [m for m in _flattened(blocks) if any(True for _ in m.parameters())]
    return [m for m in flat if not isinstance(m, _NORMS)], any(True for m in flat for _ in m.children())


def _flattened(module: nn.Module) -> Iterator[nn.Module]:
    if isinstance(module, _LISTS):
        for child in module:
            yield from _flattened(child)
    else:
        yield module


def _parts(chain: nn.Module) -> list[Callable[[Any], Any]]:
    """A chain's modules in the groups that are computed again together."""
    return [_part(group) for group in _groups(chain)]


def _part(group: list[nn.Module]) -> Callable[[Any], Any]:
    run = functools.partial(_in_turn, group)
    # What divides itself does it by itself, and what writes into its input cannot be run on it again.
    alone = _divides_itself(group[0]) or getattr(group[0], "inplace", False)
    return run if alone else functools.partial(_computed_again, group, run)


def _groups(chain: nn.Module) -> list[list[nn.Module]]:
    groups: list[list[nn.Module]] = [[]]
    for module in chain:  # type: ignore[attr-defined]
        weighs = any(True for _ in module.parameters()) and not isinstance(module, _NORMS)
        if groups[-1] and (weighs or _divides_itself(groups[-1][-1])):
            groups.append([])
        groups[-1].append(module)
    return groups


def _divides_itself(module: nn.Module) -> bool:
    return isinstance(module, _LISTS) or not _is_block(module)


def _in_turn(parts: Sequence[Callable[[Any], Any]], x: Any) -> Any:
    for part in parts:
        x = part(x)
    return x


def _computed_again(modules: Sequence[nn.Module], forward: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """The forward pass of some modules, run once more when the backward pass needs what it computed."""
    if not (torch.is_grad_enabled() and modules[0].training):
        return forward(*args, **named)
    inputs = [(x, x._version) for x in args if isinstance(x, Tensor)]
    held = [(owner, name, buffer.clone()) for owner, name, buffer in _buffers(modules)]

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _AsBefore(held)

    out = checkpoint(forward, *args, use_reentrant=False, context_fn=contexts, **named)
    if any(x._version != version for x, version in inputs):
        raise WorkError(
            f"a block of the network ({type(modules[0]).__name__}) writes into its input in place, so it cannot be "
            "computed again in the backward pass. Train with --set activations=keep, or let it work on a copy."
        )
    return out


def _buffers(modules: Sequence[nn.Module]) -> Iterator[tuple[nn.Module, str, Tensor]]:
    for module in modules:
        for owner in module.modules():
            yield from ((owner, name, buffer) for name, buffer in owner._buffers.items() if buffer is not None)


class _AsBefore:
    """Inside, buffers are copies of what they were; entered anew each time that the backward pass asks."""

    def __init__(self, held: Sequence[tuple[nn.Module, str, Tensor]]) -> None:
        self.held = held
        self.now: list[Tensor | None] = []

    def __enter__(self) -> None:
        self.now = [owner._buffers[name] for owner, name, _ in self.held]
        for owner, name, before in self.held:
            owner._buffers[name] = before.clone()

    def __exit__(self, *error: object) -> None:
        for (owner, name, _), now in zip(self.held, self.now, strict=True):
            owner._buffers[name] = now
