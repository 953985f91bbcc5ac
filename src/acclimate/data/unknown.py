"""A last class `unknown`, which no source example has: whatever the target holds that the source does not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acclimate.data.class_names import name_key, places_in
from acclimate.data.domain import Domain
from acclimate.data.task import TARGET_ROLES, HiddenLabels, Task
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

UNKNOWN = "unknown"


def with_unknown(source: Domain) -> Domain:
    """A source that tells of a further class, the last, of which it has no example; itself if it does already.

    Raises:
        DataError: if it has examples of a class of that name.
    """
    named = [i for i, name in enumerate(source.classes) if name_key(name) == UNKNOWN]
    if any(source.class_counts[i] for i in named):
        raise DataError(
            "source",
            f"must have no class named {UNKNOWN!r}, which answers that name no class of the source have",
            f"{int(source.class_counts[named].sum()):,} examples of it",
            "Give it another name; or leave these examples out, as nothing unknown has to be shown.",
        )
    if named and named[0] == len(source.classes) - 1:
        return source
    kept = [i for i in range(len(source.classes)) if i not in named]
    names = tuple(source.classes[i] for i in kept)
    labels = places_in(names, source.classes)[source.labels]
    return replace(source, labels=labels, classes=(*names, UNKNOWN))


def open_task(task: Task) -> Task:
    """A task whose target examples of classes that the source lacks are of the class `unknown`.

    Raises:
        DataError: as `with_unknown`.
    """
    source = with_unknown(task.source)
    if task.classes == source.classes:
        return task
    places = places_in(source.classes, task.classes, absent=len(source.classes) - 1)
    roles = task.domains().keys() - {"source"}
    sides = {role: replace(getattr(task, role), classes=source.classes) for role in roles}
    before = task.hidden or HiddenLabels()
    hidden = {role: None if (y := getattr(before, role)) is None else places[y] for role in TARGET_ROLES}
    others = [name for name, place in zip(task.classes, places, strict=False) if place == len(source.classes) - 1]
    return replace(task, source=source, **sides, hidden=HiddenLabels.by_role(hidden), notes=_notes(task, others))


def _notes(task: Task, others: list[str]) -> tuple[str, ...]:
    """The task's notes with what becomes of classes that only the target has."""
    kept = tuple(note for note in task.notes if not note.startswith("Only the target has "))
    if not others:
        return kept
    shown = ", ".join(repr(name) for name in others[:5]) + (", …" if len(others) > 5 else "")
    return *kept, f"Target examples of classes that the source lacks count as {UNKNOWN!r}: {shown}."


def in_classes(domain: Domain, classes: tuple[str, ...]) -> Domain:
    """Labelled examples in a model's classes, whose last is `unknown`: what it does not know is that."""
    labels = places_in(classes, domain.classes, absent=len(classes) - 1)[domain.labels]
    return replace(domain, labels=labels, classes=classes)


def lacks_unknown(labels: np.ndarray, k: int) -> bool:
    """Whether all examples have a label `(n,)`, and none is the last of k classes."""
    return bool(len(labels) and (labels != UNLABELLED).all() and (labels != k - 1).all())
