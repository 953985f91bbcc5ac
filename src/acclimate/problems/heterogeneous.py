"""Heterogeneous adaptation: the sides have features of their own; a few target labels tie them together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.pairing import check_labelled, check_same_kind, form_notes
from acclimate.data.places import place
from acclimate.data.preprocess import Sides
from acclimate.data.readers.cells import column_names
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.wording import some
from acclimate.data.schema import TableSchema
from acclimate.data.shared import shared_inputs, shared_names
from acclimate.data.task import Task
from acclimate.data.tasks import find_task
from acclimate.errors import RequestError
from acclimate.inputs.preparation import check_shared_names, of_side, own_scaling
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.networks.registry import architecture
from acclimate.problems.base import Drawing, Problem
from acclimate.problems.drafts import Network
from acclimate.problems.own_data import Own, duplicate_notes, of_either_side, read_own
from acclimate.problems.pairs import label_notes
from acclimate.problems.reading import Reading
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import BASELINE, SHARED_COLUMNS
from acclimate.runs.request import Request
from acclimate.streams.disjoint import DisjointStream
from acclimate.training.plan import Plan
from acclimate.types import UNLABELLED

_BY_NAME = "--method bridge learns from them too, --method shared-columns from nothing else."


class Heterogeneous(Problem):
    """Sides with features of their own; each has preprocessing and networks of its own."""

    name: ClassVar[str] = "heterogeneous"

    def sides(self, request: Request, reading: Reading) -> Own:
        """Each has columns of its own."""
        return read_own(request, reading, alike=False, image_size=None, check=check_labelled, columns=_columns)

    def task(self, request: Request, own: Own, seed: int) -> Task:
        """All of the source is trained on."""
        return Task(
            own.source,
            own.target,
            target_test=own.target_test,
            name=request.title,
            notes=(
                *form_notes(own.source, own.target),
                *_unlabelled_notes(request),
                *duplicate_notes(source=own.source, target=own.target, target_test=own.target_test),
            ),
        )

    def label_budget(self, request: Request, task: Task) -> str:
        """What was asked for, or the task's own; of own data, the labels that are there."""
        if (budget := super().label_budget(request, task)) != "0":
            return budget
        if request.task is not None:
            return find_task(request.task).label_budget
        # The user's own rows without a label are those to predict, and the others were labelled for this.
        given = None if task.hidden is None else task.hidden.target
        return "all" if given is not None and (given == UNLABELLED).any() else "0"

    def draft(
        self, method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]
    ) -> Plan:
        """Preprocessing for each side, and networks that take both widths."""
        return _draft(method, source, target, network, options)

    def check(self, plan: Plan, target: Domain) -> None:
        """A labelled example of every class, and two without a label."""
        if needs.takes_few_labels(plan.method):
            check_labelled_target(plan, target)
        super().check(plan, target)

    def check_asked(self, request: Request, plan: Plan, task: Task) -> None:
        """As `check`; a target without the column of labels is told from one whose column is empty."""
        if not needs.takes_few_labels(plan.method):
            return
        if request.target is not None and _lacks_labels(request, request.target):
            alone = " Or learn from the columns that both have by name alone: --method shared-columns needs none."
            raise RequestError(
                "target",
                f"must have some labelled examples for the method {plan.method.name!r}",
                f"no column {request.label_column!r}",
                "Label a few rows of each class in a column of that name; if it has another one there, add "
                f"--target-label-column NAME.{alone if shared_names(task.source, task.target) else ''}",
            )
        check_labelled_target(plan, task.target)

    def stream(self, method: Method, of: Drawing) -> DisjointStream:
        """Batches whose target holds no example that is labelled."""
        size, seed = of.options.batch_size, of.options.seed
        return DisjointStream(of.source, of.target, of.preprocess, size, seed, of.place, weigh=of.weigh)

    def baselines(self, plan: Plan, source: Domain, target: Domain) -> dict[str, str]:
        """The target's few labels alone, and the columns that both sides have by name alone."""
        method, first = plan.method, needs.baseline(discovery.methods()[plan.method.name], source.kind)
        known = len(np.unique(target.labels[target.labels != UNLABELLED])) == len(plan.classes)
        # A baseline of labels needs some.
        found = {BASELINE: first} if first and (needs.takes_few_labels(method) or known) else {}
        if isinstance(plan.preprocess, Sides) and plan.preprocess.shared:
            found[SHARED_COLUMNS] = "shared-columns"
        return {folder: name for folder, name in found.items() if name != method.name}

    def notes(self, request: Request, plan: Plan, task: Task) -> list[str]:
        """Which labels were granted unasked, and which columns of two different tables are the same by name."""
        return [*label_notes(request, plan, task), *_name_notes(plan.method, task)]


