"""What a program gives to fit, predict and score: domains, arrays, pairs of inputs and labels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import DataConversionWarning

from acclimate.data.bins import Bins
from acclimate.data.class_names import name_key, places_in
from acclimate.data.domain import Domain
from acclimate.data.readers.arrays import from_arrays
from acclimate.data.readers.given import split
from acclimate.data.readers.labels import COLUMN, read_labels
from acclimate.errors import DataError, DataWarning
from acclimate.types import UNLABELLED

Data = Any  # a Domain, an array of inputs, or a pair (inputs, labels)


@dataclass(frozen=True, eq=False)
class Pair:
    """Both sides as domains whose labels index the same classes.

    Attributes:
        source: labelled.
        target: with the labels that training may use.
        classes: for each class of the source, the label that names it, `(k,)`, of the type that was given.
    """

    source: Domain
    target: Domain
    classes: np.ndarray


def paired(source: Data, target: Data, bins: int | Bins | None = None) -> Pair:
    """Both sides as `fit` takes them. What is odd about the labels of an array is told in a warning.

    Args:
        source: a labelled `Domain`, or a pair `(X, y)`.
        target: a `Domain`, X, or a pair `(X, y)`; labels of a `Domain` are hidden unless a label budget granted them.
        bins: predict so many ranges of y, which is then a number, or the number itself (`WHOLE`); None for classes.

    Raises:
        DataError: if inputs or labels break a rule, or the target has labels of classes that the source has not.
    """
    if isinstance(source, Domain):
        if isinstance(bins, int):
            fix = "Give a pair (X, y), or read the domain with bins=…"
            raise DataError("bins", "applies to arrays only", "a Domain, which has its classes", fix)
        return Pair(source, _target(target, source), np.array(source.classes))
    inputs, y = split(source)
    if y is None:
        fix = (
            "Give a pair (X, y) or a labelled Domain; in scikit-learn's pipelines and searches, which pass X and y, "
            "wrap the estimator in acclimate.SampleDomainAdapter."
        )
        raise DataError("source", "must come with labels", "inputs alone", fix)
    domain = from_arrays(inputs, name="source")
    labels = read_labels(y, len(domain), "the labels of source", bins)
    for note in labels.notes:
        warnings.warn(f"source: {note}", DataConversionWarning if note == COLUMN else DataWarning, stacklevel=4)
    domain = replace(domain, labels=labels.indices, classes=labels.classes, bins=labels.bins, numbers=labels.numbers)
    return Pair(domain, _target(target, domain), labels.values)


def _target(target: Data, source: Domain) -> Domain:
    if not isinstance(target, Domain):
        inputs, y = split(target)
        made: Domain = from_arrays(inputs, classes=source.classes, name="target")
        if y is None:
            return made
        what = "the labels of target"
        found = read_labels(y, len(made), what, source.bins)
        return replace(made, labels=found.among(source.classes, what), numbers=found.numbers)
    if not target.labels_granted:
        return target.unlabelled()
    if [*map(name_key, target.classes[: len(source.classes)])] != [*map(name_key, source.classes)]:
        raise DataError(
            "target",
            f"must number its classes as the source does: {source.classes}",
            f"{target.classes}",
            "Pair them in a Task, which matches classes by name.",
        )
    return target


def right_answers(data: Data, labels: Any, classes: tuple[str, ...], n: int, bins: Bins | None = None) -> np.ndarray:
    """Labels to score n answers by, `(n,)`: as indices into a model's classes, k for another class, −1 for none.

    Args:
        data: a labelled `Domain` or a pair `(X, y)`, unless `labels` are given.
        labels: the labels, or None.
        classes: names of the model's k classes.
        n: how many answers there are.
        bins: the ranges that the classes are, if they are such.

    Raises:
        DataError: if there are no labels, or none is a class of the model's.
    """
    given = split(data)[1] if labels is None else labels
    if given is not None:
        found = read_labels(given, n, "labels", bins)
        indices, own = found.indices, found.classes
    elif isinstance(data, Domain) and data.num_labelled:
        indices, own = data.labels, data.classes
    else:
        fix = "Call score(X, y), or score a labelled Domain."
        raise DataError("labels", "must be given to score", "none", fix)
    if not (indices != UNLABELLED).any():
        fix = "Give labels that are not all −1 or empty."
        raise DataError("labels", "must hold at least one", "unlabelled examples alone", fix)
    answers = np.asarray(places_in(classes, own, absent=len(classes))[indices])
    if not ((answers != UNLABELLED) & (answers < len(classes))).any():
        raise DataError(
            "labels",
            "must be the classes the model was fitted with, or some of them",
            f"{sorted({own[i] for i in indices if i >= 0})[:5]} for a model that knows {list(classes[:5])}",
            "Name the classes as in fit.",
        )
    return answers


def checked_weights(sample_weight: Any, n: int) -> np.ndarray:
    """Weights of examples, float64 `(n,)`.

    Raises:
        DataError: if they are none.
    """
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        weights = np.full(0, np.nan)
    if weights.shape != (n,) or not (np.isfinite(weights) & (weights >= 0)).all():
        fix = "Leave sample_weight out to count every example once."
        raise DataError("sample_weight", f"must be {n} numbers from 0 upwards", f"{sample_weight!r:.60}", fix)
    return weights
