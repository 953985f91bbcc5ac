"""A source and a target side by side: what no method can work with, and what a user should know of the two."""

from __future__ import annotations

import numpy as np

from acclimate.data.class_names import measured, places_in
from acclimate.data.domain import Domain
from acclimate.data.schema import EncodedSchema, TableSchema
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

_LABELS = ("label", "labels", "class", "target", "y", "category", "kind", "outcome", "diagnosis", "species")
_SHOWN = 10
_FEWEST_NUMBERS = 10


def check_pair(source: Domain, target: Domain) -> None:
    """Refuse a source and a target that no method can work with; as `check_source` and `check_target`."""
    check_source(source)
    check_target(target)


def check_source(source: Domain) -> None:
    """Refuse a source that no method can learn from.

    Raises:
        DataError: if it has fewer than two labelled classes, or a measurement in their place.
    """
    check_labelled(source)
    if source.numbers is not None:
        check_numbers(source)
        return
    present = np.unique(source.labels[source.labels != UNLABELLED])
    if len(present) < 2:
        raise DataError(
            "source",
            "must have at least two classes with labels",
            f"only {_names([source.classes[y] for y in present])}",
            "Add labelled examples of a second class: with one, every answer is the same."
            + " A label −1, NA or null is none; if it is a class, give it another name."
            * (source.num_labelled < len(source)),
        )
    check_are_classes(source)


def check_numbers(source: Domain) -> None:
    """Refuse numbers that teach nothing.

    Raises:
        DataError: if fewer than ten are known, or all are alike.
    """
    assert source.numbers is not None
    known = source.numbers[~np.isnan(source.numbers)]
    if len(known) < _FEWEST_NUMBERS:
        raise DataError(
            f"the labels of {source.name}",
            f"must be known for at least {_FEWEST_NUMBERS} examples to learn a number from them",
            f"{len(known):,}",
            "Add labelled examples.",
        )
    if np.ptp(known) == 0:
        raise DataError(
            f"the labels of {source.name}",
            "must differ to be learnt",
            f"{known[0]:g} in all {len(known):,} examples",
            "Name another label column, or give examples with other numbers.",
        )


def check_target(target: Domain) -> None:
    """Refuse a target that no method can adapt to.

    Raises:
        DataError: if it has fewer than two examples.
    """
    if len(target) < 2:
        raise DataError(
            "target",
            "must have at least two examples, or there is no distribution",
            len(target),
            "Add target examples; they need no labels.",
        )


def check_are_classes(source: Domain) -> None:
    """Refuse a number to predict, which is none of a few classes.

    Raises:
        DataError: if the labels are one.
    """
    known = source.labels[source.labels != UNLABELLED]
    names = [source.classes[y] for y in np.unique(known)]
    if measured(names, len(known)):
        raise DataError(
            f"the labels of {source.name}",
            "must be classes, each of which can be met again",
            f"{len(names):,} different numbers ({', '.join(names[:3])}, …), as a measurement has",
            "Predict its ranges with --bins 3, in Python bins=3, three classes of one size; or name the classes. "
            "The number itself: --problem regression, in Python acclimate.DAREGRAM and the others of that problem.",
        )


def check_labelled(source: Domain) -> None:
    """Refuse a source without labels; of a table its columns are named, as one of them is likely to hold them.

    Raises:
        DataError: if there are none.
    """
    if source.num_labelled:
        return
    fix = "Sort source images or texts into one folder per class, or name the label column: --label-column NAME."
    if isinstance(source.schema, TableSchema) and source.schema.label_column is None:
        fix = f"Name the label, --label-column NAME: one of {', '.join(_likely_labels(source.schema)[:_SHOWN])}."
    raise DataError("source", "must have labels", f"{len(source):,} unlabelled examples", fix)


def _likely_labels(schema: TableSchema) -> list[str]:
    """The columns of a table, first those that are called labels, then those of few values."""
    choices = {column.name: len(column.categories) for column in schema.columns if column.kind == "categorical"}
    called = [name for name in schema.names if name.casefold() in _LABELS]
    few = sorted(choices, key=lambda name: choices[name])
    return list(dict.fromkeys([*called, *few, *schema.names, *schema.left_out]))


