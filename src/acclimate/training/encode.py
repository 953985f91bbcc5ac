"""Frozen features of photos and of texts, computed once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from acclimate.data import catalog, storage
from acclimate.data.catalog.office_features import OfficeCaltech10Encoded
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder
from acclimate.data.preprocess import Preprocess
from acclimate.data.ragged import to_texts
from acclimate.data.streams import ordered
from acclimate.errors import DataError
from acclimate.networks.mobilenet import MobileNet, load_mobilenet
from acclimate.networks.sentence_encoder import SentenceEncoder

_BATCH, _TEXTS = 64, 32


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


def encode_texts(
    texts: Domain, encoder: SentenceEncoder, progress: Callable[[int], None] = lambda count: None
) -> Domain:
    """A pretrained encoder's features of each text, with the texts' labels and ids.

    Texts of about the same length are encoded together, so that little of a batch is padding.

    Args:
        texts: as they were read.
        encoder: from `load_sentence_encoder`.
        progress: told how many texts have been encoded.

    Raises:
        DataError: if there are no texts.
    """
    if texts.kind != "text" or not len(texts):
        raise DataError(texts.name, "must hold texts", texts.in_words, "Give a file or folder of texts.")
    tokens = encoder.tokens(list(to_texts(texts.rows)))
    order = np.argsort([-len(own) for own in tokens], kind="stable")  # what takes most memory comes first
    features = []
    for start in range(0, len(order), _TEXTS):
        features.append(encoder.encode([tokens[row] for row in order[start : start + _TEXTS]]).numpy())
        progress(min(start + _TEXTS, len(order)))
    rows = np.concatenate(features)[np.argsort(order)]
    return Domain(rows, texts.labels, texts.classes, texts.name, texts.ids, texts.notes)