def _draft(method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]) -> Plan:
    check_same_kind(source, target)
    if network not in (None, "projectors"):
        raise RequestError(
            "network",
            f"must be 'projectors' for the method {method.name!r}, which builds one for each side",
            repr(network) if isinstance(network, str) else f"a {type(network).__name__}",
            "Leave network out.",
        )
    if source.kind != "features":
        raise RequestError(
            "source and target",
            f"must hold features for the method {method.name!r}",
            f"{source.in_words}, and {target.in_words}",
            "Give tables or arrays of features; for images, choose a method such as dann or mcd.",
        )
    if needs.takes_shared_columns(method):
        check_shared_names(method, source, target)
    resolved = TrainingOptions.resolve(method.recipe, options)
    if resolved.normalisation == "half":
        fix = "Choose rows, log-rows, standard, mean or none."
        raise RequestError("normalisation", "must not be 'half' for feature vectors", "'half'", fix)
    # Noise would reach those weights only that the rows span.
    same = resolved.optimizer == "sgd" and not resolved.gradient_noise
    rotate = same if resolved.row_space is None else resolved.row_space
    side = partial(of_side, rotate=rotate, refuse_missing=resolved.missing == "refuse")
    asked, usual = options.get("normalisation"), resolved.normalisation or "rows"
    one, two = (side(domain, asked or own_scaling(domain, usual)) for domain in (source, target))
    sides = Sides(source=one, target=two, shared=shared_inputs(source, target, one, two))
    return Plan(
        method,
        "projectors",
        architecture("projectors", two.channels, one.channels, shared=sides.shared),
        sides,
        resolved.model_copy(update={"normalisation": asked or own_scaling(target, usual)}),
        source.classes,
    )


def check_labelled_target(plan: Plan, target: Domain) -> None:
    """Refuse a target without labels of every class, or without an example that has none.

    Raises:
        RequestError: naming what is missing.
    """
    counts = np.bincount(target.labels[target.labels != UNLABELLED], minlength=len(plan.classes))
    lacking = [name for name, n in zip(plan.classes, counts, strict=False) if n == 0]
    what = f"the method {plan.method.name!r}, as nothing else ties the target's features to the classes"
    fix = "Label a few target examples of each class, or add --label-budget 3 where labels are known."
    if len(lacking) == len(plan.classes):
        raise RequestError("target", f"must have some labelled examples for {what}", "none", fix)
    if lacking:
        shown = ", ".join(repr(name) for name in lacking[:5]) + (", …" if len(lacking) > 5 else "")
        raise RequestError(
            "target", f"must have a labelled example of every class for {what}", f"none of {shown}", fix
        )
    if target.num_labelled > len(target) - 2:
        raise RequestError(
            "target",
            f"must have at least two unlabelled examples for the method {plan.method.name!r}",
            f"{len(target) - target.num_labelled} beside {target.num_labelled:,} labelled",
            "Leave the label empty (−1 in arrays) where it is to be predicted, or give a smaller --label-budget.",
        )


def _columns(request: Request, name: str, path: str) -> dict[str, Any]:
    """Which columns of a side's table are meant: those it has of the ones asked for, and labels if it has any."""
    lacking = {"label_column": None} if name != "source" and _lacks_labels(request, path) else {}
    return of_either_side(request, path) | lacking


def _lacks_labels(request: Request, path: str) -> bool:
    """Whether a target is a table without the column that both sides' labels are said to be in."""
    if request.label_column is None or request.target_label_column is not None:
        return False
    names = column_names(place(path, "the table"), Dialect(request.delimiter, request.quoting))
    return bool(names) and request.label_column not in names


def _unlabelled_notes(request: Request) -> list[str]:
    paths = {"target": request.target, "target_test": request.target_test}
    lacking = [name for name, path in paths.items() if path and _lacks_labels(request, path)]
    return [f"{name}: no column {request.label_column!r}, and so no labels." for name in lacking]


def _name_notes(method: Method, task: Task) -> list[str]:
    names = shared_names(task.source, task.target)
    if not names:
        return []
    sides = {"source": task.source, "target": task.target}
    single = [f"{_count(domain) - len(names):,} of the {role}" for role, domain in sides.items()]
    beside = " and ".join(single)
    note = f"Columns that both sides have by name: {some(names)} ({len(names):,} in all; besides them {beside})."
    return [note if needs.takes_shared_columns(method) else f"{note} {_BY_NAME}"]


def _count(domain: Domain) -> int:
    assert isinstance(domain.schema, TableSchema), "only tables share names"
    return len(domain.schema.columns)
