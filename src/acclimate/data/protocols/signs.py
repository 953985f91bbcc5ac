"""Traffic signs: drawn ones, and those that a car's camera met."""

from __future__ import annotations

from collections.abc import Iterator

from acclimate.data import catalog
from acclimate.data.catalog.gtsrb import paper_split
from acclimate.data.specs import TaskSpec
from acclimate.data.task import Task


def sign_specs() -> Iterator[TaskSpec]:
    """Drawn signs to real ones, tested on the same signs as in the paper or on others."""
    drawn = "100,000 drawn signs"
    yield TaskSpec(
        "syn_signs-gtsrb",
        f"{drawn}; GTSRB's training images split 31,367/7,842 by seed, frames of one sign on both sides",
        _of_the_paper,
        "dann-gtsrb",
    )
    yield TaskSpec(
        "syn_signs-gtsrb-official",
        f"{drawn} / 39,209 training images of GTSRB, its official test set of other signs",
        lambda seed: _official(),
        "dann-gtsrb",
    )


def _of_the_paper(seed: int) -> Task:
    target, held_out = paper_split(catalog.load("gtsrb", "train"), seed)
    return Task(
        catalog.load("syn_signs", "train"),
        target,
        source_test=catalog.load("syn_signs", "test"),
        target_test=held_out,
    )


def _official() -> Task:
    return Task(
        catalog.load("syn_signs", "train"),
        catalog.load("gtsrb", "train"),
        source_test=catalog.load("syn_signs", "test"),
        target_test=catalog.load("gtsrb", "test"),
    )
