"""Sides with different features: photos seen by two encoders, stories in two languages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.data.protocols.office import PLACES
from acclimate.data.specs import TaskSpec
from acclimate.data.task import Task

# Domains of Office-Caltech-10 by kind of features.
_KINDS = {"surf": PLACES, "decaf": ("dslr", "webcam"), "mobilenet": PLACES}
_FEATURES = {
    "surf": "office_caltech10_surf",
    "decaf": "office_caltech10_decaf6",
    "mobilenet": "office_caltech10_mobilenetv2",
}


def heterogeneous_specs() -> Iterator[TaskSpec]:
    """Tasks whose sides have different features, for methods that take a few target labels."""

    def office(kinds: tuple[str, ...], places: tuple[str, ...]) -> Callable[[int], Task]:
        source, target = (_FEATURES[kind] for kind in kinds)
        return lambda seed: Task(catalog.load(source, places[0]), catalog.load(target, places[1]))

    def news(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _news(source, target, seed)

    protocol = "3 labels a class drawn by seed, scored on the unlabelled target"
    for kinds in itertools.permutations(_KINDS, 2):
        for places in itertools.product(*(_KINDS[kind] for kind in kinds)):
            if places[0] != places[1]:  # with the same photos on both sides it would be another problem
                name = "-".join(f"{kind}_{place}" for kind, place in zip(kinds, places, strict=True))
                summary = f"Office-Caltech-10 in other features; {protocol}"
                yield TaskSpec(f"office:{name}", summary, office(kinds, places), None, "3")
    yield TaskSpec(
        "office31:surf800_amazon-surf600_dslr",
        "Office-31 in other features; the official split with 3 labels a class, scored on the unlabelled target",
        _office31_surf,
        None,
    )
    for source, target in itertools.permutations(("en", "fr", "gr", "it", "sp"), 2):
        summary = "Reuters news in two languages, each story on one side only; 5 labels a class drawn by seed"
        yield TaskSpec(f"reuters:{source}-{target}", summary, news(source, target), None, "5")


def _office31_surf(_: int) -> Task:
    labelled, unlabelled = (catalog.load("office31_surf", f"dslr_{part}") for part in ("labelled", "unlabelled"))
    target = Domain(
        np.concatenate([labelled.array, unlabelled.array]),
        np.concatenate([labelled.labels, unlabelled.labels]),
        labelled.classes,
        "office31_surf/dslr",
        (*labelled.ids, *unlabelled.ids),
    )
    task = Task(catalog.load("office31_surf", "amazon"), target)
    return task.with_labels_of(np.arange(len(labelled)))


def _news(source: str, target: str, seed: int) -> Task:
    """Half of the stories on each side, drawn by seed."""
    sides = [catalog.load("reuters", language) for language in (source, target)]
    stories = sorted({story for side in sides for story in side.ids})
    drawn = np.random.default_rng([seed, 0x2EC7E25]).permutation(len(stories))
    halves = [{stories[i] for i in half} for half in (drawn[::2], drawn[1::2])]
    first, second = (
        side.take(np.array([story in half for story in side.ids])) for side, half in zip(sides, halves, strict=True)
    )
    return Task(first, second)
