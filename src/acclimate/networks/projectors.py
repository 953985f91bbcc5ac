"""Networks for two sides with different features: one projector for each, and heads on the space they share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.networks.architecture import Architecture
from acclimate.networks.linear import ComputedLinear

Depth = Literal["single", "double"]
_SLOPE = 0.2


@dataclass(frozen=True)
class Projectors(Architecture):
    """Tells a heterogeneous method how wide each side is.

    What a projector looks like belongs to the methods of this kind, whose papers differ in little else.

    Attributes:
        channels: features of the target.
        source_channels: features of the source.
        shared: pairs of a source feature and of a target feature that are the same by name.
        common: d, width of the common space.
        depth: layers of each projector.
        deviation: of the Gaussian that all weights and biases are drawn from; None for torch's own initialisation.
    """

    source_channels: int = 0
    shared: tuple[tuple[int, int], ...] = ()
    common: int = 256
    depth: Depth = "double"
    deviation: float | None = None

    @property
    def width(self) -> int:
        """d, the same for both sides."""
        return self.common

    def features(self) -> nn.Module:
        """The target's projector."""
        return self._drawn(projector(self.channels, self.common, self.depth))

    def source_features(self) -> nn.Module:
        """The source's projector."""
        return self._drawn(projector(self.source_channels, self.common, self.depth))

    def classifier(self, num_classes: int) -> nn.Module:
        """FC - leaky ReLU: a logit below zero counts a fifth."""
        return self._drawn(nn.Sequential(nn.Linear(self.common, num_classes), nn.LeakyReLU(_SLOPE)))

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """One linear layer."""
        return self._drawn(nn.Linear(inputs or self.common, 1))

    def _drawn(self, module: nn.Module) -> nn.Module:
        if self.deviation is not None:
            for parameter in module.parameters():
                nn.init.normal_(parameter, 0.0, self.deviation)
        return module


class UnitRows(nn.Module):
    """Scales each row to length 1."""

    def forward(self, x: Tensor) -> Tensor:
        """`(b, d)` to `(b, d)`."""
        return F.normalize(x)


def projector(channels: int, common: int, depth: Depth = "double") -> nn.Module:
    """Linear layers with leaky ReLUs (slope 0.2) into the common space, rows scaled to length 1.

    Args:
        channels: features of the side.
        common: d, width of the common space.
        depth: `"double"` has a hidden layer of (channels + common) / 2 units, `"single"` none.
    """
    hidden = (channels + common) // 2
    widths = (channels, hidden, common) if depth == "double" else (channels, common)
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.LeakyReLU(_SLOPE)]
    return nn.Sequential(*layers, UnitRows())


def heads_and_projectors(
    architecture: Projectors, num_classes: int, common: int, depth: Depth, deviation: float | None
) -> dict[str, nn.Module]:
    """The networks of a heterogeneous method, by name.

    Args:
        architecture: for the widths of both sides.
        num_classes: k.
        common: d, width of the common space.
        depth: layers of each projector.
        deviation: of the initial weights, or None for torch's own initialisation.
    """
    built = replace(architecture, common=common, depth=depth, deviation=deviation)
    return {
        "source_features": built.source_features(),
        "target_features": built.features(),
        "classifier": built.classifier(num_classes),
        "discriminator": built.discriminator(),
    }


def target_alone(architecture: Projectors, classifier: Callable[[int], nn.Module]) -> dict[str, nn.Module]:
    """The networks of a method that looks at the target's own features only; every source example is at the origin.

    Args:
        architecture: for the widths of both sides.
        classifier: makes the classifier for a width.
    """
    return {
        "source_features": ComputedLinear(architecture.source_channels, architecture.channels),
        "target_features": nn.Identity(),
        "classifier": classifier(architecture.channels),
    }
