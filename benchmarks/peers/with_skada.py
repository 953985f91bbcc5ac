"""Steps of skada: `skada.deep.DANN` through skorch's `train_step`; it has no MCD."""

from __future__ import annotations

from collections.abc import Callable

import torch
from modules import ADAM, CLASSES, network, tensors
from skada.deep import DANN
from torch import nn
from worker import BATCH, SIDES, images

from acclimate.objectives.adversarial import reverse_gradient


class Discriminator(nn.Module):
    """What skada expects of one: it reverses gradients by itself and answers with probabilities."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The probability of one of the domains."""
        return self.net(reverse_gradient(features)).sigmoid().flatten()


class Network(nn.Module):
    """Features and classifier in one, the features by name."""

    def __init__(self, features: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.features, self.classifier = features, classifier

    def forward(self, x: torch.Tensor, sample_weight: object = None) -> torch.Tensor:
        """Logits."""
        return self.classifier(self.features(x))


def make(method: str, name: str) -> Callable[[], object]:
    """A training step."""
    assert method == "dann"
    built = network(name, SIDES[name][1])
    x, y, t = tensors(*images(name))
    net = DANN(
        Network(built.features(), built.classifier(CLASSES)),
        layer_name="features",
        domain_classifier=Discriminator(built.discriminator()),
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=ADAM["weight_decay"],
        lr=ADAM["lr"],
        train_split=None,
    ).initialize()
    batch = (
        {"X": torch.cat([x, t]), "sample_domain": torch.tensor([1] * BATCH + [-2] * BATCH)},
        torch.cat([y, torch.full((BATCH,), -1)]),
    )
    return lambda: net.train_step(batch)
