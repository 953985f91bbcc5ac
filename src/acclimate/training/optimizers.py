"""Optimizers: one for each network, so that an update moves exactly what it names."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from acclimate.networks.architecture import Pretrained
from acclimate.objectives import schedules
from acclimate.runs.options import TrainingOptions

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": schedules.constant,
    "annealing": schedules.annealing,
    "cosine": schedules.cosine,
}


def make_optimizer(net: nn.Module, options: TrainingOptions) -> Optimizer | None:
    """The optimizer the options ask for, over the network's trainable parameters; None if it has none.

    Parameters inside `Pretrained` modules form a group of their own with a scaled learning rate.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    _collect(net, 1.0, groups)
    if not groups:
        return None
    parameters = [{"params": p, "lr": options.lr * s, "lr_scale": s} for s, p in groups.items()]
    if options.optimizer == "sgd":
        return _light(SGD)(
            parameters,
            lr=options.lr,
            momentum=options.momentum,
            nesterov=options.nesterov and options.momentum > 0,
            weight_decay=options.weight_decay,
            fused=True,
        )
    kind = _light(AdamW if options.optimizer == "adamw" else Adam)
    betas = (options.momentum, 0.999)
    return kind(parameters, lr=options.lr, betas=betas, weight_decay=options.weight_decay, fused=True)


@cache
def _light(kind: type[Optimizer]) -> Callable[..., Optimizer]:
    """The optimizer, whose first step does not load torch's compiler, which takes as long as loading torch: a second.

    torch keeps a compiler's hands off some methods of optimizers, and loads it to tell it so. Here networks are
    compiled and optimizers never are, so the methods are called as they are below those wrappers; where a version
    of torch has none, or marks them otherwise, nothing changes but the second.
    """
    for method in (Optimizer.add_param_group, Optimizer.zero_grad, Optimizer.state_dict, Optimizer.load_state_dict):
        if (plain := getattr(method, "__wrapped__", None)) is not None:
            vars(plain).setdefault("__dynamo_disable", plain)
    step = getattr(kind.step, "__wrapped__", None)
    while step is not None and hasattr(step, "__wrapped__"):
        step = step.__wrapped__
    return kind if step is None else type(kind.__name__, (kind,), {"step": torch.no_grad()(step)})


def _collect(module: nn.Module, scale: float, groups: dict[float, list[nn.Parameter]]) -> None:
    if isinstance(module, Pretrained):
        scale = scale * module.lr_scale
    for parameter in module.parameters(recurse=False):
        if parameter.requires_grad:
            groups.setdefault(scale, []).append(parameter)
    for child in module.children():
        _collect(child, scale, groups)


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    """Give every group its share of the learning rate `lr`."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_scale"]
