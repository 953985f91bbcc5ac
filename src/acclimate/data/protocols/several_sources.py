"""Public tasks of several sources: each of four domains as the target of the three others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from acclimate.data import catalog
from acclimate.data.catalog.amazon_bow import BOW_DOMAINS
from acclimate.data.domain import Domain
from acclimate.data.protocols.office import PLACES
from acclimate.data.sources import joined
from acclimate.data.specs import DEFAULT_METHOD_FOR_SOURCES, TaskSpec
from acclimate.data.task import Task

OTHERS = "others"


def several_source_specs() -> Iterator[TaskSpec]:
    """`<family>:others-<target>`, for features of photos and for bags of words."""
    photos = (
        "frozen MobileNetV2 features of Office-Caltech-10; the three other places, all labelled, are the sources, "
    )
    yield from _specs(
        "office_features", PLACES, f"{photos}all target both unlabelled training and test", "mlp", _office
    )
    words = (
        "counts of 5,000 words and pairs; 2,000 labelled reviews of each of the three other products, 2,000 target "
    )
    yield from _specs("amazon_bow", BOW_DOMAINS, f"{words}reviews, the rest is test", "bag-of-words", _bags_of_words)


def _specs(
    family: str, domains: Sequence[str], summary: str, network: str, build: Callable[[Sequence[str], str], Task]
) -> Iterator[TaskSpec]:
    def built(target: str) -> Callable[[int], Task]:
        return lambda seed: build([domain for domain in domains if domain != target], target)

    for target in domains:
        name = f"{family}:{OTHERS}-{target}"
        yield TaskSpec(name, summary, built(target), network, method=DEFAULT_METHOD_FOR_SOURCES)


def _office(sources: Sequence[str], target: str) -> Task:
    features = partial(catalog.load, "office_caltech10_encoded")
    return Task(joined([_named(features(name), name) for name in sources]), features(target))


def _bags_of_words(sources: Sequence[str], target: str) -> Task:
    def parts(part: str) -> Domain:
        return joined([_named(catalog.load("amazon_bow", f"{name}_{part}"), name) for name in sources])

    train, test = (catalog.load("amazon_bow", f"{target}_{part}") for part in ("train", "test"))
    return Task(parts("train"), train, source_test=parts("test"), target_test=test)


def _named(domain: Domain, name: str) -> Domain:
    return replace(domain, name=name)
