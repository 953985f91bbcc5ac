"""The networks of UNIT for digits: two coupled auto-encoders and two coupled critics that also name the class.

Coupled means: only the layers next to the pixels belong to one side; all others are the same for both.

Source: Liu, Breuel & Kautz, NIPS 2017, section 4, and the authors' released code for domain adaptation, for images of
32×32 pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from acclimate.networks.architecture import Architecture, stack
from acclimate.networks.vae_gan import SharedLatent

_SIDE = 32
_KEEP_ALL_BUT = (0.1, 0.3, 0.5, 0.5)  # what dropout takes after each of the critic's four stages


class Coordinates(nn.Module):
    """Append two planes that tell each pixel's row and column, each from −1 up to, not including, 1."""

    def __init__(self, side: int = _SIDE) -> None:
        super().__init__()
        steps = torch.arange(side) * (2 / side) - 1
        planes = torch.stack(torch.meshgrid(steps, steps, indexing="ij"))
        self.register_buffer("planes", planes, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """`(b, c, h, w)` to `(b, c + 2, h, w)`."""
        planes: Tensor = self.planes  # type: ignore[assignment]
        return torch.cat([images, planes.to(images.dtype).expand(images.shape[0], -1, -1, -1)], dim=1)


class CriticTrunk(nn.Module):
    """The critic's shared stages, with dropout before each of them and at the end, or without any.

    Args:
        maps: feature maps of the first stage, which is not one of these; each further one has twice as many.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stack(_critic_stage(maps * 2**i, maps * 2 ** (i + 1))) for i in range(3))
        self.dropouts = nn.ModuleList(nn.Dropout(p) for p in _KEEP_ALL_BUT)

    def forward(self, first: Tensor, plain: bool = False) -> Tensor:
        """What the first stage gave, `(b, maps, 16, 16)`, to `(b, 32 · maps)`; `plain` leaves dropout out."""
        *before, last = self.dropouts
        x = first
        for stage, dropout in zip(self.stages, before, strict=True):
            x = stage(x if plain else dropout(x))
        return (x if plain else last(x)).flatten(1)


@dataclass(frozen=True)
class Unit(Architecture):
    """32×32 → d numbers and back, with all layers but those next to the pixels shared.

    As a classifier's network it is the critic's: both sides' images through one first stage.

    Attributes:
        maps: feature maps of the encoder's first convolution; codes have 8 times it.
        critic_maps: feature maps of the critic's first convolution.
        coordinates: whether encoders also see where each pixel is (`Coordinates`).
    """

    input_size: ClassVar[int] = _SIDE
    maps: int = 96
    critic_maps: int = 64
    coordinates: bool = False

    @property
    def width(self) -> int:
        """The critic's features: 8 · critic_maps maps of 2×2."""
        return 32 * self.critic_maps

    @property
    def code(self) -> int:
        """d, numbers of a code."""
        return 8 * self.maps

    def features(self) -> nn.Module:
        """The critic's four stages, with dropout: `(b, c, 32, 32)` → `(b, width)`."""
        return stack(self.critic_input(), self.critic_trunk())

    def classifier(self, num_classes: int) -> nn.Module:
        """The critic's class head, one linear layer."""
        return _xavier(nn.Linear(self.width, num_classes))

    def encoder_input(self) -> nn.Module:
        """A side's own layer of the encoder: `(b, c, 32, 32)` → `(b, maps, 16, 16)`."""
        return stack(
            Coordinates() if self.coordinates else None,
            _layer(nn.Conv2d(self.channels + 2 * self.coordinates, self.maps, 5, 2, 2, bias=False)),
        )

    def encoder(self) -> nn.Module:
        """The encoder's shared layers: `(b, maps, 16, 16)` → `(b, d)`."""
        maps = self.maps
        return stack(
            _layer(nn.Conv2d(maps, 2 * maps, 5, 2, 2, bias=False)),
            _layer(nn.Conv2d(2 * maps, 4 * maps, 8, bias=False)),
            _layer(nn.Conv2d(4 * maps, 8 * maps, 1, bias=False)),
            nn.Flatten(),
        )

    def latent(self) -> nn.Module:
        """Mean and deviation of a code, shared: `(b, d)` → `(b, 2, d)`."""
        layer = SharedLatent(self.code)
        for linear in (layer.mean, layer.deviation):
            nn.init.normal_(
                linear.weight, 0.0, 0.02
            )  # as every convolution of the generator, only biases keep theirs
        return layer

    def decoder(self) -> nn.Module:
        """The decoder's shared layers: `(b, d)` → `(b, 2 · maps, 16, 16)`."""
        maps = self.maps
        return stack(
            nn.Unflatten(1, (self.code, 1, 1)),
            _layer(nn.ConvTranspose2d(8 * maps, 8 * maps, 4, 2, 0, bias=False)),
            _layer(nn.ConvTranspose2d(8 * maps, 4 * maps, 4, 2, 1, bias=False)),
            _layer(nn.ConvTranspose2d(4 * maps, 2 * maps, 4, 2, 1, bias=False)),
        )

    def decoder_output(self) -> nn.Module:
        """A side's own layers of the decoder: `(b, 2 · maps, 16, 16)` → `(b, c, 32, 32)` in [−1, 1]."""
        last = nn.ConvTranspose2d(self.maps, self.channels, 1)
        nn.init.normal_(last.weight, 0.0, 0.02)
        own = _layer(nn.ConvTranspose2d(2 * self.maps, self.maps, 4, 2, 1, bias=False))
        return stack(own, last, nn.Tanh())

    def critic_input(self) -> nn.Module:
        """A side's own stage of the critic: `(b, c, 32, 32)` → `(b, critic_maps, 16, 16)`."""
        return stack(_critic_stage(self.channels, self.critic_maps))

    def critic_trunk(self) -> nn.Module:
        """The critic's shared stages."""
        return CriticTrunk(self.critic_maps)

    def verdict(self) -> nn.Module:
        """The critic's other head: `(b, width)` → `(b, 1)`, a logit for "real"."""
        return _xavier(nn.Linear(self.width, 1))


def _layer(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    """Convolution, batch norm that shifts but does not scale, leaky ReLU (slope 0.01)."""
    nn.init.normal_(convolution.weight, 0.0, 0.02)
    norm = nn.BatchNorm2d(convolution.out_channels)
    norm.weight.requires_grad_(False)  # stays 1
    nn.init.normal_(norm.bias, 0.0, 0.002)
    return [convolution, norm, nn.LeakyReLU(inplace=True)]


def _critic_stage(inputs: int, outputs: int) -> list[nn.Module]:
    """5×5 convolution, 2×2 max pooling, ReLU: the authors' order is another, the values are the same."""
    return [_xavier(nn.Conv2d(inputs, outputs, 5, padding=2)), nn.MaxPool2d(2), nn.ReLU(inplace=True)]


def _xavier(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    nn.init.xavier_uniform_(layer.weight, gain=math.sqrt(2))
    assert layer.bias is not None
    nn.init.constant_(layer.bias, 0.1)
    return layer
