"""Adaptation: a labelled source and a target with the same features, whose classes are asked for."""

from __future__ import annotations

from typing import ClassVar

from acclimate.problems.base import Problem


class Adaptation(Problem):
    """The plain problem, of which the others differ.

    A tenth of the source is set aside to test on, one network reads both sides, each side gives batches at its own
    pace, early stopping asks the source alone, and the source alone is what a method has to be better than.
    """

    name: ClassVar[str] = "adaptation"
