"""Partial adaptation: the target has some of the source's classes, and nobody says which."""

from __future__ import annotations

from typing import ClassVar

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.problems.base import Problem
from acclimate.problems.pairs import baseline_of_source
from acclimate.problems.shared import check_shared
from acclimate.runs.record import PLAIN
from acclimate.runs.request import Request
from acclimate.training.collapse import SOME_CLASSES, Expected
from acclimate.training.plan import Plan


class Partial(Problem):
    """As adaptation, but the source's class shares say nothing of the target's.

    DANN stands beside, which takes them for equal.
    """

    name: ClassVar[str] = "partial"
    expected: ClassVar[Expected] = SOME_CLASSES

    def check_asked(self, request: Request, plan: Plan, task: Task) -> None:
        """Some class on both sides, as far as the target's labels tell."""
        check_shared(task, len(plan.classes), plan.method.name)

    def baselines(self, plan: Plan, source: Domain, target: Domain) -> dict[str, str]:
        """The source alone, and alignment that weighs no class."""
        return {**baseline_of_source(plan, source), PLAIN: "dann"}
