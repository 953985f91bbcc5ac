"""Methods compared on the user's own files: which of them fit, and beside what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from acclimate import discovery
from acclimate.data.budget import LabelBudget
from acclimate.data.shared import shared_names
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods import needs
from acclimate.running.comparison import Comparison, Row
from acclimate.running.requests import plan_request, task_of
from acclimate.runs.options import validated
from acclimate.runs.request import Request

T = TypeVar("T")
Among = Callable[[str], Iterable[str]]
_DATA = set(Request.model_fields) - {"method", "method_options", "network", "training", "baseline"}
_BASELINES = ("source-only", "threshold", "tfidf", "nnt")
_SAME, _APART = "source-only", "svmt"  # these read two sides of the same columns, and of different ones


@dataclass(frozen=True)
class OwnComparison(Generic[T]):
    """What is to be compared on the user's own files.

    Attributes:
        rows: what to compare, baselines among it.
        plans: of each row, what the planning made of it.
        left_out: methods that are not compared, each with the end of a sentence that says why.
        tasks: the data of seed 0, by the way in which methods see them.
    """

    rows: tuple[Row, ...]
    plans: Mapping[str, T]
    left_out: Mapping[str, str]
    tasks: Mapping[str, Task]

    @property
    def reference(self) -> str:
        """Name of the baseline that rows are compared with, the source alone where it is one; empty without any."""
        baselines = [row for row in self.rows if row.name in {other.baseline for other in self.rows}]
        return min(baselines, key=lambda row: _BASELINES.index(row.request.method)).name if baselines else ""

    def comparison(self, seeds: int) -> Comparison:
        """The rows over so many seeds.

        Raises:
            RequestError: if that is no such number.
        """
        parts = {"id": called(self.rows[0].request), "seeds": seeds, "rows": self.rows}
        return validated(Comparison, parts, "recipe entry")


@dataclass
class _Reader:
    """Data read once for all methods that see the same of them."""

    tasks: dict[str, Task] = field(default_factory=dict)

    def task(self, request: Request) -> Task:
        way = way_of(request)
        if way not in self.tasks:
            self.tasks[way] = task_of(request)
        return self.tasks[way]


def check_fit(request: Request, task: Task) -> None:
    """Refuse what would otherwise come to light when a cell's turn has come; a planning for `named` and `fitting`.

    Raises:
        RequestError: if the method, its options or the network do not fit the data.
    """
    plan = plan_request(request, task)
    for role, domain in task.domains().items():
        plan.preprocess.of(role).fit(domain.take(slice(1)))


def named(rows: Sequence[Row], plan: Callable[[Request, Task], T]) -> OwnComparison[T]:
    """A comparison of these rows and, where they lack them, of the baselines that they are compared with.

    Args:
        rows: at least one.
        plan: what to make of a row's request and its data.

    Raises:
        RequestError: if the rows are not all on the same data, or one does not fit them.
    """
    _check_same_files(rows)
    reader = _Reader()
    first = rows[0].request
    rows = _with_baselines(rows, needs.seen(reader.task(first).source.kind, first.training))
    return OwnComparison(
        rows, {row.name: plan(row.request, reader.task(row.request)) for row in rows}, {}, reader.tasks
    )


def fitting(
    make: Callable[[str], Row], plan: Callable[[Request, Task], T], among: Among = lambda kind: discovery.methods()
) -> OwnComparison[T]:
    """A comparison of all methods that fit the data and the target labels that may be used.

    Args:
        make: a method's row.
        plan: what to make of a row's request and its data.
        among: names of the methods to consider for a kind of input, in their order; all by default.

    Raises:
        RequestError: if no method that adapts is left.
    """
    made, refused = _tried(make, discovery.methods())
    if not made:
        raise next(iter(refused.values()))
    reader = _Reader()
    kind, same_columns, labels = _seen(reader, next(iter(made.values())).request)
    known = {name: discovery.methods()[name] for name in among(kind)}
    misfits = {n: needs.misfit(known[n], kind, same_columns=same_columns, labels=labels) for n in known}
    left = {name: made[name] for name in known if name in made and not misfits[name]}
    plans, unplanned = _tried(lambda name: plan(left[name].request, reader.task(left[name].request)), left)
    refused |= unplanned
    rows = [left[name] for name in plans]
    if not any(_baseline(row, kind) for row in rows) and (same_columns or not rows):
        fitted = (refused[name] for name in known if name in refused and not misfits[name])
        raise next(fitted, None) or _nothing_fits(kind)
    left_out = {name: misfits[name] or f"was refused: {refused[name]}" for name in known if name not in plans}
    complete = _with_baselines(rows, kind)
    further = {row.name: plan(row.request, reader.task(row.request)) for row in complete if row.name not in plans}
    return OwnComparison(complete, plans | further, left_out, reader.tasks)


def _tried(make: Callable[[str], T], names: Iterable[str]) -> tuple[dict[str, T], dict[str, RequestError]]:
    """What could be made for each name, and what was wrong with the others."""
    made, refused = dict[str, T](), dict[str, RequestError]()
    for name in names:
        try:
            made[name] = make(name)
        except RequestError as error:
            refused[name] = error
    return made, refused


def _seen(reader: _Reader, request: Request) -> tuple[str, bool, bool]:
    """What decides which methods fit: the kind of input, whether columns are the same, whether labels may be used.

    Raises:
        RequestError: if the two sides cannot be read as if they had the same columns, and there is nothing to tie
            those of the target to classes.
    """
    granted = not LabelBudget.parse(request.label_budget).is_empty
    same, apart = (request.model_copy(update={"method": name, "method_options": {}}) for name in (_SAME, _APART))
    trouble = None
    try:
        task = reader.task(same)
        if task.source.kind != "features" or task.source.inputs.shape[1] == task.target.inputs.shape[1]:
            return needs.seen(task.source.kind, request.training), True, granted
    except RequestError as error:
        trouble = error
    try:
        task = reader.task(apart)
        if task.source.kind == "features" and (task.target.num_labelled or shared_names(task.source, task.target)):
            return "features", False, bool(task.target.num_labelled)
    except RequestError as error:
        trouble = trouble or error
    raise trouble or RequestError(
        "source and target",
        "must have the same columns, or some target examples a label",
        f"{task.source.in_words}, and {task.target.in_words}",
        "Label three target examples of each class and leave the other labels empty, or add --label-budget 3.",
    )


def _nothing_fits(kind: str) -> RequestError:
    fix = "See what each takes with: acclimate methods"
    return RequestError("methods", f"must be some that fit {kind} and the labels given", "none", fix)


def _baseline(row: Row, kind: str) -> str:
    return needs.baseline_with_labels(discovery.methods()[row.request.method], kind)


def _with_baselines(rows: Sequence[Row], kind: str) -> tuple[Row, ...]:
    """The rows, each with its baseline's name; the baselines come first, those that were missing among them."""
    rows = list(rows)
    for row in list(rows):
        if (method := _baseline(row, kind)) and _row_of(method, row.request.label_budget, rows) is None:
            rows.insert(0, _baseline_row(method, row, rows))
    complete = []
    for row in rows:
        method = _baseline(row, kind)
        baseline = _row_of(method, row.request.label_budget, rows) if method else None
        complete.append(row.model_copy(update={"baseline": baseline and baseline.name}))
    baselines = {row.baseline for row in complete}
    return tuple(sorted(complete, key=lambda row: row.name not in baselines))


