"""`PhotoEncoder`: a frozen network for photos, and how photos come to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.errors import RequestError


@dataclass(frozen=True, eq=False)
class PhotoEncoder:
    """A network for photos and how photos come to it.

    Attributes:
        name: that it was asked for by.
        network: `(b, 3, size, size)` to `(b, d)`, in eval mode.
        size: side of its input in pixels.
        stored: side that the middle square of a photo is resized to before its middle is cut out.
        mean: of each channel, on bytes divided by 255.
        std: likewise.
        resized: whether its input has another size than the one it was made for.
    """

    name: str
    network: nn.Module
    size: int
    stored: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resized: bool = False

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next((p.device for p in self.network.parameters()), torch.device("cpu"))

    @cached_property
    def digest(self) -> str:
        """Of the weights, and of the size if it is another: with either, the same name gives other features."""
        found = hashlib.blake2b(digest_size=16)
        add_weights(found, self.network)
        if self.resized:
            found.update(f"@{self.size}".encode())
        return found.hexdigest()

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        """Features `(b, d)` in float32 of normalised photos."""
        features: Tensor = self.network(x)
        return features.flatten(1).float()

    def at(self, size: int) -> PhotoEncoder:
        """The encoder with photos of that side, called `name@size`.

        Raises:
            RequestError: if its network takes no such photos.
        """
        if size == self.size:
            return self
        if not 8 <= size <= 2048:
            raise RequestError("image_size", "must be 8 to 2,048 pixels", size, "Leave the size out.")
        made = replace(
            self,
            name=f"{self.name}@{size}",
            size=size,
            stored=round(size * self.stored / self.size),
            resized=True,
        )
        try:
            made(torch.zeros(1, 3, size, size, device=self.device))
        except Exception as error:  # transformers, for one, refuse by an assertion
            rule = f"must be {self.size} for the encoder {self.name!r}, which takes no other"
            raise RequestError("image_size", rule, size, "Leave the size out.") from error
        return made


def add_weights(digest: Any, net: nn.Module, prefix: str = "") -> None:
    """Put names, shapes and bytes of a network's weights and buffers into a hash of hashlib's."""
    for key, value in sorted(net.state_dict().items()):
        digest.update(f"{prefix}{key}{tuple(value.shape)}".encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())


def frozen(network: nn.Module) -> nn.Module:
    """The network in eval mode, with nothing to learn and in the layout that photos are fastest in."""
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
