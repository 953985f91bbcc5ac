"""A folder of photos as a frozen encoder's features, block by block: memory stays flat, and what is done is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from acclimate.data.cache import Facts, Kept, Rows, content_key, recall
from acclimate.data.domain import Domain
from acclimate.data.readers.images import Findings, ImageFolder, decode_files, find_images
from acclimate.data.readers.pictures import DECODER, Form
from acclimate.data.schema import EncodedSchema
from acclimate.inputs.encode import encode
from acclimate.networks.encoder import PhotoEncoder
from acclimate.training.trainer import Interrupted

BLOCK = 128  # photos that are decoded, encoded and kept together
_TRIED = 8


def encode_folder(
    folder: Path | str,
    encoder: PhotoEncoder,
    *,
    name: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Domain:
    """Features float32 `(n, d)` of every photo of a folder that opens, labelled by class folders, with paths as ids.

    Each block's features are kept in the cache by the bytes of its files and the encoder's weights: work that was
    stopped goes on there, wherever the folder is by then.

    Args:
        folder: as for `read_images`; grey photos and sketches count as photos.
        encoder: from `load_photo_encoder`, on any device.
        name: what to call the domain; by default the folder's name.
        progress: told how many photos are done, and of how many.
        stopped: asked before each block.

    Raises:
        RequestError: if there is no such folder.
        DataError: if it holds no photo that opens, or both loose photos and folders of them.
        Interrupted: if `stopped` said so.
    """
    images = find_images(folder, name)
    total = len(images.files)
    blocks: list[Kept] = []
    for start in range(0, total, BLOCK):
        if stopped():
            raise Interrupted(start, total)
        files = images.files[start : start + BLOCK]
        blocks.append(_block(images, files, encoder))
        progress(min(start + BLOCK, total), total)
    features = [np.ascontiguousarray(kept.rows).view(np.float32)[..., 0] for kept in blocks if len(kept.rows)]
    notes = tuple(dict.fromkeys(note for kept in blocks for note in kept.notes))
    found = Findings.together([Findings.model_validate(_by_name(images, i, kept)) for i, kept in enumerate(blocks)])
    made = np.concatenate(features) if features else np.empty((0, 1), np.float32)
    return images.domain(made, found, notes, EncodedSchema(encoder=encoder.name, weights=encoder.digest))


def seconds_per_photo(images: ImageFolder, encoder: PhotoEncoder) -> float:
    """How long a photo takes, measured on the first few of them after one to warm up."""
    _encoded(images, images.files[:1], encoder)
    start = time.perf_counter()
    tried = images.files[:_TRIED]
    _encoded(images, tried, encoder)
    return (time.perf_counter() - start) / len(tried)


def width(encoder: PhotoEncoder) -> int:
    """d, the numbers of a photo's features, found by encoding a white one."""
    white = np.full((1, encoder.stored, encoder.stored, 3), 255, dtype=np.uint8)
    return int(encode(Domain(white, name="white"), encoder=encoder).array.shape[1])


def _block(images: ImageFolder, files: Sequence[str], encoder: PhotoEncoder) -> Kept:
    """Features of some files as bytes `(m, d, 4)`; which of them failed, by place, as names may differ next time."""

    def fill(rows: Rows) -> Facts:
        features, found = _encoded(images, files, encoder)
        rows.begin(len(features), (features.shape[1], 4))
        rows.append(np.ascontiguousarray(features).view(np.uint8).reshape(*features.shape, 4))
        places = {file: str(i) for i, file in enumerate(files)}
        return found.model_dump() | {"failed": {places[file]: why for file, why in found.failed.items()}}

    digests = {f"{i:04d}": images.digests[file] for i, file in enumerate(files)}
    parameters = {"photos": encoder.name, "weights": encoder.digest, "decoder": DECODER}
    return recall(content_key(digests, parameters), fill, "the photos will be encoded again next time")


def _encoded(images: ImageFolder, files: Sequence[str], encoder: PhotoEncoder) -> tuple[np.ndarray, Findings]:
    """Features `(m, d)` of the files that open, and what was found out about all."""
    pixels, found = decode_files(images.folder, files, Form(encoder.stored, 3))
    if not len(pixels):
        return np.empty((0, 1), np.float32), found
    return encode(Domain(pixels, name=images.name), encoder=encoder).array, found


def _by_name(images: ImageFolder, number: int, kept: Kept) -> Facts:
    """A block's facts with the files' names in place of their places in it."""
    files = images.files[number * BLOCK : (number + 1) * BLOCK]
    return kept.facts | {"failed": {files[int(place)]: why for place, why in kept.facts["failed"].items()}}
