"""Public tasks by name: which data sets, which examples, by which protocol."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from acclimate.data import catalog
from acclimate.data.budget import LabelBudget
from acclimate.data.catalog.amazon_bow import BOW_DOMAINS
from acclimate.data.catalog.amazon_reviews import DOMAINS
from acclimate.data.catalog.multi_domain_sentiment import PRODUCTS
from acclimate.data.catalog.office_features import scaled_surf
from acclimate.data.class_subsets import of_fewer_classes
from acclimate.data.domain import Domain
from acclimate.data.duplicates import tail_key, without_copies, without_endings
from acclimate.data.images import thumbnails
from acclimate.data.simulated import simulated_specs
from acclimate.data.sketches import Parts, split_by_photo, split_zero_shot
from acclimate.data.specs import DEFAULT_METHOD_FOR_SKETCHES, DEFAULT_METHOD_FOR_TEXTS, TaskSpec
from acclimate.data.task import Task
from acclimate.errors import UnknownNameError

# Numbers of training examples in the protocol of ADDA and MCD.
_SUBSAMPLE = {"mnist": 2_000, "usps": 1_800}
_OFFICE = ("amazon", "caltech", "dslr", "webcam")


def load_task(name: str, seed: int = 0) -> Task:
    """Read the public task of that name.

    Args:
        name: see `task_specs`.
        seed: chooses the examples where the protocol draws some.

    Raises:
        UnknownNameError: if there is no such task.
        AbsentError: if a data set is not at hand; says how to get it.
    """
    return replace(find_task(name).build(seed), name=name)


def find_task(name: str) -> TaskSpec:
    """The specification of a task, without reading data."""
    specs = {spec.name: spec for spec in task_specs()}
    if name not in specs:
        raise UnknownNameError("task", name, specs)
    return specs[name]


def task_specs() -> list[TaskSpec]:
    """All public tasks."""
    digits, office = [*_digit_specs()], [*_office_specs()]
    return [
        *digits,
        *_kannada_specs(),
        *office,
        *_heterogeneous_specs(),
        *_review_specs(),
        *_sketch_specs(),
        *simulated_specs(),
        *of_fewer_classes([*digits, *office]),
    ]


def _digit_specs() -> Iterator[TaskSpec]:
    def whole(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _whole(source, target)

    def drawn(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _drawn(source, target, seed)

    def full(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _full(source, target, seed)

    yield TaskSpec("demo", "rendered digits → scikit-learn's handwriting", whole("rendered_digits", "digits"), "tiny")
    for source, target in (("mnist", "usps"), ("usps", "mnist")):
        counts = f"{_SUBSAMPLE[source]:,}/{_SUBSAMPLE[target]:,} training images drawn by seed, official test set"
        yield TaskSpec(f"{source}-{target}", f"{counts}", drawn(source, target), "mcd-usps")
    yield TaskSpec(
        "mnist-usps-resplit",
        "as mnist-usps, with USPS pooled and split 80/20 at random by seed",
        lambda seed: _drawn("mnist", "usps", seed, resplit=True),
        "mcd-usps",
    )
    for source, target in (("mnist", "usps"), ("usps", "mnist")):
        yield TaskSpec(
            f"{source}-{target}-full",
            "55,000 MNIST and all USPS training images, USPS pooled and split 80/20 by seed",
            full(source, target),
            "mcd-usps",
        )
    for source, target, network in (
        ("mnist", "mnist_m", "dann-mnist"),
        ("mnist_m", "mnist", "mcd-svhn"),
        ("svhn", "mnist", "mcd-svhn"),
        ("syn_numbers", "svhn", "mcd-svhn"),
        ("syn_numbers", "mnist", "mcd-svhn"),
    ):
        yield TaskSpec(
            f"{source}-{target}", "whole training sets, official test sets", whole(source, target), network
        )


def _kannada_specs() -> Iterator[TaskSpec]:
    """Digits of two scripts: the same classes, but other shapes."""

    def scripts(source: str, target: str, shifted: tuple[str, str]) -> Callable[[int], Task]:
        return lambda seed: _two_scripts(source, target, shifted)

    counts = "55,000 training images of each, drawn by class; official test sets"
    for source, target, shifted, called in (
        ("mnist", "kannada_mnist", ("kannada_mnist", "dig"), "Dig-MNIST"),
        ("kannada_mnist", "mnist", ("usps", "test"), "USPS's"),
    ):
        name = f"{source}-{target}".replace("kannada_mnist", "kannada")
        summary = f"{counts}, and {called} as shifted target"
        yield TaskSpec(name, summary, scripts(source, target, shifted), "mcd-usps")


def _two_scripts(source: str, target: str, shifted: tuple[str, str]) -> Task:
    (own, _), (theirs, validation) = _with_validation(source), _with_validation(target)
    task = Task(
        own,
        theirs,
        source_test=catalog.load(source, "test"),
        target_test=catalog.load(target, "test"),
        target_shifted=catalog.load(*shifted),
        target_validation=validation,
    )
    return replace(task, notes=(*task.notes, _OTHER_SHAPES))


_OTHER_SHAPES = (
    "Digits of these two scripts have the same names and other shapes: without target labels nothing can tell which "
    "group of target images is which digit. Then read the Fowlkes-Mallows score, which needs no names, not accuracy."
)


def _with_validation(name: str) -> tuple[Domain, Domain]:
    """The training images, and apart 5,000 that the protocol keeps for validation, drawn by class; always the same.

    They are set aside here too, so that as many are trained on, but choose nothing.
    """
    train = catalog.load(name, "train")
    aside = LabelBudget(fraction=5_000 / len(train)).choose(train.labels, seed=1)
    return train.take(np.setdiff1d(np.arange(len(train)), aside)), train.take(aside, name=f"{name}/validation")


def _office_specs() -> Iterator[TaskSpec]:
    def photos(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _office("office_caltech10", source, target)

    def features(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: _office_features(source, target)

    def surf(source: str, target: str) -> Callable[[int], Task]:
        return lambda seed: Task(scaled_surf(source), scaled_surf(target))

    for source, target in itertools.permutations(_OFFICE, 2):
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


# Domains of Office-Caltech-10 by kind of features.
_KINDS = {"surf": _OFFICE, "decaf": ("dslr", "webcam"), "mobilenet": _OFFICE}
_FEATURES = {
    "surf": "office_caltech10_surf",
    "decaf": "office_caltech10_decaf6",
    "mobilenet": "office_caltech10_mobilenetv2",
}


def _heterogeneous_specs() -> Iterator[TaskSpec]:
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


def _sketch_specs() -> Iterator[TaskSpec]:
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


def _review_specs() -> Iterator[TaskSpec]:
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


def _whole(source: str, target: str) -> Task:
    (source_train, source_test), (target_train, target_test) = _official(source), _official(target)
    return Task(source_train, target_train, source_test=source_test, target_test=target_test)


def _drawn(source: str, target: str, seed: int, resplit: bool = False) -> Task:
    rng = np.random.default_rng([seed, 0x0A0D0A])
    usps_train, usps_test = _resplit_usps(rng) if resplit else _official("usps")
    sides = {"usps": (usps_train, usps_test), "mnist": _official("mnist")}
    training = {
        name: train.take(np.sort(rng.permutation(len(train))[: _SUBSAMPLE[name]]))
        for name, (train, _) in sorted(sides.items())
    }
    return Task(training[source], training[target], source_test=sides[source][1], target_test=sides[target][1])


def _full(source: str, target: str, seed: int) -> Task:
    rng = np.random.default_rng([seed, 0x0A0D0A])
    mnist_train, mnist_test = _official("mnist")
    # The protocol's MNIST file has 55,000 training images and does not say which; here the last 5,000 are left out.
    sides = {"usps": _resplit_usps(rng), "mnist": (mnist_train.take(slice(55_000)), mnist_test)}
    (source_train, source_test), (target_train, target_test) = sides[source], sides[target]
    return Task(source_train, target_train, source_test=source_test, target_test=target_test)


def _official(name: str) -> tuple[Domain, Domain]:
    return catalog.load(name, "train"), catalog.load(name, "test")


def _resplit_usps(rng: np.random.Generator) -> tuple[Domain, Domain]:
    """Pool the official parts of USPS and split them 80/20 at random: 7,438 and 1,860 images."""
    train, test = _official("usps")
    pooled = Domain(
        np.concatenate([train.array, test.array]),
        np.concatenate([train.labels, test.labels]),
        train.classes,
        "usps",
        notes=train.notes,
    )
    order = rng.permutation(len(pooled))
    held_out = round(0.2 * len(pooled))
    return pooled.take(np.sort(order[held_out:])), pooled.take(np.sort(order[:held_out]), name="usps test")


def _office(dataset: str, source: str, target: str) -> Task:
    return Task(catalog.load(dataset, source), catalog.load(dataset, target))


def _office_features(source: str, target: str) -> Task:
    return _office("office_caltech10_encoded", source, target)
