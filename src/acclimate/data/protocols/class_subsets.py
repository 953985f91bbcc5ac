"""Public tasks of which one side lacks classes: partial (the target does) and open-set (the source does)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.specs import TaskSpec
from acclimate.data.task import TARGET_ROLES, HiddenLabels, Task

PARTIAL, OPEN = "-partial", "-open"
_METHODS = {PARTIAL: "ba3us", OPEN: "progressive-separation"}
# Whole families and single tasks of ten classes each; the first five are what both sides have.
_OF_TEN, _SHARED = ("office_features:", "mnist-usps", "usps-mnist"), 5


def of_fewer_classes(specs: Iterable[TaskSpec]) -> Iterator[TaskSpec]:
    """For each task of ten classes, one whose target has the first five, and one whose source has."""
    for spec in specs:
        if spec.name.startswith(_OF_TEN[0]) or spec.name in _OF_TEN[1:]:
            told = f"; the target has the first {_SHARED} of the source's 10 classes"
            yield _derived(spec, PARTIAL, told, partial_task)
            told = f"; the source has the first {_SHARED} of the target's 10 classes, the others are unknown"
            yield _derived(spec, OPEN, told, open_set_task)


def _derived(spec: TaskSpec, ending: str, told: str, make: Callable[[Task], Task]) -> TaskSpec:
    return replace(
        spec,
        name=spec.name + ending,
        summary=spec.summary + told,
        build=lambda seed: make(spec.build(seed)),
        method=_METHODS[ending],
    )


def partial_task(task: Task, shared: int = _SHARED) -> Task:
    """The task with only those target examples that are of the first classes.

    Args:
        task: all of whose target examples have hidden labels.
        shared: how many classes.
    """
    hidden = task.hidden or HiddenLabels()
    kept = {role: y < shared for role in TARGET_ROLES if (y := getattr(hidden, role)) is not None}
    sides = {role: getattr(task, role).take(np.flatnonzero(rows)) for role, rows in kept.items()}
    labels = {role: getattr(hidden, role)[rows] for role, rows in kept.items()}
    return replace(task, **sides, hidden=HiddenLabels.by_role(labels), notes=())


def open_set_task(task: Task, shared: int = _SHARED) -> Task:
    """The task with only those source examples that are of the first classes, which are all that the source tells of.

    Args:
        task: with as many classes on both sides.
        shared: how many classes.
    """

    def known(domain: Domain) -> Domain:
        kept = domain.take(np.flatnonzero(domain.labels < shared))
        return replace(kept, classes=domain.classes[:shared])

    test = None if task.source_test is None else known(task.source_test)
    return replace(task, source=known(task.source), source_test=test, notes=())
