"""The networks of the shared-latent VAE-GAN: encoder, decoder and critic for each side, one latent layer for both.

Source: the code of SEMIT (ast0414/semit, Georgia Tech, 2020), for images of 32×32 pixels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from acclimate.networks.architecture import Architecture, stack
from acclimate.networks.dropout import BitDropout
from acclimate.networks.points import FromPoint, ToPoint
from acclimate.networks.rims import FromImage, ToImage

_STAGES = 5  # each halves the image: 32×32 → 1×1
_INITIAL_DEVIATION = 0.002


class SharedLatent(nn.Module):
    """Mean and deviation of a code by two linear layers, the second followed by softplus.

    Weights and biases start from N(0, 0.002²): every code starts near the prior's mean, with a deviation near ln 2.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean, self.deviation = nn.Linear(width, width), nn.Linear(width, width)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0.0, _INITIAL_DEVIATION)

    def forward(self, encoded: Tensor) -> Tensor:
        """`(b, d)` to `(b, 2, d)`: means, then deviations."""
        mean, raw = self.mean(encoded), self.deviation(encoded)
        # Softplus in float32 at least: in half precision it is zero from −17 on, and its logarithm is no number.
        full = torch.promote_types(raw.dtype, torch.float32)
        return torch.stack([mean.to(full), F.softplus(raw.to(full))], dim=1)


@dataclass(frozen=True)
class VaeGan(Architecture):
    """32×32 → d numbers and back, by five convolutions of stride 2.

    As a classifier's network it is the critic's: its convolutions, and one linear layer.

    Attributes:
        maps: feature maps of the first convolution; every further one has twice as many, so that d = 16 · maps.
        dropout: p of the critic's.
        spectral: divide the critic's weights by their largest singular value (Miyato et al., ICLR 2018).
    """

    input_size: ClassVar[int] = 32
    maps: int = 32
    dropout: float = 0.5
    spectral: bool = False

    @property
    def width(self) -> int:
        """d, numbers of a code, and of the critic's features."""
        return self._widths[-1]

    @property
    def _widths(self) -> list[int]:
        return [self.maps * 2**stage for stage in range(_STAGES)]

    def features(self) -> nn.Module:
        """The critic's convolutions: five times 4×4 of stride 2, leaky ReLU (slope 0.2), dropout; no norm."""
        stages = (
            [self._bounded(c), nn.LeakyReLU(0.2, inplace=True), BitDropout(self.dropout)]
            for c in self._convolutions()
        )
        return stack(*stages, nn.Flatten())

    def critic(self, num_classes: int) -> nn.Module:
        """`(b, c, 32, 32)` → `(b, 1 + k)`: a logit for "real", then one for each class."""
        return stack(self.features(), self._bounded(nn.Linear(self.width, 1 + num_classes)))

    def encoder(self) -> nn.Module:
        """Five times 4×4 convolution of stride 2, batch norm, leaky ReLU (slope 0.2); `(b, c, 32, 32)` → `(b, d)`."""
        stages = ([c, nn.BatchNorm2d(c.out_channels), nn.LeakyReLU(0.2, inplace=True)] for c in self._convolutions())
        return stack(*stages, nn.Flatten())

    def _convolutions(self) -> Iterator[nn.Conv2d]:
        """32×32 → 16×16 → … → 1×1."""
        first, *between, last = itertools.pairwise([self.channels, *self._widths])
        yield FromImage(*first)
        yield from (nn.Conv2d(i, o, 4, 2, 1) for i, o in between)
        yield ToPoint(*last)

    def latent(self) -> nn.Module:
        """The layer both sides share."""
        return SharedLatent(self.width)

    def decoder(self) -> nn.Module:
        """The encoder's mirror image, with slope 0.01 and tanh: `(b, d)` → `(b, c, 32, 32)` in [−1, 1]."""
        widths = self._widths[::-1]
        first, *pairs = itertools.pairwise(widths)
        up = [FromPoint(*first), *(nn.ConvTranspose2d(i, o, 4, 2, 1) for i, o in pairs)]
        stages = ([u, nn.BatchNorm2d(u.out_channels), nn.LeakyReLU(0.01, inplace=True)] for u in up)
        last = [ToImage(widths[-1], self.channels), nn.Tanh()]
        return stack(nn.Unflatten(1, (self.width, 1, 1)), *stages, last)

    def _bounded(self, layer: nn.Module) -> nn.Module:
        return spectral_norm(layer) if self.spectral else layer
