"""Digits: MNIST, USPS, SVHN and those made of them; rendered ones; two scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from acclimate.data import catalog
from acclimate.data.budget import LabelBudget
from acclimate.data.domain import Domain
from acclimate.data.specs import TaskSpec
from acclimate.data.task import Task

# Numbers of training examples in the protocol of ADDA and MCD.
_SUBSAMPLE = {"mnist": 2_000, "usps": 1_800}


def digit_specs() -> Iterator[TaskSpec]:
    """Digits, from the demo to the whole sets."""

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


def script_specs() -> Iterator[TaskSpec]:
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
