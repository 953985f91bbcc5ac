"""A network for images of 8×8 pixels, quick enough to train six times while a reader waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from acclimate.networks.architecture import Architecture, stack


def _conv(inputs: int, outputs: int) -> list[nn.Module]:
    """Padded 3×3 convolution and batch norm; pooling, where there is any, goes before the ReLU, which is cheaper."""
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)]


@dataclass(frozen=True)
class Tiny(Architecture):
    """8×8 → 128 features by three convolutions of 24, 48 and 48 maps; linear classifier (58,000 weights in all).

    Batch norm after every layer of the feature extractor. No dropout: at this size it only slows learning down.
    """

    input_size: ClassVar[int] = 8

    @property
    def width(self) -> int:
        """The fully connected layer belongs to the feature extractor."""
        return 128

    def features(self) -> nn.Module:
        """Three convolutions, the last two followed by 2×2 max pooling, and FC128."""
        return stack(
            _conv(self.channels, 24),
            nn.ReLU(inplace=True),
            _conv(24, 48),
            [nn.MaxPool2d(2), nn.ReLU(inplace=True)],
            _conv(48, 48),
            [nn.MaxPool2d(2), nn.ReLU(inplace=True)],
            [nn.Flatten(), nn.Linear(192, 128), nn.BatchNorm1d(128), nn.ReLU(inplace=True)],
        )

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """FC128 - FC1."""
        return stack(nn.Linear(inputs or 128, 128), nn.ReLU(), nn.Linear(128, 1))
