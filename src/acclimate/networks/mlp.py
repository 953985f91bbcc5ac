"""A small network for feature vectors: frozen deep features, tables."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from acclimate.networks.architecture import Architecture


@dataclass(frozen=True)
class Mlp(Architecture):
    """One hidden layer as feature extractor (the "bottleneck" of Office experiments), a linear classifier.

    Attributes:
        hidden: d, width of the features.
        dropout: probability of dropping a feature while training.
    """

    hidden: int = 256
    dropout: float = 0.5

    @property
    def width(self) -> int:
        """The hidden layer's width."""
        return self.hidden

    def features(self) -> nn.Module:
        """FC - batch norm - ReLU - dropout."""
        return nn.Sequential(
            nn.Linear(self.channels, self.hidden),
            nn.BatchNorm1d(self.hidden),
            nn.ReLU(),
            nn.Dropout(self.dropout),
        )

    def discriminator(self) -> nn.Module:
        """Smaller than for images: FC256 - FC256 - FC1."""
        return nn.Sequential(
            nn.Linear(self.hidden, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1)
        )
