"""Reviews of one kind of product, and of another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from acclimate.data import catalog
from acclimate.data.catalog.amazon_bow import BOW_DOMAINS
from acclimate.data.catalog.amazon_reviews import DOMAINS
from acclimate.data.catalog.multi_domain_sentiment import PRODUCTS
from acclimate.data.domain import Domain
from acclimate.data.duplicates import tail_key, without_copies, without_endings
from acclimate.data.specs import DEFAULT_METHOD_FOR_TEXTS, TaskSpec
from acclimate.data.task import Task


def review_specs() -> Iterator[TaskSpec]:
    """Sentiment of reviews, trained on those of one kind of product and applied to another."""

    def reviews(build: Callable[[str, str], Task], source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: build(source, target)

    labelled = "5,600 labelled source reviews"
    for name, build, summary in (
        ("amazon", _reviews, f"{labelled}, scored on 6,000 target reviews; copies left out"),
        ("amazon_raw", _raw_reviews, f"{labelled}, scored on 6,000 target reviews, as published: with their copies"),
        ("amazon_transductive", _seen_reviews, f"{labelled}; the target's are seen unlabelled and scored; no copies"),
    ):
        for source, target in itertools.permutations(DOMAINS, 2):
            task = reviews(build, source, target)
            yield TaskSpec(f"{name}:{source}-{target}", summary, task, None, method=DEFAULT_METHOD_FOR_TEXTS)
    for source, target in itertools.permutations(PRODUCTS, 2):
        name = f"multi_domain_sentiment:{source}-{target}"
        summary = "1,600 labelled source reviews, scored on 2,000 target reviews; copies left out"
        task = partial(_official_reviews, source, target)
        yield TaskSpec(name, summary, task, None, method=DEFAULT_METHOD_FOR_TEXTS)
    for source, target in itertools.permutations(BOW_DOMAINS, 2):
        summary = "counts of 5,000 words and pairs; 2,000 labelled source and 2,000 target reviews, the rest is test"
        yield TaskSpec(
            f"amazon_bow:{source}-{target}", summary, reviews(_bags_of_words, source, target), "bag-of-words"
        )


def _bags_of_words(source: str, target: str) -> Task:
    """The protocol of the DANN paper's table 1."""
    (source_train, source_test), (target_train, target_test) = (
        tuple(catalog.load("amazon_bow", f"{side}_{part}") for part in ("train", "test")) for side in (source, target)
    )
    return Task(source_train, target_train, source_test=source_test, target_test=target_test)


def _reviews(source: str, target: str) -> Task:
    """Unlabelled target reviews to adapt to, all labelled ones to score."""
    train, validation, test = _without_copies(source, target)
    unlabelled = _without_labelled(catalog.load("amazon_reviews", f"{target}_unlabelled"), [test, train, validation])
    return Task(train, unlabelled, source_test=validation, target_test=test)


def _without_labelled(unlabelled: Domain, labelled: list[Domain]) -> Domain:
    """Unlabelled reviews without those that stand among labelled ones, with their title or without."""
    return without_endings(without_copies(unlabelled, labelled, tail_key), labelled)


def _official_reviews(source: str, target: str, seed: int) -> Task:
    """The same in the sizes of its authors' release, a fifth of the source set aside."""
    train = without_copies(catalog.load("multi_domain_sentiment", source))
    test = without_copies(catalog.load("multi_domain_sentiment", target), [train])
    unlabelled = _without_labelled(catalog.load("multi_domain_sentiment", f"{target}_unlabelled"), [test, train])
    return Task(train, unlabelled, target_test=test).with_source_test(0.2, seed)


def _seen_reviews(source: str, target: str) -> Task:
    """All labelled target reviews, seen unlabelled."""
    train, validation, seen = _without_copies(source, target)
    return Task(train, seen, source_test=validation)


def _without_copies(source: str, target: str) -> tuple[Domain, Domain, Domain]:
    """Labelled reviews of which none occurs twice: the source's training and test parts, all of the target's."""
    train, validation = _parts(catalog.load("amazon_reviews", source))
    train = without_copies(train)
    validation = without_copies(validation, [train])
    return train, validation, without_copies(catalog.load("amazon_reviews", target), [train, validation])


def _raw_reviews(source: str, target: str) -> Task:
    train, validation = _parts(catalog.load("amazon_reviews", source))
    unlabelled, test = (catalog.load("amazon_reviews", part) for part in (f"{target}_unlabelled", target))
    return Task(train, unlabelled, source_test=validation, target_test=test)


def _parts(reviews: Domain) -> tuple[Domain, Domain]:
    """The official training and test parts of one domain."""
    is_train = np.array([number.startswith("train") for number in reviews.ids])
    return reviews.take(is_train), reviews.take(~is_train, name=f"{reviews.name} test part")
