"""Labels and models in the same classes: what a model answers, and what a label of the user's means beside that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.unknown import UNKNOWN, in_classes
from acclimate.errors import RequestError
from acclimate.problems.base import problem_called
from acclimate.runs.record import Run
from acclimate.training.plan import Plan


def in_answers(plan: Plan, domain: Domain) -> Domain:
    """A user's examples, labelled as a model answers: where that may be `unknown`, all it does not know is that."""
    return in_classes(domain, plan.classes) if problem_called(plan.method.problem).has_unknown else domain


def numbered_answers(plan: Plan, labels: np.ndarray) -> np.ndarray:
    """The same of labels `(n,)` as indices into a model's k classes, with k for any other, −1 for none."""
    last = len(plan.classes) - 1
    return np.minimum(labels, last) if problem_called(plan.method.problem).has_unknown else labels


def answered_values(plan: Plan, values: np.ndarray) -> np.ndarray:
    """What names each class that a model answers, `(k,)`: the source's values and, if it is one, `unknown`."""
    if len(plan.classes) == len(values):
        return values
    kept = values if values.dtype.kind == "U" else values.astype(object)
    return np.append(kept, np.array([UNKNOWN], dtype=None if kept.dtype.kind == "U" else object))


def check_no_labels(runs: Sequence[Run]) -> None:
    """Let pass runs that are not of methods for a few target labels.

    Raises:
        RequestError: naming one that did, of which what is shown without labels says something else.
    """
    for run in runs:
        given = run.config["task"]["labelled_target"]
        if given and run.config["problem"] == "few-labels":
            raise RequestError(
                "runs",
                "must have learnt from no target label, as evidence without labels was weighed on such alone",
                f"{run.folder}, which learnt from {given:,}",
                "By those labels: acclimate cross-validate. By forty others: acclimate audit",
            )


def check_shares_compare(runs: Sequence[Run]) -> None:
    """Let pass runs whose targets are to have the source's classes, which a choice without labels takes for given.

    Raises:
        RequestError: naming one whose target may lack some, or have others.
    """
    for run in runs:
        if not problem_called(run.config["problem"]).expected.shares:
            raise RequestError(
                "runs",
                "must be of methods whose target has the source's classes, by which answers are weighed",
                f"{run.folder} of {run.config['method']['name']!r}, a method of {run.config['problem']} adaptation",
                "Forty labels choose between them: acclimate audit",
            )
