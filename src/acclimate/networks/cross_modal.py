"""Networks that bring queries of one kind, such as sketches, to a gallery of another, such as photos' features."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.networks.architecture import Architecture
from acclimate.networks.mobilenet import MobileNetV2, load_mobilenet

_SLOPE = 0.2


@dataclass(frozen=True)
class CrossModal(Architecture):
    """Tells a retrieval method what its queries are encoded by and how wide the gallery's features are.

    Attributes:
        channels: d, features of the gallery (the target), which come from a frozen encoder.
        query: builds the encoder of queries (the source).
    """

    query: Architecture

    @property
    def width(self) -> int:
        """d, the gallery's."""
        return self.channels

    def features(self) -> nn.Module:
        """The encoder of queries."""
        return self.query.features()

    def bridge(self, hidden: int, to: int | None = None) -> nn.Sequential:
        """From a query's features to another space: FC hidden - BN - leaky ReLU - FC d, the last one linear.

        Args:
            hidden: units of the hidden layer.
            to: d; by default the gallery's width.
        """
        return bridge(self.query.width, hidden, to or self.channels)


def bridge(width: int, hidden: int, to: int) -> nn.Sequential:
    """FC hidden - BN - leaky ReLU (0.2) - dropout (½) - FC `to`.

    Args:
        width: of the input.
        hidden: units of the hidden layer.
        to: of the output.
    """
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.BatchNorm1d(hidden),
        nn.LeakyReLU(_SLOPE),
        nn.Dropout(0.5),
        nn.Linear(hidden, to),
    )


def vector_critic(width: int, hidden: tuple[int, ...]) -> nn.Sequential:
    """Tells real vectors from made ones: FC - leaky ReLU (0.2) - dropout (0.3) for each hidden layer, then FC 1.

    Without batch norm, which would let a critic compare a batch with itself.

    Args:
        width: of the vectors.
        hidden: units of the hidden layers.
    """
    layers: list[nn.Module] = []
    for units in hidden:
        layers += [nn.Linear(width, units), nn.LeakyReLU(_SLOPE), nn.Dropout(0.3)]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 1))


class ResidualHead(nn.Module):
    """Into a space that both sides share: a linear map plus a bridge, rows scaled to length 1.

    Args:
        width: of the input.
        hidden: of the bridge.
        to: d, of the shared space.
    """

    def __init__(self, width: int, hidden: int, to: int) -> None:
        super().__init__()
        self.linear, self.bridge = nn.Sequential(nn.Dropout(0.2), nn.Linear(width, to)), bridge(width, hidden, to)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, width)` to unit rows `(b, to)`."""
        return F.normalize(self.linear(x) + self.bridge(x))


@dataclass(frozen=True)
class Encoded(Architecture):
    """Queries that come as features of a frozen encoder: nothing to learn before the bridge."""

    @property
    def width(self) -> int:
        """That of the features."""
        return self.channels

    def features(self) -> nn.Module:
        """The features themselves."""
        return nn.Identity()


@dataclass(frozen=True)
class SketchCnn(Architecture):
    """The encoder of sketches from scratch: five convolutions, then 512 features."""

    input_size: ClassVar[int] = 96
    fixed_channels: ClassVar[int | None] = 1
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 64, "flip": True}

    @property
    def width(self) -> int:
        """512."""
        return 512

    def features(self) -> nn.Module:
        """Five of conv 3×3 stride 2 - BN - ReLU with 32, 64, 128, 256 and 512 maps, pooled, FC 512."""
        layers: list[nn.Module] = []
        maps = [self.channels, 32, 64, 128, 256, 512]
        for before, after in itertools.pairwise(maps):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 512))


# Sketches have shape and no texture, which the middle of a network made for photos tells better than its end, and
# where a stroke is counts: frozen at 160 pixels, a linear classifier gets 47 % of Sketchy's validation sketches right
# with stages 3 to 5, pooled to 2×2, beside the last features, and 42 % with these alone.
_STAGES, _STAGES_WIDTH = (3, 4, 5), 4 * (64 + 96 + 160)


class _Grey(nn.Module):
    """A trunk for photos that is shown sketches: one channel repeated three times."""

    def __init__(self, trunk: MobileNetV2) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, x: Tensor) -> Tensor:
        """`(b, 1, h, w)` to `(b, 2560)`."""
        return self.trunk.levels(x.expand(-1, 3, -1, -1), _STAGES)


@dataclass(frozen=True)
class SketchMobileNet(Architecture):
    """MobileNetV2 with ImageNet weights, all of it fine-tuned on sketches.

    Its norms are the ones with real statistics: those folded into the weights let a network die in training mode.

    Attributes:
        pretrained: start from ImageNet weights.
    """

    input_size: ClassVar[int] = 128
    fixed_channels: ClassVar[int | None] = 1
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 64, "flip": True, "lr": 1e-3, "epochs": 20}
    pretrained: bool = True

    @property
    def width(self) -> int:
        """2560: the pooled last features and those of three stages before."""
        return 1280 + _STAGES_WIDTH

    def features(self) -> nn.Module:
        """The trunk, pooled at four depths."""
        trunk = load_mobilenet(trainable=True) if self.pretrained else MobileNetV2()
        trunk.classifier.requires_grad_(False)
        return _Grey(trunk)
