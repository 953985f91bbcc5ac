"""Photos of Office-Caltech-10, and their features."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from acclimate.data import catalog
from acclimate.data.catalog.office_features import scaled_surf
from acclimate.data.specs import TaskSpec
from acclimate.data.task import Task

PLACES = ("amazon", "caltech", "dslr", "webcam")


def office_specs() -> Iterator[TaskSpec]:
    """Photos, features of a frozen encoder, and SURF counts, of all twelve pairs."""

    def photos(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _office("office_caltech10", source, target)

    def features(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _office_features(source, target)

    def surf(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: Task(scaled_surf(source), scaled_surf(target))

    for source, target in itertools.permutations(PLACES, 2):
        protocol = "Office-Caltech-10, all labelled source, all target both unlabelled training and test"
        yield TaskSpec(f"office:{source}-{target}", f"photos; {protocol}", photos(source, target), "mobilenetv2")
        yield TaskSpec(
            f"office_features:{source}-{target}",
            f"frozen MobileNetV2 features; {protocol}",
            features(source, target),
            "mlp",
        )
        scaled = "SURF counts as the literature has them: rows of sum 1, z-scored by domain"
        yield TaskSpec(f"office_surf:{source}-{target}", f"{scaled}; {protocol}", surf(source, target), "mlp")


def _office(dataset: str, source: str, target: str) -> Task:
    return Task(catalog.load(dataset, source), catalog.load(dataset, target))


def _office_features(source: str, target: str) -> Task:
    return _office("office_caltech10_encoded", source, target)
