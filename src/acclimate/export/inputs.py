"""Preprocessing as a module: from what a stranger's program holds, bytes of pictures or raw features, to networks."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.data.gaps import Gaps
from acclimate.data.preprocess import OneSide, Preprocess
from acclimate.data.text import TextPreprocess
from acclimate.export.unrolled import unrolled
from acclimate.inputs.photo_features import PhotoFeatures
from acclimate.inputs.text_features import TfidfFeatures
from acclimate.networks.encoder import PhotoEncoder

# Short texts are filled up with zeros to so many words: no part of a network then sees less than it looks at.
LEAST_WORDS = 32


def input_module(preprocess: OneSide) -> nn.Module:
    """What turns the stored form of a side's examples into what its networks see.

    Images are uint8 `(b, h, w, c)` of `stored` pixels a side, features float32 `(b, d)` with NaN where a value is
    missing, texts int64 `(b, n)` numbers of words with 0 behind the last.
    """
    if isinstance(preprocess, TfidfFeatures):
        return unrolled(preprocess.network)
    if isinstance(preprocess, TextPreprocess):
        return nn.Identity()
    if isinstance(preprocess, PhotoFeatures):
        return nn.Sequential(Encoded(preprocess.network), Scaled(preprocess))
    if preprocess.kind == "images":
        return _Pixels(preprocess.stored, preprocess.size, preprocess.mean, preprocess.std)
    return Features(preprocess)


class _Pixels(nn.Module):
    """The middle of pictures, (x / 255 − mean) / std, as `(b, c, size, size)`."""

    def __init__(self, stored: int, size: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.start, self.size = (stored - size) // 2, size
        self.register_buffer("scale", 1 / (255 * torch.tensor(std)), persistent=False)
        self.register_buffer("offset", torch.tensor(mean) / torch.tensor(std), persistent=False)
        self.scale: Tensor
        self.offset: Tensor

    def forward(self, images: Tensor) -> Tensor:
        middle = slice(self.start, self.start + self.size)
        return (images[:, middle, middle].float() * self.scale - self.offset).permute(0, 3, 1, 2)


class Encoded(nn.Module):
    """A frozen encoder's features of photos, `(b, d)`."""

    def __init__(self, encoder: PhotoEncoder) -> None:
        super().__init__()
        self.pixels = _Pixels(encoder.stored, encoder.size, encoder.mean, encoder.std)
        self.encoder = copy.deepcopy(encoder.network).cpu()

    def forward(self, images: Tensor) -> Tensor:
        """Photos uint8 `(b, h, w, 3)` to `(b, d)`."""
        features: Tensor = self.encoder(self.pixels(images))
        return features.flatten(1)


class Scaled(nn.Module):
    """(x − mean) / std of features."""

    def __init__(self, preprocess: Preprocess) -> None:
        super().__init__()
        mean, std = preprocess.statistics
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self.mean: Tensor
        self.std: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """`(b, d)` to the same."""
        return ((x.to(self.mean.dtype) - self.mean) / self.std).float()


class Features(nn.Module):
    """Features without gaps, as `Preprocess.batch` normalises them: `(b, channels)`."""

    def __init__(self, preprocess: Preprocess) -> None:
        super().__init__()
        self.gaps = None if preprocess.gaps is None else Filled(preprocess.gaps)
        self.rows = preprocess.rows
        self.scaled = Scaled(preprocess)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, width)` to `(b, channels)`."""
        x = x if self.gaps is None else self.gaps(x)
        if self.rows:
            return F.normalize(torch.log1p(x) if self.rows == "log-rows" else x)
        scaled: Tensor = self.scaled(x)
        return scaled


class Filled(nn.Module):
    """`Gaps.close`, which asks whether there is any gap before it fills one, without that question."""

    def __init__(self, gaps: Gaps) -> None:
        super().__init__()
        kept = sorted(set(range(gaps.width)) - set(gaps.left_out))
        self.narrows = len(kept) < gaps.width
        self.register_buffer("fill", torch.tensor(gaps.fill), persistent=False)
        self.register_buffer("kept", torch.tensor(kept), persistent=False)
        self.register_buffer("marked", torch.tensor(gaps.marked, dtype=torch.int64), persistent=False)
        self.fill: Tensor
        self.kept: Tensor
        self.marked: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """`(b, width)` with NaN to `(b, channels)` without."""
        missing = x.isnan()
        filled = torch.where(missing, self.fill, x)
        filled = filled[:, self.kept] if self.narrows else filled
        return torch.cat([filled, missing[:, self.marked].to(x.dtype)], dim=1) if len(self.marked) else filled
