"""Open-set adaptation: the target has classes that the source does not know, and answers may be `unknown`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from acclimate.data.domain import Domain
from acclimate.data.task import TARGET_ROLES, Task
from acclimate.data.unknown import lacks_unknown, open_task, with_unknown
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.metrics.open_set import open_scores_of
from acclimate.problems.base import Problem
from acclimate.problems.drafts import Network, drafted
from acclimate.problems.pairs import divided
from acclimate.problems.shared import check_shared
from acclimate.runs.request import Request
from acclimate.training.collapse import AND_UNKNOWN, Expected
from acclimate.training.fitted import Fitted
from acclimate.training.plan import Plan
from acclimate.training.validation import Validation


class OpenSet(Problem):
    """As adaptation, with a last class `unknown` of which no source example is.

    Hidden labels of classes that the source lacks count as that, in scores and nowhere else.
    """

    name: ClassVar[str] = "open-set"
    expected: ClassVar[Expected] = AND_UNKNOWN
    has_unknown: ClassVar[bool] = True

    def completed(self, task: Task, request: Request) -> Task:
        """The task in the source's classes and `unknown`."""
        return open_task(task)

    def draft(
        self, method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]
    ) -> Plan:
        """As usual, for one class more."""
        return drafted(method, with_unknown(source), target, network, options)

    def check_asked(self, request: Request, plan: Plan, task: Task) -> None:
        """A class on both sides and something unknown, as far as the target's labels tell."""
        k = len(plan.classes)
        check_shared(task, k - 1, plan.method.name)
        hidden = None if task.hidden is None else task.hidden.target
        if hidden is not None and lacks_unknown(hidden, k):
            raise RequestError(
                "target",
                f"must have examples of classes that the source lacks for the method {plan.method.name!r}",
                "labels of the source's classes alone",
                "Take a method such as dann, mcd or mcc; or leave the labels out if they do not tell all.",
            )

    def divide(
        self, plan: Plan, source: Domain, target: Domain, source_test: Domain | None
    ) -> tuple[Domain, Domain, Validation | None]:
        """As usual: held-out source examples choose, none of which is unknown."""
        return divided(plan, with_unknown(source), target, source_test)

    def scores(self, fitted: Fitted, task: Task) -> dict[str, float]:
        """How well known classes are told apart, and the unknown from them."""
        labels = {role: y for role in TARGET_ROLES if (y := getattr(task.hidden, role, None)) is not None}
        seen = {role: fitted.outputs(task.domains()[role], keep_features=False) for role in labels}
        return open_scores_of(seen, labels)
