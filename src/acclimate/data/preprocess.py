"""From stored arrays to network input: decided once per run, saved with it, replayed by every prediction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import Tensor
from torch.nn.functional import normalize

from acclimate.data.augment import centre_crop, denormalise, normalise, random_crop
from acclimate.data.domain import Domain, Kind
from acclimate.data.gaps import Gaps, Missing, refuse_gaps, without_gaps
from acclimate.data.images import resize, to_channels
from acclimate.data.ragged import Ragged
from acclimate.data.schema import OWN_COLUMNS
from acclimate.data.statistics import SILENT, block_statistics, channel_statistics, feature_statistics
from acclimate.data.text import TextPreprocess
from acclimate.errors import DataError
from acclimate.types import Side, side_of

Normalisation = Literal["half", "mean", "standard", "rows", "log-rows", "none"]
Rows = Literal["", "rows", "log-rows"]
_CHUNK = 4096
_LARGEST_SIDE = 4096
_WIDE = 1e30


class Preprocess(BaseModel):
    """How inputs become tensors.

    Images are resized to `stored` pixels and `channels`, cut to `size` (at random while training, in the middle
    otherwise) and normalised to (x / 255 − mean) / std. Features become (x − mean) / std, or, example by example,
    x / ‖x‖₂ (`rows`) or u / ‖u‖₂ with u = log(1 + x) (`log-rows`).

    Attributes:
        kind: what the inputs are.
        mean: per channel or feature; one value is used for all.
        std: likewise.
        size: side of the images that networks see, in pixels; 0 for features.
        stored: side of the images that are kept; equal to `size` or larger.
        channels: 1 or 3 for images, the number of features otherwise.
        pad: zeros around each training image before a random crop, in pixels.
        flip: mirror half of the training images.
        rows: how each feature vector is normalised by itself, if at all.
        rank: how many coordinates a training example has in the space that all of them span, where a network is
            trained on those (`networks.row_space`); 0 if it is not. Coordinates pass as they are.
        gaps: what becomes of missing features, before they are normalised; None for images, and in runs that were
            trained without it.
        white: what float pixels of a side had for white in training, 1 or 255; a side of whole numbers is not there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    size: int = 0
    stored: int = 0
    channels: int = 1
    pad: int = 0
    flip: bool = False
    rows: Rows = ""
    rank: int = 0
    gaps: Gaps | None = None
    white: dict[Side, float] | None = None

    @model_validator(mode="after")
    def _fits_images(self) -> Self:
        """A run may come from a stranger, and what does not fit would show only when the first picture is seen."""
        if self.kind != "images":
            return self
        lengths = {len(self.mean), len(self.std)}
        if self.channels not in (1, 3) or not lengths <= {1, self.channels}:
            raise ValueError("must have 1 or 3 channels, with a mean and a deviation for each")
        if not (1 <= self.size <= self.stored <= _LARGEST_SIDE and 0 <= self.pad <= self.size):
            raise ValueError(f"must see images of 1 to {_LARGEST_SIDE:,} pixels a side, stored no smaller")
        if not (all(map(math.isfinite, self.mean)) and all(math.isfinite(std) and std for std in self.std)):
            raise ValueError("must have a finite mean, and deviations that are not 0")
        if self.rank:
            raise ValueError("must not span the space of rows, which features do")
        return self

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What has no gaps is written as before there were any: digests are taken of it."""
        return {name: value for name, value in dump(self).items() if value is not None}

    def of(self, role: str) -> Preprocess:
        """The same for every role; see `Sides`."""
        return self

    def notes(self, *domains: Domain) -> list[str]:
        """What the user should know of how these domains are read: where values were missing."""
        if self.gaps is None:
            return []
        return [note for d in domains if self._fits(d) for note in self.gaps.notes(Missing.of(d))]

    def told(self, missing: Missing, least: float) -> list[str]:
        """The notes on features that are read part by part, and never were one domain.

        Args:
            missing: what they lack in all.
            least: the least of them; NaN if there is none.

        Raises:
            DataError: as `fit` of the whole would, before any part is answered.
        """
        if self.gaps is None:
            refuse_gaps(missing)
        if self.rows == "log-rows":
            _check_logarithms(missing.name, least)
        return self.gaps.notes(missing) if self.gaps else []

    def _fits(self, domain: Domain) -> bool:
        return domain.kind == "features" and domain.width == self.width

    @property
    def width(self) -> int:
        """How many features examples have before any is left out or added."""
        return self.gaps.width if self.gaps else self.channels

    @classmethod
    def of_images(
        cls,
        domains: list[Domain],
        *,
        size: int,
        channels: int | None = None,
        stored: int | None = None,
        normalisation: Normalisation = "half",
        pad: int = 0,
        flip: bool = False,
        white: Mapping[Side, float] | None = None,
    ) -> Preprocess:
        """Decide for image domains.

        Args:
            domains: the training domains; their pixel mean is used by `"mean"` and `"standard"`.
            size: side of the network's input.
            channels: 1 or 3; by default 3 if any domain has colour.
            stored: side kept in memory, `size` by default.
            normalisation: `"half"` maps bytes to [−1, 1]; `"mean"` subtracts the pooled channel mean from values in
                [0, 1] (the DANN paper's); `"standard"` also divides by the pooled deviation; `"none"` leaves [0, 1].
            pad: see the class.
            flip: see the class.
            white: see the class.
        """
        channels = channels or max(d.array.shape[-1] for d in domains)
        mean, std = (0.5,) * channels, (0.5,) * channels
        if normalisation == "none":
            mean, std = (0.0,) * channels, (1.0,) * channels
        elif normalisation in ("mean", "standard"):
            pooled_mean, pooled_std = channel_statistics(domains, channels)
            mean, std = pooled_mean, pooled_std if normalisation == "standard" else (1.0,) * channels
        return cls(
            kind="images",
            mean=mean,
            std=std,
            size=size,
            stored=stored or size,
            channels=channels,
            pad=pad,
            flip=flip,
            white=dict(white) if white else None,
        )

    @classmethod
    def of_features(
        cls, domains: list[Domain], *, normalisation: Normalisation = "standard", refuse_missing: bool = False
    ) -> Preprocess:
        """Decide for feature domains: `"standard"` z-scores each feature over the domains given, pooled.

        `"rows"` scales each example to length 1, `"log-rows"` after log(1 + x). An example of zeros is refused here,
        where it would be trained on; one that is to be answered later, a text of unknown words, stays zero.

        What stands for missing values is decided here too, by the first of the domains (`Gaps`). A feature that is
        constant over all domains says nothing: whatever comes later, it is 0.

        Raises:
            DataError: if the domains differ in their number of features, a row has no direction, or a value is
                missing, with `refuse_missing`.
        """
        widths = {d.width for d in domains}
        if len(widths) > 1:
            raise DataError(
                "source and target",
                "must have the same number of features",
                " and ".join(f"{d.width} in {d.name}" for d in domains),
                f"Give both the same columns. {OWN_COLUMNS}",
            )
        gaps = Gaps.of(domains, refuse=refuse_missing)
        made = cls(kind="features", channels=gaps.channels, gaps=gaps)
        if normalisation in ("rows", "log-rows"):
            for domain in domains:
                _check_directions(domain.name, _closed_blocks(gaps, domain))
            return made.model_copy(update={"rows": normalisation})
        if normalisation == "none":
            return made
        mean, std = _statistics(gaps, domains)
        std = np.where(std == SILENT, std, 1.0) if normalisation == "mean" else std
        return made.model_copy(update={"mean": tuple(mean.tolist()), "std": tuple(std.tolist())})

    @property
    def inputs(self) -> int:
        """What a network is built for: channels of images, or features."""
        return self.channels

    @cached_property
    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation as float32 tensors; in 64 bits where a difference might not fit into 32."""
        dtype = torch.float64 if max(map(abs, self.mean)) > _WIDE else torch.float32
        return torch.tensor(self.mean, dtype=dtype), torch.tensor(self.std, dtype=dtype)

    def fit(self, domain: Domain) -> Domain:
        """The domain with its arrays in the stored form (size and channels); memory-mapped input stays so if it fits.

        Raises:
            DataError: if the kind or the number of features is not what the run was trained on.
        """
        if domain.kind != self.kind:
            photos = self.kind == "features" and domain.kind == "images"
            raise DataError(
                domain.name,
                f"must hold {self.kind}, as in training",
                domain.kind,
                "Give data of the same kind as the source"
                + ("; if that was photos, encoded: acclimate encode PHOTOS OUT.npz" if photos else "."),
            )
        if self.kind == "features":
            if domain.width != self.width:
                raise DataError(
                    domain.name,
                    f"must have {self.width} features, as in training",
                    domain.width,
                    "Give the same columns as the source has.",
                )
            if self.gaps is None:
                refuse_gaps(Missing.of(domain))
                domain = replace(domain, inputs=without_gaps(domain))
            if self.rows == "log-rows":
                _check_logarithms(domain.name, _least(domain))
            return domain
        if domain.array.shape[1:] == (self.stored, self.stored, self.channels):
            return domain
        chunks = [
            resize(to_channels(domain.array[i : i + _CHUNK], self.channels), self.stored)
            for i in range(0, len(domain), _CHUNK)
        ]
        return replace(domain, inputs=np.concatenate(chunks))

    def batch(self, array: np.ndarray | Ragged, generator: torch.Generator | None) -> Tensor:
        """Network input from stored examples, randomly cropped and mirrored if a generator is given."""
        assert isinstance(array, np.ndarray)
        tensor = torch.from_numpy(np.require(array, requirements=["C", "W"]))  # copies what is memory-mapped
        if self.rank and tensor.shape[1] == self.rank:
            return tensor
        tensor = self.gaps.close(tensor) if self.gaps else tensor
        if self.rows:
            return normalize(torch.log1p(tensor) if self.rows == "log-rows" else tensor)
        if self.kind == "features":
            mean, std = self.statistics
            return (tensor.to(mean.dtype) - mean).div(std).float()
        if generator is not None and (self.pad or self.flip or self.stored > self.size):
            tensor = random_crop(tensor, self.size, self.pad, self.flip, generator)
        elif self.stored > self.size:
            tensor = centre_crop(tensor, self.size)
        return normalise(tensor, self.mean, self.std)

    def pixels(self, x: Tensor) -> np.ndarray:
        """Pictures uint8 `(b, h, w, c)` of network input `(b, c, h, w)`: what `batch` made of bytes, undone.

        What lies outside the range of bytes is cut off, so that a network's output always is a picture.
        """
        assert self.kind == "images"
        return denormalise(x, self.mean, self.std).cpu().contiguous().numpy()


OneSide = Preprocess | TextPreprocess


class Sides(BaseModel):
    """Preprocessing of a source and a target that have different features.

    Attributes:
        source: for the source.
        target: for the target.
        shared: pairs of a source input and of a target input that are the same by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Preprocess
    target: Preprocess
    shared: tuple[tuple[int, int], ...] = ()

    @model_validator(mode="after")
    def _shares_what_is_there(self) -> Self:
        if any(not (0 <= i < self.source.channels and 0 <= j < self.target.channels) for i, j in self.shared):
            raise ValueError("must share inputs that both sides have")
        return self

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What shares nothing is written as before anything could be shared: digests are taken of it."""
        return {name: value for name, value in dump(self).items() if value != ()}

    @property
    def kind(self) -> Kind:
        """What the inputs are, the same on both sides."""
        return self.target.kind

    def of(self, role: str) -> Preprocess:
        """That of the side a role belongs to."""
        return self.source if side_of(role) == "source" else self.target


AnyPreprocess = OneSide | Sides


def notes_on(preprocess: AnyPreprocess, domains: Mapping[str, Domain]) -> list[str]:
    """What the user should know of how domains, by the name of their role, are read, each by its side's rules."""
    sides = ("source", "target") if isinstance(preprocess, Sides) else ("target",)
    by_side = {s: [d for role, d in domains.items() if len(sides) == 1 or side_of(role) == s] for s in sides}
    return [note for side, of_side in by_side.items() for note in preprocess.of(side).notes(*of_side)]


def read_preprocess(stored: Mapping[str, Any]) -> AnyPreprocess:
    """What `model_dump` of any of them gave."""
    if "source" in stored:
        return Sides(**stored)
    return TextPreprocess(**stored) if stored["kind"] == "text" else Preprocess(**stored)


def _least(domain: Domain) -> float:
    """The least of all features; NaN if there is none."""
    return float(np.fmin.reduce([np.fmin.reduce(block, axis=None) for block in domain.blocks()]))


def _statistics(gaps: Gaps, domains: list[Domain]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each feature over all domains, with their gaps closed."""
    if any(domain.is_on_disk for domain in domains):
        return block_statistics(lambda: (b for d in domains for b in _closed_blocks(gaps, d)), len(gaps.marked))
    return feature_statistics([_closed(gaps, domain.array) for domain in domains], len(gaps.marked))


def _closed(gaps: Gaps, array: np.ndarray) -> np.ndarray:
    """Features with their gaps closed."""
    if gaps.channels == gaps.width and not np.isnan(array).any():
        return array
    return gaps.close(torch.from_numpy(np.require(array, requirements="W"))).numpy()


def _closed_blocks(gaps: Gaps, domain: Domain) -> Iterator[np.ndarray]:
    return (_closed(gaps, block) for block in domain.blocks())


def _check_directions(name: str, blocks: Iterator[np.ndarray]) -> None:
    """Refuse rows that have no direction.

    Raises:
        DataError: naming the first such row.
    """
    empty = np.concatenate([~rows.any(axis=1) for rows in blocks])
    if empty.any():
        raise DataError(
            name,
            "must have no row of zeros, as rows are scaled to length 1",
            f"{int(empty.sum())}, the first of them row {int(empty.argmax())}",
            "Drop such rows, or choose --normalisation standard.",
        )


def _check_logarithms(name: str, least: float) -> None:
    """Refuse features that have no logarithm.

    Raises:
        DataError: naming the least one.
    """
    if least < 0:
        raise DataError(
            name,
            "must have no negative feature, as log(1 + x) is taken",
            least,
            "Choose --normalisation rows.",
        )
