"""The networks and the settings that all PyTorch libraries are given alike."""

from __future__ import annotations

import torch
from torch import nn

from acclimate.networks.architecture import Architecture
from acclimate.networks.digits import DannMnist, DannSvhn, McdSvhn, McdUsps

# Not from the registry, which imports networks that need packages no peer has.
NETWORKS = {"dann-mnist": DannMnist, "dann-svhn": DannSvhn, "mcd-usps": McdUsps, "mcd-svhn": McdSvhn}
ADAM = {"lr": 2e-4, "weight_decay": 5e-4}
CLASSES = 10


def network(name: str, channels: int) -> Architecture:
    """An architecture of acclimate, one thread, and a fixed seed."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return NETWORKS[name](channels)


def tensors(*arrays: object) -> list[torch.Tensor]:
    """Arrays as tensors."""
    return [torch.as_tensor(array) for array in arrays]


class Both(nn.Module):
    """Two classifiers, their logits as a list."""

    def __init__(self, *classifiers: nn.Module) -> None:
        super().__init__()
        self.classifiers = nn.ModuleList(classifiers)

    def forward(self, features: torch.Tensor) -> list[torch.Tensor]:
        """Logits of each."""
        return [classifier(features) for classifier in self.classifiers]
