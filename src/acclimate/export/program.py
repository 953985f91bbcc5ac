"""`Program`: a fitted model of one side as one module, from raw examples to answers, that can be written down."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from acclimate.data.domain import Domain, Kind
from acclimate.data.images import resize, to_channels
from acclimate.data.preprocess import OneSide
from acclimate.data.ragged import Ragged
from acclimate.data.text import TextPreprocess
from acclimate.export.inputs import LEAST_WORDS, Encoded, input_module
from acclimate.export.unrolled import unrolled
from acclimate.networks.encoder import PhotoEncoder
from acclimate.training.fitted import Fitted
from acclimate.types import Side

Gives = Literal["logits", "vectors"]


class Program(nn.Module):
    """Raw examples of a side to logits `(b, k)`, or to vectors `(b, d)` whose cosines rank.

    Images are uint8 `(b, h, w, c)` of `stored` pixels a side, features float32 `(b, d)` with NaN where a value is
    missing, texts int64 `(b, n)` numbers of words with 0 behind the last, n ≥ `LEAST_WORDS`.

    Args:
        fitted: the model; it is copied.
        side: whose examples it sees.
        gives: `"vectors"` for a model that finds.
        photos: what turns photos into the features that the side is made of, where it does not see these themselves.
    """

    def __init__(
        self, fitted: Fitted, side: Side = "target", gives: Gives = "logits", photos: PhotoEncoder | None = None
    ) -> None:
        super().__init__()
        self.method, self.side, self.gives = fitted.plan.method, side, gives
        self.preprocess: OneSide = fitted.plan.preprocess.of(side)
        self.kind: Kind = self.preprocess.kind if photos is None else "images"
        self.stored = _stored(self.preprocess) if photos is None else photos.stored
        self.channels = self.preprocess.channels if photos is None else 3
        own = input_module(self.preprocess)
        self.inputs = own if photos is None else nn.Sequential(Encoded(photos), own)
        self.nets = nn.ModuleDict({name: unrolled(net).cpu().float() for name, net in fitted.nets.items()})
        self.cpu().eval().requires_grad_(requires_grad=False)

    def forward(self, examples: Tensor) -> Tensor:
        """See the class."""
        nets, x = dict(self.nets.items()), self.inputs(examples)
        answer = self.method.embed if self.gives == "vectors" else self.method.logits
        return answer(nets, x, self.side)

    @property
    def width(self) -> int:
        """Features of an example as it comes."""
        return 0 if isinstance(self.preprocess, TextPreprocess) else self.preprocess.width

    @property
    def example(self) -> Tensor:
        """Two examples, of zeros."""
        if self.kind == "text":
            return torch.zeros(2, LEAST_WORDS + 8, dtype=torch.int64)
        if self.kind == "images":
            return torch.zeros(2, self.stored, self.stored, self.channels, dtype=torch.uint8)
        return torch.zeros(2, self.width)

    def raw(self, domain: Domain) -> np.ndarray:
        """A domain, in the form that preprocessing stores it in, as the program takes it."""
        rows = domain.inputs
        if not isinstance(rows, Ragged):
            return np.ascontiguousarray(rows)
        assert isinstance(self.preprocess, TextPreprocess)
        numbers = rows.padded(self.preprocess.limit)
        return np.pad(numbers, ((0, 0), (0, max(0, LEAST_WORDS - numbers.shape[1]))))

    def resized(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures uint8 `(b, h, w, c)` in the program's size and with its channels."""
        return resize(to_channels(pictures, self.channels), self.stored)


def _stored(preprocess: OneSide) -> int:
    return 0 if isinstance(preprocess, TextPreprocess) else preprocess.stored
