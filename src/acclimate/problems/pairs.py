"""What every problem of two sides with the same features has in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acclimate import discovery
from acclimate.data.budget import LabelBudget
from acclimate.data.domain import Domain
from acclimate.data.duplicates import without_copies
from acclimate.data.pairing import check_labelled, form_notes
from acclimate.data.task import Task
from acclimate.methods import needs
from acclimate.methods.closed_form import ClosedForm
from acclimate.problems.own_data import Own, asked_size, duplicate_notes, read_own
from acclimate.problems.reading import Reading
from acclimate.problems.weights import class_weights
from acclimate.runs.record import BASELINE
from acclimate.runs.request import Request
from acclimate.training.plan import Plan
from acclimate.training.validation import Validation
from acclimate.types import UNLABELLED


def read_pair(request: Request, reading: Reading) -> Own:
    """Two sides with the same features; as for `Problem.sides`."""
    return read_own(request, reading, alike=True, image_size=asked_size(request), check=check_labelled)


def task_of_pair(request: Request, own: Own, seed: int) -> Task:
    """A tenth of the source is set aside to test on; as for `Problem.task`."""
    notes = (
        *form_notes(own.source, own.target),
        *duplicate_notes(source=own.source, target=own.target, target_test=own.target_test),
    )
    task = Task(own.source, own.target, target_test=own.target_test, name=request.title, notes=notes)
    task = task.with_source_test(seed=seed)
    return replace(task, notes=(*task.notes, *duplicate_notes(source=task.source, source_test=task.source_test)))


def divided(
    plan: Plan, source: Domain, target: Domain, source_test: Domain | None
) -> tuple[Domain, Domain, Validation | None]:
    """Early stopping by held-out source examples, or by a tenth of the source; as for `Problem.divide`."""
    if not plan.options.patience:
        return source, target, None
    if source_test is None:
        source, source_test = set_aside_by_class(source, plan.options.seed)
    if source_test is None:
        return source, target, None
    weigh = class_weights(plan.method, plan.options)
    return source, target, Validation(plan.preprocess.of("source").fit(source_test), plan.options.patience, weigh)


def set_aside_by_class(source: Domain, seed: int) -> tuple[Domain, Domain | None]:
    """A source and a tenth of it, stratified; (all of it, None) where a class has too few examples for that.

    Copies of a text do not stand on both sides: what is learnt by heart would choose the weights.
    """
    counts = np.bincount(source.labels[source.labels != UNLABELLED])
    if counts[counts > 0].min() < 10:
        return source, None
    aside = LabelBudget(fraction=0.1).choose(source.labels, seed)
    kept, validation = source.take(np.setdiff1d(np.arange(len(source)), aside)), source.take(aside)
    return (without_copies(kept, [validation]) if source.kind == "text" else kept), validation


def baseline_of_source(plan: Plan, source: Domain) -> dict[str, str]:
    """What the source alone gives, for a method that is more; as for `Problem.baselines`."""
    kind = needs.seen(source.kind, plan.options.model_dump())
    first = needs.baseline(discovery.methods()[plan.method.name], kind)
    return {BASELINE: first} if first and first != plan.method.name else {}


def batch_notes(plan: Plan, task: Task) -> list[str]:
    """Which side has fewer examples than a batch holds, where batches are drawn at all."""
    batch, sizes = plan.options.batch_size, {"target": len(task.target)}
    if task.has_source:
        sizes = {"source": task.source.num_labelled, **sizes}
    few = [] if isinstance(plan.method, ClosedForm) else [f"{role} ({n:,})" for role, n in sizes.items() if n < batch]
    if not few:
        return []
    return [
        f"Fewer examples than a batch of {batch:,} holds: {' and '.join(few)}. Some are drawn more than once for "
        "the same batch; a smaller batch_size avoids it."
    ]


def label_notes(request: Request, plan: Plan, task: Task) -> list[str]:
    """That a method was given labels which nobody granted it in words."""
    if not needs.takes_target_labels(plan.method) or request.label_budget != "0":
        return []
    given = f"all {task.target.num_labelled:,} were given to it"
    return [f"{plan.method.title} learns from target labels and from nothing else: {given}."]
