"""Photos searched by sketch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.data.images import thumbnails
from acclimate.data.sketches import Parts, split_by_photo, split_zero_shot
from acclimate.data.specs import DEFAULT_METHOD_FOR_SKETCHES, TaskSpec
from acclimate.data.task import Task


def sketch_specs() -> Iterator[TaskSpec]:
    """Photos searched by sketch, in features of a frozen encoder."""

    def drawn(queries: str, split: Callable[..., Parts]) -> Callable[[int], Task]:
        return lambda seed: _sketches(queries, split, seed)

    photos = "Sketchy's photos in MobileNetV2's features"
    for name, queries, network, what in (
        ("sketchy", "sketchy", "sketch-mobilenetv2", "sketches as pictures"),
        ("sketchy_features", "sketchy_encoded", "encoded", "sketches in the same features"),
    ):
        summary = f"{what} → {photos}; a tenth of the photos and their sketches is test, drawn by seed"
        task = drawn(queries, split_by_photo)
        yield TaskSpec(name, summary, task, network, method=DEFAULT_METHOD_FOR_SKETCHES)
        summary = f"{what} → {photos}; tested on 25 categories that training never sees"
        task = drawn(queries, split_zero_shot)
        yield TaskSpec(f"{name}-unseen", summary, task, network, method=DEFAULT_METHOD_FOR_SKETCHES)


def _sketches(queries: str, split: Callable[..., Parts], seed: int) -> Task:
    """Everything but the test part is for training, which sets its own validation part aside."""
    photos, sketches = _with_pictures("photo"), _queries(queries)
    # Zero-shot, too, everything of the other categories: what chooses the weights is drawn by the training.
    parts = split(photos, sketches, validation=0.0, seed=seed)
    return Task(
        sketches.take(parts.train.sketches),
        photos.take(parts.train.photos),
        source_test=sketches.take(parts.test.sketches),
        target_test=photos.take(parts.test.photos),
    )


def _queries(name: str) -> Domain:
    return _with_pictures("sketch") if name == "sketchy_encoded" else catalog.load(name, "sketch")


def _with_pictures(split: str) -> Domain:
    """Sketchy's features with the pictures to show them by, where these are here too."""
    encoded = catalog.load("sketchy_encoded", split)
    if not catalog.dataset("sketchy").is_here(split):
        return encoded
    pictures = catalog.load("sketchy", split)
    place = {name: row for row, name in enumerate(pictures.ids)}
    if not all(name in place for name in encoded.ids):
        return encoded
    return replace(encoded, pictures=thumbnails(pictures.array[[place[name] for name in encoded.ids]]))
