"""Few target labels: both sides have the same features, and the target some labels of every class."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.problems.base import Problem, problem_called
from acclimate.problems.pairs import baseline_of_source
from acclimate.runs.record import LABELS_ALONE, WITHOUT_LABELS
from acclimate.runs.request import Request
from acclimate.training.plan import Plan
from acclimate.types import UNLABELLED


class FewLabels(Problem):
    """As adaptation, with labels of the target that no method of it can do without.

    The source and those labels together are what a method has to be better than; either of them alone stands beside.
    Examples whose labels were granted count in no score of any of them.
    """

    name: ClassVar[str] = "few-labels"

    def label_budget(self, request: Request, task: Task) -> str:
        """What was asked for, or of own data the labels that are there: as where the sides' features differ."""
        return problem_called("heterogeneous").label_budget(request, task)

    def check(self, plan: Plan, target: Domain) -> None:
        """A labelled example of every class, and others to be answered."""
        given = target.labels[target.labels != UNLABELLED]
        counts = np.bincount(given, minlength=len(plan.classes))[: len(plan.classes)]
        lacking = [name for name, n in zip(plan.classes, counts, strict=True) if n == 0]
        method = f"the method {plan.method.name!r}"
        if len(lacking) == len(plan.classes):
            rule = f"must grant target labels of every class to {method}, which learns from them"
            fix = "Add --label-budget 3, in Python labels with −1 for the rest; or take mcc or dann, which need none."
            raise RequestError("label_budget", rule, "none", fix)
        if lacking:
            names = ", ".join(repr(name) for name in lacking[:5]) + ", …" * (len(lacking) > 5)
            fix = "Label an example of each class; if the target lacks classes, take a method such as pada or ba3us."
            raise RequestError(
                "target", f"must have a labelled example of every class for {method}", f"none of {names}", fix
            )
        if len(given) > len(target) - 2:
            got = f"{len(target) - len(given)} beside {len(given):,} labelled"
            fix = "Grant fewer labels, or take train-on-target, which learns from all of them."
            raise RequestError(
                "target", f"must have at least two examples without a granted label for {method}", got, fix
            )

    def check_asked(self, request: Request, plan: Plan, task: Task) -> None:
        """As `check`."""
        self.check(plan, task.target)

    def baselines(self, plan: Plan, source: Domain, target: Domain) -> dict[str, str]:
        """The source with the target's labels; the source without them; the labels without the source."""
        return {**baseline_of_source(plan, source), WITHOUT_LABELS: "source-only", LABELS_ALONE: "train-on-target"}
