"""`Architecture`: the networks a classification method needs, sized for one kind of input."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from acclimate.errors import RequestError


@dataclass(frozen=True)
class Architecture(ABC):
    """Builds a feature extractor and the heads on top of it.

    Every call makes a new module with fresh weights.

    Attributes:
        channels: colour channels of the input images, or the number of input features.
        input_size: side of the input images in pixels; 0 for feature vectors.
        any_size: True if images of another side than `input_size` will do.
        normalisation: how inputs should be scaled, a name that `Preprocess.of_images` knows, or `of_features`.
        recipe: training options that this network needs whatever the method's recipe says; users can override each.
    """

    channels: int
    input_size: ClassVar[int] = 0
    stored_size: ClassVar[int] = 0
    any_size: ClassVar[bool] = False
    normalisation: ClassVar[str] = "half"
    fixed_channels: ClassVar[int | None] = None
    recipe: ClassVar[Mapping[str, Any]] = {}

    @property
    @abstractmethod
    def width(self) -> int:
        """d, the number of features per example."""

    @abstractmethod
    def features(self) -> nn.Module:
        """Feature extractor G_f: input → `(b, d)`."""

    def classifier(self, num_classes: int) -> nn.Module:
        """Label predictor G_y: `(b, d)` → `(b, k)` logits."""
        return nn.Linear(self.width, num_classes)

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """Domain discriminator G_d: `(b, d)` → `(b, 1)` logits, positive for target.

        Args:
            inputs: width of what it reads, where that is not d.
        """
        return nn.Sequential(
            nn.Linear(inputs or self.width, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 1)
        )


@dataclass(frozen=True)
class CustomArchitecture(Architecture):
    """A user's own feature extractor with a linear classifier.

    Args:
        channels: as in `Architecture`.
        module: maps a batch of inputs to `(b, d)` features (more axes are flattened). Copied at every build, so
            the original keeps its weights.
        example: a batch of inputs that shows the width.
    """

    module: nn.Module
    example: Tensor

    def features(self) -> nn.Module:
        """A copy of the user's module, flattened to `(b, d)`."""
        return nn.Sequential(copy.deepcopy(self.module), nn.Flatten())

    @property
    def width(self) -> int:
        """Found by running the module once, in eval mode."""
        with torch.no_grad():
            out = self.features().eval()(self.example)
        if out.ndim != 2 or len(out) != len(self.example):
            raise RequestError(
                "network",
                f"must map {tuple(self.example.shape)} inputs to ({len(self.example)}, d) features",
                f"output of shape {tuple(out.shape)}",
                "End the module with nn.Flatten(), for example.",
            )
        return int(out.shape[1])


class Pretrained(nn.Sequential):
    """Modules that start from trained weights and learn at `lr_scale` times the learning rate."""

    def __init__(self, *modules: nn.Module, lr_scale: float = 0.1) -> None:
        super().__init__(*modules)
        self.lr_scale = lr_scale


def stack(*blocks: nn.Module | list[nn.Module] | None) -> nn.Sequential:
    """`nn.Sequential` of modules and lists of modules, leaving out None."""
    flat: list[nn.Module] = []
    for block in blocks:
        if isinstance(block, list):
            flat.extend(block)
        elif block is not None:
            flat.append(block)
    return nn.Sequential(*flat)
