"""From a request to what it asks for: the method, the task with its data read, the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.pairing import form_notes
from acclimate.data.places import place
from acclimate.data.readers import holds_texts
from acclimate.data.readers.sizes import UNBOUNDED
from acclimate.data.specs import (
    DEFAULT_METHOD,
    DEFAULT_METHOD_FOR_NUMBERS,
    DEFAULT_METHOD_FOR_SOURCES,
    DEFAULT_METHOD_FOR_TEXTS,
)
from acclimate.data.task import Task
from acclimate.data.tasks import find_task, load_task
from acclimate.errors import RequestError
from acclimate.inputs.preparation import chosen_network, longest_side
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.networks.backbone_names import FROZEN
from acclimate.problems.asked import asks_number
from acclimate.problems.base import Problem, problem_called, problem_of
from acclimate.problems.own_data import duplicate_notes
from acclimate.problems.planning import make_method, make_plan
from acclimate.problems.reading import Reading, reading_of
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.plan import Plan


def default_method(request: Request, options: Mapping[str, Any]) -> str:
    """The method for a request that names none, by what its task or its source holds; a table's labels are read.

    Args:
        request: in which nothing but the method is open.
        options: of methods and training, by name.

    Raises:
        RequestError: if there is no such task, or the source's path is none.
    """
    if request.task is not None:
        usual = find_task(request.task).method
        return usual if usual != DEFAULT_METHOD_FOR_TEXTS else _for_texts(options)
    if request.more_sources:
        return DEFAULT_METHOD_FOR_SOURCES
    if asks_number(request):
        return DEFAULT_METHOD_FOR_NUMBERS
    column = request.reading("source")["text_column"]
    of_texts = request.source is not None and holds_texts(place(request.source, "source"), column)
    return _for_texts(options) if of_texts else DEFAULT_METHOD


def _for_texts(options: Mapping[str, Any]) -> str:
    return DEFAULT_METHOD_FOR_TEXTS if needs.seen("text", options) == "text" else DEFAULT_METHOD


def task_of(request: Request, before: Run | None = None) -> Task:
    """The task a request names, or the user's own data read and paired, with the label budget granted.

    Args:
        request: what to read.
        before: the run whose data were read as these have to be; by default the one that the request begins with.

    Raises:
        RequestError: if neither a task nor both sides are given, or the data break a rule.
    """
    seed, problem = request.asked.seed, _problem(request)
    task = problem.completed(raw_task_of(request, before), request)
    return task.with_label_budget(problem.label_budget(request, task), seed)


def raw_task_of(request: Request, before: Run | None = None) -> Task:
    """As `task_of`, with inputs as they were read, before any that they have to go through, and without a budget."""
    seed, problem = request.asked.seed, _problem(request)
    if request.task is not None:
        if request.source or request.target:
            raise RequestError("task", "must stand alone", "a task and paths", "Leave out --source and --target.")
        if request.bins is not None:
            fix = "Leave bins out: the classes of public tasks are given."
            raise RequestError("bins", "applies to --source and --target only", f"--task {request.task}", fix)
        return load_task(request.task, seed if request.drawing is None else request.drawing)
    as_begun = request if before is None else _held(request)
    return problem.task(request, problem.sides(as_begun, _reading(request, before)), seed)


def _held(request: Request) -> Request:
    """A run whose request names no memory was begun with its tables in memory, however little is free by now."""
    return request if request.memory is not None else request.model_copy(update={"memory": UNBOUNDED})


def _problem(request: Request) -> Problem:
    """The one that the request's method is for."""
    return problem_of(discovery.find("method", request.method, discovery.methods()))


def task_of_run(run: Run) -> Task:
    """The task of a run, read again."""
    return task_of(Request(**run.config["request"]), run)


def raw_task_of_run(run: Run) -> Task:
    """The task of a run, read again, as its files have it."""
    return raw_task_of(Request(**run.config["request"]), run)


def sides_of(request: Request) -> tuple[Domain, Domain, tuple[str, ...]]:
    """Source and target as `task_of` reads them, with nothing set aside and no target label; and what is odd of them.

    Raises:
        RequestError: as `task_of`.
    """
    if request.task is not None:
        task = task_of(request)
        source, target = task.source, task.target
    else:
        own = _problem(request).sides(request, _reading(request, None))
        source, target = own.source, own.target
    target = target.unlabelled()
    notes = (*form_notes(source, target), *duplicate_notes(source=source, target=target))
    return source, target, (*notes, *source.notes, *target.notes)


def _reading(request: Request, before: Run | None) -> Reading:
    """How to read the user's own data: by themselves, or as the run was that is begun with."""
    if request.model is None:
        return Reading(bins=request.bins)
    return reading_of(before or Run(request.model))


def plan_request(request: Request, task: Task) -> Plan:
    """Resolve a request against its task; a public task names the network it is usually done with.

    A method that is made for one network takes that.

    Raises:
        RequestError: if an option or the network does not fit, or the method needs target labels that there are not.
    """
    method, network = _method_and_network(request)
    plan = make_plan(method, task.source, task.target, network=network, options=request.training)
    problem_called(plan.method.problem).check_asked(request, plan, task)
    return plan


def encodes_photos(request: Request, task: Task) -> bool:
    """Whether `plan_request` is going to turn photos into features first, which takes a while."""
    method, network = _method_and_network(request)
    sides = [task.source, task.target]
    if method.problem == "retrieval" or not longest_side(sides):
        return False
    return chosen_network(method, sides, network, request.training) == FROZEN


def _method_and_network(request: Request) -> tuple[Method, str | None]:
    method = make_method(request.method, request.method_options)
    usual = find_task(request.task).network if request.task and needs.only_network(method) is None else None
    return method, request.network or usual
