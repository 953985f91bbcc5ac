"""Networks made ready to be trained on a device, and made plain again."""

from __future__ import annotations

import torch
from torch import nn

from acclimate.networks.recompute import keep_activations, recompute_activations
from acclimate.runs.options import TrainingOptions
from acclimate.training.allocator import return_freed_memory
from acclimate.training.precision import train_in_bf16, train_in_fp32
from acclimate.training.processes import Processes


def placed(net: nn.Module, kind: str, options: TrainingOptions, processes: Processes) -> nn.Module:
    """The network on this process's device, in the form that the options ask for while it is trained.

    Args:
        net: changed in place.
        kind: what it sees, as `Domain.kind` has it.
        options: resolved options.
        processes: this process's device, and whether others train with it.
    """
    net = net.to(processes.device)
    if kind == "images":
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if processes.size > 1 and processes.device.type == "cuda":  # the only devices it is made for
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
    if options.activations == "recompute":
        return_freed_memory()
        recompute_activations(net)
    if options.precision == "bf16":
        train_in_bf16(net, processes.device)
    if options.compile:
        net.compile()
    return net


def as_made(net: nn.Module) -> nn.Module:
    """The network with the forward pass of its own class, in place."""
    keep_activations(net)
    train_in_fp32(net)
    return net
