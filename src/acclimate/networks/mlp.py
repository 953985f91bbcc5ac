"""Small networks for feature vectors: frozen deep features, tables, counts of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from acclimate.networks.architecture import Architecture


@dataclass(frozen=True)
class Mlp(Architecture):
    """One hidden layer as feature extractor (the "bottleneck" of Office experiments), a linear classifier.

    Attributes:
        hidden: d, width of the features.
        dropout: probability of dropping a feature while training.
    """

    normalisation: ClassVar[str] = "standard"

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

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """Smaller than for images: FC256 - FC256 - FC1."""
        return nn.Sequential(
            nn.Linear(inputs or self.hidden, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1)
        )


@dataclass(frozen=True)
class FrozenPhotos(Mlp):
    """The same for photos whose features a frozen encoder computes once, before training."""


@dataclass(frozen=True)
class BagOfWords(Mlp):
    """The same for counts, narrower and without z-scores, which would blow up the rarest words.

    The DANN paper in JMLR (2016) has 50 or 100 hidden units for reviews. This scaling was chosen on held-out source
    reviews (books, 2,000 for training): of DANN and source-only alike it is the best of those there are.
    """

    normalisation: ClassVar[str] = "log-rows"

    hidden: int = 100
