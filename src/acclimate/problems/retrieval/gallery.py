"""What training a retrieval model needs beside the loop: its plan, its validation, and scores of what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from torch import nn

from acclimate.data.class_names import name_key, places_of, together
from acclimate.data.domain import Domain
from acclimate.data.pairing import renumbered
from acclimate.data.preprocess import Preprocess, Sides
from acclimate.data.sketches import by_category, counterparts, split_by_photo
from acclimate.errors import DataError, RequestError
from acclimate.methods.base import Method
from acclimate.metrics.retrieval import rank
from acclimate.networks.architecture import Architecture
from acclimate.networks.mobilenet import weights_are_here
from acclimate.networks.registry import ARCHITECTURES, FOR_QUERIES, architecture
from acclimate.runs.options import TrainingOptions
from acclimate.training.validation import Validation
from acclimate.types import UNLABELLED, Outputs

Speak = Callable[[Domain, str], Outputs]


def query_network(name: str | nn.Module | None, source: Domain) -> str:
    """The architecture for queries: the one asked for, or what suits them.

    Raises:
        RequestError: if it is not one for such queries.
    """
    allowed: tuple[str, ...] = FOR_QUERIES[:1] if source.kind == "features" else FOR_QUERIES[1:]
    if name is None:
        return allowed[1] if source.kind == "images" and weights_are_here() else allowed[0]
    if name not in allowed:
        what = "features" if source.kind == "features" else "images"
        raise RequestError(
            "network",
            f"must be {' or '.join(map(repr, allowed))} for queries that are {what}",
            repr(name) if isinstance(name, str) else f"a {type(name).__name__}",
            "Leave network out for the default.",
        )
    assert isinstance(name, str)
    return name


def resolve_retrieval(
    method: Method, name: str, source: Domain, target: Domain, options: Mapping[str, Any]
) -> tuple[Architecture, Sides, TrainingOptions]:
    """Architecture, preprocessing of both sides and options of a retrieval training.

    Raises:
        DataError: if the gallery holds anything but features.
        RequestError: if an option does not fit.
    """
    if target.kind != "features":
        raise DataError(
            "target",
            f"must hold features of a photo encoder for the method {method.name!r}",
            target.in_words,
            "Give a folder of photos to `acclimate adapt`, which encodes them, or arrays of features.",
        )
    resolved = TrainingOptions.resolve({**method.recipe, **ARCHITECTURES[name](1).recipe}, options)
    if resolved.normalisation not in (None, "standard"):
        fix = "Leave normalisation out."
        raise RequestError("normalisation", "must be 'standard' for retrieval", repr(resolved.normalisation), fix)
    items = Preprocess.of_features([target])
    if source.kind == "features":
        queries = Preprocess.of_features([source])
    else:
        encoder = architecture(name, 1)
        queries = Preprocess.of_images(
            [source],
            size=encoder.input_size,
            channels=encoder.fixed_channels,
            pad=resolved.pad,
            flip=resolved.flip,
            white={"source": source.white} if source.white is not None else None,
        )
    built = architecture(name, items.channels, queries.channels)
    return built, Sides(source=queries, target=items), resolved


def check_gallery(source: Domain, target: Domain) -> None:
    """Refuse a target without a labelled example of each class that has queries.

    Raises:
        RequestError: naming classes without.
    """
    wanted, there = (
        [side.classes[k] for k in np.unique(side.labels[side.labels != UNLABELLED])] for side in (source, target)
    )
    known = places_of(there)
    lacking = [name for name in wanted if name_key(name) not in known]
    if lacking:
        raise RequestError(
            "target",
            "must have a labelled example of every class that has queries",
            f"none of {', '.join(map(repr, lacking[:5]))}{', …' if len(lacking) > 5 else ''}",
            "Sort photos into folders with the names of the sketches' folders, or leave these sketches out.",
        )


def set_aside(source: Domain, target: Domain, seed: int) -> tuple[Domain, Domain, Domain, Domain]:
    """A tenth of the gallery and the queries made from it, to choose the weights by, or to test on.

    Where ids tell whose query is whose, items go with their queries; else a tenth of either side, by class. A class
    keeps an item at least.

    Returns:
        Source and target to train on, then those set aside; of these either may be empty where there are few.
    """
    # Classes are matched by name: a gallery may have more of them, or have them in another order.
    classes = together(source.classes, target.classes)
    queries, items = (replace(side, labels=renumbered(side, classes), classes=classes) for side in (source, target))
    own = counterparts(source, target)
    if (own >= 0).any():
        aside = split_by_photo(items, queries, validation=0.1, test=0, seed=seed).validation
        of_items = _leaving_some(items.labels, aside.photos)
        of_queries = aside.sketches[(own[aside.sketches] < 0) | np.isin(own[aside.sketches], of_items)]
    else:
        tenths = [_tenth(side.labels, seed) for side in (queries, items)]
        of_queries, of_items = tenths[0], _leaving_some(items.labels, tenths[1])
    rest = [np.setdiff1d(np.arange(len(side)), rows) for side, rows in ((source, of_queries), (target, of_items))]
    return source.take(rest[0]), target.take(rest[1]), source.take(of_queries), target.take(of_items)


def _tenth(labels: np.ndarray, seed: int) -> np.ndarray:
    """Every tenth row of those sorted by class, in an order of chance; ascending."""
    return np.sort(by_category(labels, np.random.default_rng([seed, 0xA51DE]))[9::10])


def _leaving_some(labels: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """Of these rows, those whose class has others too."""
    lost = np.setdiff1d(labels[aside], np.delete(labels, aside))
    return aside[~np.isin(labels[aside], lost)]


class RetrievalValidation(Validation):
    """Remembers the weights with the highest mAP of queries set aside, by class, in the items set aside with them.

    Args:
        queries: source examples with labels, in stored form.
        items: target examples with labels, in stored form.
        patience: looks without a better score after which to stop.
    """

    rule: ClassVar[str] = "validation-map"

    def __init__(self, queries: Domain, items: Domain, patience: int) -> None:
        super().__init__(queries, patience)
        self.items = items

    def loss(self, outputs: Speak) -> float:
        """1 − mAP."""
        vectors, gallery = outputs(self.domain, "source").features, outputs(self.items, "target").features
        ranked = rank(vectors, gallery, self.domain.labels, self.items.labels)
        return 1 - ranked.mean_average_precision()

    def numbers(self, loss: float) -> dict[str, float]:
        """The score itself, to record."""
        return {"validation_map": 1 - loss}
