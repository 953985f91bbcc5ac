"""Cross-validation by the target labels that a run learnt from: trained anew without some, and asked about these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.metrics.intervals import mcnemar_p, paired_interval, wilson_interval
from acclimate.problems.base import problem_called
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_method
from acclimate.running.baselines import baseline_plan
from acclimate.running.description import check_unchanged, plan_of
from acclimate.running.requests import task_of_run
from acclimate.runs.record import BASELINE, Run
from acclimate.training.hooks import Hooks, Progress
from acclimate.training.plan import Plan
from acclimate.types import UNLABELLED


@dataclass(frozen=True)
class CrossValidated:
    """Answers to target examples by models that did not see their labels.

    Attributes:
        method: title of the run's method.
        baseline: what it is compared with, by its title; empty for a run that does not adapt.
        folds: how many parts the labels were cut into.
        right: `(n,)` bool, of the method's answers.
        baseline_right: the same of the baseline's, from the same labels; None without one.
    """

    method: str
    baseline: str
    folds: int
    right: np.ndarray
    baseline_right: np.ndarray | None

    def facts(self) -> dict[str, Any]:
        """As JSON values: `accuracy`, `interval` and, beside a baseline, its accuracy, the difference and a test."""
        n, right = len(self.right), int(self.right.sum())
        found = {"method": self.method, "folds": self.folds, "labels": n, "accuracy": right / n}
        found |= {"interval": wilson_interval(right, n)}
        if self.baseline_right is None:
            return found
        mended, broken = (
            int((self.right & ~self.baseline_right).sum()),
            int((~self.right & self.baseline_right).sum()),
        )
        beside = {"baseline": self.baseline, "baseline_accuracy": float(self.baseline_right.mean())}
        return {
            **found,
            **beside,
            "difference": (mended - broken) / n,
            "difference_interval": paired_interval(mended, broken, n),
            "p": mcnemar_p(mended, broken),
        }


def cross_validated(
    run: Run, folds: int, progress: Callable[[Progress], None] = lambda progress: None
) -> CrossValidated:
    """Train a run's method and its baseline once for each part of the target labels, without that part.

    The examples left out stay in the target, unlabelled, as those are that a model is made for. Parts are drawn by
    the run's seed, each with as many of every class as any other, or one fewer.

    Args:
        run: finished, which learnt from at least two target labels of each class.
        folds: how many parts, at least 2; fewer where a class has fewer labels.
        progress: told of every step.

    Raises:
        RequestError: if `folds` is below 2, or the run has too few labels.
        DataError: if the run's data have changed.
    """
    if folds < 2:
        raise RequestError("folds", "must be at least 2", folds, "For example: --folds 3")
    task, plan = task_of_run(run), plan_of(run)
    check_unchanged(run, task)
    parts = _parts(task, folds, plan.options.seed)
    baseline = _baseline(task, plan)
    plans = [plan] if baseline is None else [plan, baseline]
    right = [np.concatenate([_right(p, task, part, progress) for part in parts]) for p in plans]
    return CrossValidated(
        plan.method.title,
        baseline.method.title if baseline else "",
        len(parts),
        right[0],
        right[1] if baseline else None,
    )


def _baseline(task: Task, plan: Plan) -> Plan | None:
    """What the run's problem compares its method with, from the same labels; None where that is nothing."""
    name = problem_called(plan.method.problem).baselines(plan, task.source, task.target).get(BASELINE)
    return None if name is None else baseline_plan(make_method(name, {}), task, plan)


def _parts(task: Task, folds: int, seed: int) -> list[np.ndarray]:
    """Rows of the target, those that are labelled, in parts that each leave every class a label.

    Raises:
        RequestError: if a class has fewer than two.
    """
    labels = task.target.labels
    counts = np.bincount(labels[labels != UNLABELLED], minlength=task.num_classes)[: task.num_classes]
    if counts.min() < 2:
        got = f"{counts.min()} of “{task.classes[int(counts.argmin())]}”"
        fix = "Train with --label-budget 2 or more; or label other examples: acclimate audit"
        raise RequestError("run", "must have learnt from two target labels of every class at least", got, fix)
    rng, folds = np.random.default_rng([seed, 0xF01D]), min(folds, int(counts.min()))
    parts: list[list[int]] = [[] for _ in range(folds)]
    for c in range(task.num_classes):
        for place, row in enumerate(rng.permutation(np.flatnonzero(labels == c))):
            parts[place % folds].append(int(row))
    return [np.sort(part) for part in parts]


def _right(plan: Plan, task: Task, part: np.ndarray, progress: Callable[[Progress], None]) -> np.ndarray:
    """Which answers of a model that was trained without these labels are right."""
    kept = task.target.labels.copy()
    kept[part] = UNLABELLED
    hooks = Hooks(progress=progress, phase=plan.method.title)
    fitted = fit(plan, task.source, replace(task.target, labels=kept), hooks)
    answers = fitted.outputs(task.target.take(part).unlabelled(), keep_features=False).logits.argmax(axis=1)
    return np.asarray(answers == task.target.labels[part])
