"""Frozen features of photos and of texts, computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from acclimate.data import catalog, storage
from acclimate.data.cache import Facts, Rows, content_key, recall
from acclimate.data.catalog.office_features import OfficeCaltech10Encoded
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder
from acclimate.data.images import thumbnails
from acclimate.data.preprocess import Preprocess
from acclimate.data.ragged import to_texts
from acclimate.data.schema import EncodedSchema
from acclimate.errors import DataError
from acclimate.networks.encoder import PhotoEncoder
from acclimate.networks.photo_encoder import OWN, load_photo_encoder
from acclimate.networks.sentence_encoder import SentenceEncoder
from acclimate.streams.order import ordered

PICTURE = 256  # side that photos and sketches are read at for retrieval, in training and in search alike
_BATCH, _TEXTS = 64, 32


def encode(
    photos: Domain, progress: Callable[[int], None] = lambda count: None, encoder: PhotoEncoder | None = None
) -> Domain:
    """A frozen encoder's features of each photo, with the photos' labels and ids.

    The short side is resized to the encoder's stored size and the middle is encoded, in eval mode and float32.

    Args:
        photos: images of any size.
        progress: told how many photos have been encoded.
        encoder: MobileNetV2 with 1,280 features by default.

    Raises:
        RequestError: if the encoder's weights are not on this machine.
    """
    encoder = encoder or load_photo_encoder(OWN)
    preprocess = photo_preprocess(encoder)
    stored, features = preprocess.fit(photos), []
    for examples in ordered(stored, preprocess, _BATCH, encoder.device):
        features.append(encoder(examples.x).cpu().numpy())
        progress(sum(map(len, features)))
    schema = EncodedSchema(encoder=encoder.name, weights=encoder.digest)
    made = np.concatenate(features)
    return Domain(made, photos.labels, photos.classes, photos.name, photos.ids, photos.notes, schema)


def photo_preprocess(encoder: PhotoEncoder) -> Preprocess:
    """How photos come to an encoder."""
    return Preprocess(
        kind="images", mean=encoder.mean, std=encoder.std, size=encoder.size, stored=encoder.stored, channels=3
    )


def encoded_once(photos: Domain, name: str) -> Domain:
    """As `encode` with the encoder of that name, kept in the cache by the photos' content and the encoder.

    The photos themselves stay, small, as `pictures`.

    Args:
        photos: images of any size.
        name: as for `load_photo_encoder`.

    Raises:
        RequestError: if there is no such encoder, or its weights are not here.
    """
    encoder = load_photo_encoder(name)
    key = content_key({"photos": photos.content_hash}, {"photo_encoder": name, "weights": encoder.digest})

    def fill(rows: Rows) -> Facts:
        features = encode(photos, encoder=encoder).array
        # The cache keeps bytes: four of them are a number.
        rows.begin(len(features), (features.shape[1], 4))
        rows.append(np.ascontiguousarray(features).view(np.uint8).reshape(len(features), -1, 4))
        return {}

    kept = recall(key, fill, "the photos were encoded and will be encoded again next time")
    features = np.ascontiguousarray(kept.rows).view(np.float32)[..., 0]
    named = Domain(features, photos.labels, photos.classes, photos.name, photos.ids, (*photos.notes, *kept.notes))
    return replace(named, pictures=thumbnails(photos.array))


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
