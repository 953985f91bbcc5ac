"""`TaskSpec`: what a public task is called, how it is made and what fits it, before any data are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acclimate.data.task import Task

# What to adapt with where users name no method.
DEFAULT_METHOD_FOR_NUMBERS = "dare-gram"
DEFAULT_METHOD, DEFAULT_METHOD_FOR_TEXTS, DEFAULT_METHOD_FOR_SKETCHES = "mcd", "ngram-memory", "shared-prototypes"
DEFAULT_METHOD_FOR_SOURCES = "source-combination"


@dataclass(frozen=True)
class TaskSpec:
    """A public task before its data are read.

    Attributes:
        name: what users type.
        summary: one line on data and protocol.
        build: makes the task from a seed, which matters only where the protocol draws examples.
        network: name of the architecture that fits best; None for the method's own.
        label_budget: how many target labels the protocol grants methods that need some.
        method: name of the method to use where users name none.
    """

    name: str
    summary: str
    build: Callable[[int], Task]
    network: str | None
    label_budget: str = "0"
    method: str = DEFAULT_METHOD