def check_same_kind(source: Domain, target: Domain) -> None:
    """Refuse two sides of different kinds.

    Raises:
        DataError: if they are.
    """
    if source.kind != target.kind:
        raise DataError(
            "source and target",
            "must hold the same kind of input",
            f"{source.in_words}, and {target.in_words}",
            "Give images on both sides, features (tables, arrays of two axes) on both, or texts on both.",
        )


def check_same_encoder(source: Domain, target: Domain) -> None:
    """Refuse features of two encoders in one space; what does not say whose it is passes.

    Raises:
        DataError: naming both.
    """
    one, two = source.schema, target.schema
    if isinstance(one, EncodedSchema) and isinstance(two, EncodedSchema) and one != two:
        raise DataError(
            f"{source.name} and {target.name}",
            "must be features of one encoder",
            f"{_encoder(one)}, and {_encoder(two)}",
            f"Encode both alike: acclimate encode PHOTOS OUT.npz --encoder {one.encoder}",
        )


def _encoder(schema: EncodedSchema) -> str:
    return f"{schema.encoder!r} with weights {schema.weights[:8]}"


def form_notes(source: Domain, target: Domain) -> tuple[str, ...]:
    """What tells images of two domains apart before anybody looks at what they show, in plain sentences."""
    if source.kind != "images" or target.kind != "images":
        return ()
    notes = []
    grey, colour = sorted((source, target), key=lambda domain: domain.array.shape[3])
    if grey.array.shape[3] < colour.array.shape[3]:
        notes.append(
            f"The {grey.name} is grey and the {colour.name} in colour, which alone tells them apart; if colour says "
            "nothing about the classes, convert both to grey."
        )
    small, large = sorted((source, target), key=lambda domain: max(domain.array.shape[1:3]))
    sides = [max(domain.array.shape[1:3]) for domain in (small, large)]
    if sides[1] >= 2 * sides[0]:
        notes.append(
            f"Images of the {small.name} have {sides[0]} pixels a side and those of the {large.name} {sides[1]}; "
            "resized to one size, they differ in sharpness."
        )
    return tuple(notes)


def renumbered(domain: Domain, classes: tuple[str, ...]) -> np.ndarray:
    """Labels of `domain` as indices into `classes`, matched by name; −1 stays −1."""
    if not domain.classes:
        return domain.labels
    places = places_in(classes, domain.classes)
    missing = [c for c, place in zip(domain.classes, places[:-1], strict=True) if place == UNLABELLED]
    if missing:
        raise DataError(
            f"{domain.name}.classes",
            f"must be among {classes}",
            missing,
            "Give its classes the names that they have on the other side.",
        )
    return np.asarray(places[domain.labels])


def class_notes(source: Domain, answers: np.ndarray | None, classes: tuple[str, ...]) -> list[str]:
    """Classes that one side lacks, in plain sentences, as far as the target's answers tell."""
    notes = []
    if answers is not None:
        present = set(answers[answers != UNLABELLED].tolist())
        if present and not present & set(range(len(source.classes))):
            return [
                f"No class has the same name on both sides: the source has {_names(list(source.classes))}, the "
                f"target {_names([classes[y] for y in sorted(present)])}. Every answer counts as wrong; to have them "
                "scored, name the target's classes as the source does."
            ]
        only_source = [c for i, c in enumerate(source.classes) if i not in present]
        if only_source:
            notes.append(
                f"Only the source has {_names(only_source)}; adaptation may pull target examples into it."
                if len(only_source) == 1
                else f"Only the source has {_names(only_source)}; adaptation may pull target examples into them."
            )
    only_target = classes[len(source.classes) :]
    if only_target:
        notes.append(
            f"Only the target has {_names(list(only_target))}; no model trained on this source can predict that, "
            "so every such example counts as wrong."
        )
    return notes


def _names(classes: list[str]) -> str:
    shown = ", ".join(repr(c) for c in classes[:5])
    return (
        f"the class {shown}"
        if len(classes) == 1
        else f"the {len(classes)} classes {shown}" + (", …" if len(classes) > 5 else "")
    )
