"""Public tasks by name."""

from __future__ import annotations

from dataclasses import replace

from acclimate.data.protocols.class_subsets import of_fewer_classes
from acclimate.data.protocols.different_features import heterogeneous_specs
from acclimate.data.protocols.digits import digit_specs, script_specs
from acclimate.data.protocols.office import office_specs
from acclimate.data.protocols.regression import regression_specs
from acclimate.data.protocols.reviews import review_specs
from acclimate.data.protocols.several_sources import several_source_specs
from acclimate.data.protocols.signs import sign_specs
from acclimate.data.protocols.simulated import simulated_specs
from acclimate.data.protocols.sketches import sketch_specs
from acclimate.data.specs import TaskSpec
from acclimate.data.task import Task
from acclimate.errors import UnknownNameError


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
    digits, office = [*digit_specs()], [*office_specs()]
    return [
        *digits,
        *script_specs(),
        *sign_specs(),
        *office,
        *heterogeneous_specs(),
        *review_specs(),
        *sketch_specs(),
        *simulated_specs(),
        *several_source_specs(),
        *regression_specs(),
        *of_fewer_classes([*digits, *office]),
    ]