def _row_of(method: str, budget: str, rows: Iterable[Row]) -> Row | None:
    found = (row for row in rows if row.request.method == method and row.request.label_budget == budget)
    return next(found, None)


def _baseline_row(method: str, row: Row, rows: Sequence[Row]) -> Row:
    """A baseline for a row: the same data, and of the options for training those that all rows have."""
    shared = {
        name: value
        for name, value in row.request.training.items()
        if all(other.request.training.get(name) == value for other in rows)
    }
    networks = {other.request.network for other in rows}
    network = row.request.network if len(networks) == 1 else None
    taken = any(other.name == method for other in rows)
    name = f"{method}-{row.request.label_budget}" if taken else method
    about = {"method": method, "method_options": {}, "network": network, "training": shared}
    return Row(name=name, request=row.request.model_copy(update=about))


def _check_same_files(rows: Sequence[Row]) -> None:
    """Refuse rows on other data than the first one's.

    Raises:
        RequestError: naming the row and what it has otherwise.
    """
    first = rows[0].request
    for row in rows:
        for name in _DATA - {"label_budget"}:
            if getattr(row.request, name) != getattr(first, name):
                fix = "State it once for all rows, or compare on other data in another folder."
                raise RequestError(
                    f"{name} of {row.name}", "must be as in every row", getattr(row.request, name), fix
                )


def way_of(request: Request) -> str:
    """How a request's method sees the data, in words: all that does not see them alike is read apart."""
    component = discovery.methods()[request.method]
    if component.fact("problem") == "retrieval":
        way = "sketches and photos"
    else:
        way = "different columns" if component.fact("problem") == "heterogeneous" else "same columns"
    none = LabelBudget.parse(request.label_budget).is_empty
    given = needs.takes_target_labels(component) or (way == "same columns" and needs.takes_few_labels(component))
    budget = "all" if none and given else request.label_budget
    return way if budget == "0" else f"{way}, label budget {budget}"


def called(request: Request) -> str:
    """A comparison's name, after its task or the two sides."""
    if request.task is not None:
        return request.task.replace(":", "-")
    # File systems end names at about 255 bytes.
    sides = [Path(path or "").stem[:30] for path in (request.source, request.target)]
    return "-".join(sides).replace(":", "-").lstrip(".") or "comparison"
