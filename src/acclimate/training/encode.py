"""Frozen features of photos, computed once and kept in the data home."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from acclimate.data import catalog, storage
from acclimate.data.catalog.office_features import OfficeCaltech10Encoded
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder
from acclimate.data.preprocess import Preprocess
from acclimate.data.streams import ordered
from acclimate.networks.mobilenet import MobileNet, load_mobilenet

_BATCH = 64


def encode(photos: Domain, progress: Callable[[int], None] = lambda count: None) -> Domain:
    """MobileNetV2's 1,280 pooled features of each photo, with the photos' labels and ids.

    The short side is resized to 256 and the middle 224 × 224 are encoded, in eval mode and float32.

    Args:
        photos: images of any size.
        progress: told how many photos have been encoded.

    Raises:
        RequestError: if the encoder's weights are not on this machine.
    """
    network = load_mobilenet(trainable=False).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    preprocess = Preprocess.of_images(
        [photos], size=MobileNet.input_size, stored=MobileNet.stored_size, channels=3, normalisation="half"
    )
    stored, features = preprocess.fit(photos), []
    with torch.inference_mode():
        for examples in ordered(stored, preprocess, _BATCH, torch.device("cpu")):
            features.append(network(examples.x).numpy())
            progress(sum(map(len, features)))
    return Domain(np.concatenate(features), photos.labels, photos.classes, photos.name, photos.ids, photos.notes)


def encode_office(split: str, progress: Callable[[int], None] = lambda count: None) -> Domain:
    """Features of one split of Office-Caltech-10, for the tasks `office_features:*`; computed once and stored.

    Args:
        split: amazon, caltech, webcam or dslr.
        progress: as for `encode`.
    """
    dataset = OfficeCaltech10Encoded()
    if not dataset.is_here(split):
        photos = catalog.load("office_caltech10", split)
        features = encode(photos, progress)
        named = dataset.domain(split, features.array, features.labels, features.ids, features.notes)
        storage.store(named, arrays_folder(dataset.name, split), made_from=f"photos {photos.content_hash}")
    return dataset.load(split)
