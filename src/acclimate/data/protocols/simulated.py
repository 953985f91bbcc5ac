"""Public tasks with one kind of shift each, so that what helps under it, and what harms, is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from acclimate.data import catalog
from acclimate.data.catalog.simulated_shifts import DRAWINGS, SHIFTS, SIZE
from acclimate.data.domain import Domain
from acclimate.data.specs import TaskSpec
from acclimate.data.task import Task

_WHAT = {
    "covariate": "the same classes, seen in one corner",
    "label": "nine in ten of one class, against half",
    "concept": "everything smaller and moved",
    "subspace": "mirrored but for one direction",
}
_PAIRS = DRAWINGS // 2


def simulated_specs() -> Iterator[TaskSpec]:
    """One task for each shift."""

    def made(shift: str) -> Callable[[int], Task]:
        return lambda seed: simulated(shift, seed)

    for shift in SHIFTS:
        summary = f"skada's {shift} shift in the plane: {_WHAT[shift]}; {SIZE[shift]:,} a side drawn by seed"
        yield TaskSpec(f"simulated-{shift}", summary, made(shift), "mlp")


def simulated(shift: str, seed: int) -> Task:
    """A drawing of each side to train on, and another to test on; ten seeds have drawings of their own.

    Args:
        shift: one of `SHIFTS`.
        seed: its last digit says which drawings.
    """
    source, target = (catalog.load("simulated_shifts", f"{shift}_{side}") for side in ("source", "target"))
    size, first = SIZE[shift], 2 * (seed % _PAIRS)

    def drawing(domain: Domain, number: int) -> Domain:
        return domain.take(np.arange(number * size, (number + 1) * size))

    return Task(
        drawing(source, first),
        drawing(target, first),
        source_test=drawing(source, first + 1),
        target_test=drawing(target, first + 1),
    )
