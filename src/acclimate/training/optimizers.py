"""Optimizers: one for each network, so that an update moves exactly what it names."""

from __future__ import annotations

from collections.abc import Callable

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
        return SGD(
            parameters,
            lr=options.lr,
            momentum=options.momentum,
            nesterov=options.nesterov and options.momentum > 0,
            weight_decay=options.weight_decay,
            fused=True,
        )
    kind = AdamW if options.optimizer == "adamw" else Adam
    betas = (options.momentum, 0.999)
    return kind(parameters, lr=options.lr, betas=betas, weight_decay=options.weight_decay, fused=True)


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
