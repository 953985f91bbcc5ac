"""Photos as the features of a frozen encoder: preprocessing that is computed once and then costs nothing."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from pydantic import PrivateAttr, model_validator
from torch import Tensor

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.ragged import Ragged
from acclimate.data.schema import EncodedSchema
from acclimate.errors import DataError
from acclimate.inputs.encode import encode, encoded_once
from acclimate.networks.encoder import PhotoEncoder
from acclimate.networks.photo_encoder import load_photo_encoder

# Fewer than this are encoded again rather than kept on disk: pictures that somebody drops on a page.
_WORTH_KEEPING = 16


class PhotoFeatures(Preprocess):
    """Images become (f − mean) / std, with f the features of a frozen encoder.

    `fit` encodes; what it has encoded before, in this process or, of whole domains, on this machine, it looks up. The
    stored form therefore is features, of which networks see nothing but numbers: no crop and no mirror image.

    Attributes:
        encoder: its name, as for `load_photo_encoder`.
        weights: digest of its weights, as other weights give other features.
        mean: per feature, and `std` likewise.
        size: side of the images that the encoder sees; `stored` and `channels` are those of the pictures as well.
    """

    encoder: str
    weights: str

    _known: dict[bytes, np.ndarray] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _fits_images(self) -> Self:
        """In place of what holds for images: means and deviations are of features, as many as there are."""
        if self.channels != 3 or len(self.mean) != len(self.std) or not 1 <= self.size <= self.stored:
            raise ValueError("must see colour photos, with a mean and a deviation for each feature")
        if not (all(map(math.isfinite, self.mean)) and all(math.isfinite(std) and std for std in self.std)):
            raise ValueError("must have finite means, and deviations that are not 0")
        return self

    @classmethod
    def of_photos(cls, domains: list[Domain], encoder: str) -> PhotoFeatures:
        """Decide for photos: each feature is z-scored over the domains given, pooled.

        Raises:
            RequestError: if there is no such encoder, or its weights are not here.
        """
        network = load_photo_encoder(encoder)
        own = cls(
            kind="images",
            encoder=encoder,
            weights=network.digest,
            size=network.size,
            stored=network.stored,
            channels=3,
        )
        pooled = Preprocess.of_features([own.fit(domain) for domain in domains])
        return own.model_copy(update={"mean": pooled.mean, "std": pooled.std})

    @property
    def inputs(self) -> int:
        """Features of an example."""
        return len(self.mean)

    @cached_property
    def network(self) -> PhotoEncoder:
        """The encoder.

        Raises:
            AbsentError: if its weights are not on this machine.
            DataError: if they are not those of the training.
        """
        found = load_photo_encoder(self.encoder)
        if found.digest != self.weights:
            raise DataError(
                "photo_encoder",
                "must have the weights that the run was trained on",
                f"{self.encoder!r} with others",
                "Bring back the weights of that time, or train again.",
            )
        return found

    def fit(self, domain: Domain) -> Domain:
        """The domain with features in place of photos.

        Raises:
            DataError: if it holds something else than images, or the encoder's weights are others than in training.
        """
        if domain.kind == "features" and domain.array.shape[1] == self.inputs:
            self._check_encoder(domain)
            return domain
        if domain.kind != "images":
            raise DataError(
                domain.name, "must hold images, as in training", domain.in_words, "Give a folder of images."
            )
        return replace(domain, inputs=self._features(domain))

    def _check_encoder(self, features: Domain) -> None:
        known = features.schema
        if isinstance(known, EncodedSchema) and known.weights != self.weights:
            fix = f"Encode the photos alike: acclimate encode PHOTOS OUT.npz --encoder {self.encoder}"
            rule = f"must hold features of {self.encoder!r} as it was in training"
            raise DataError(features.name, rule, f"those of {known.encoder!r} with other weights", fix)

    def _features(self, photos: Domain) -> np.ndarray:
        digests = [hashlib.blake2b(photo.tobytes(), digest_size=16).digest() for photo in photos.array]
        if any(digest not in self._known for digest in digests):
            bare = replace(photos.unlabelled(), notes=(), ids=())
            encoder, keep = self.network, len(photos) >= _WORTH_KEEPING  # whose weights are those of the training
            found = encoded_once(bare, self.encoder).array if keep else encode(bare, encoder=encoder).array
            self._known.update(zip(digests, found, strict=True))
        return np.stack([self._known[digest] for digest in digests])

    def batch(self, array: np.ndarray | Ragged, generator: torch.Generator | None) -> Tensor:
        """Network input from stored features; nothing is drawn."""
        assert isinstance(array, np.ndarray)
        mean, std = self.statistics
        return (torch.from_numpy(np.require(array, requirements=["C", "W"])) - mean) / std
