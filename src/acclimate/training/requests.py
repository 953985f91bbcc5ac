"""From a request to what it asks for: the method, the task with its data read, the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from acclimate import discovery
from acclimate.data.bins import Bins
from acclimate.data.class_names import places_in
from acclimate.data.domain import Domain
from acclimate.data.duplicates import without_copies
from acclimate.data.pairing import check_are_classes, check_labelled, form_notes, renumbered
from acclimate.data.readers import duplicates_between, holds_texts, read
from acclimate.data.readers.cells import column_names
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.places import place
from acclimate.data.readers.wording import no_such_column
from acclimate.data.schema import Schema
from acclimate.data.shared import shared_names
from acclimate.data.task import TARGET_ROLES, Task
from acclimate.data.tasks import DEFAULT_METHOD, DEFAULT_METHOD_FOR_TEXTS, find_task, load_task
from acclimate.data.trim import trimmed
from acclimate.errors import DataError, RequestError
from acclimate.methods.base import Method
from acclimate.runs.options import validated
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.encode import PICTURE, encoded_once
from acclimate.training.inputs import FROZEN, chosen_network, longest_side
from acclimate.training.plan import Plan, make_plan
from acclimate.training.reading import Reading, reading_of
from acclimate.training.retrieval import check_gallery, set_aside
from acclimate.training.session import check_labelled_target
from acclimate.types import UNLABELLED, side_of


def make_method(name: str, options: Mapping[str, Any]) -> Method:
    """The method of that name with its options checked.

    Raises:
        UnknownNameError: if there is no such method or option.
        RequestError: if an option's value breaks its rule.
    """
    component = discovery.find("method", name, discovery.methods())
    method: Method = validated(component.load(), options, f"option of {name}")
    return method


def default_method(request: Request) -> str:
    """The method for a request that names none, by what its task or its source holds; nothing is read for that.

    Raises:
        RequestError: if there is no such task, or the source's path is none.
    """
    if request.task is not None:
        return find_task(request.task).method
    column = request.reading("source")["text_column"]
    of_texts = request.source is not None and holds_texts(place(request.source, "source"), column)
    return DEFAULT_METHOD_FOR_TEXTS if of_texts else DEFAULT_METHOD


def task_of(request: Request, before: Run | None = None) -> Task:
    """The task a request names, or the user's own data read and paired, with the label budget granted.

    Args:
        request: what to read.
        before: the run whose data were read as these have to be; by default the one that the request begins with.

    Raises:
        RequestError: if neither a task nor both sides are given, or the data break a rule.
    """
    seed = request.asked.seed
    if request.task is not None:
        if request.source or request.target:
            raise RequestError("task", "must stand alone", "a task and paths", "Leave out --source and --target.")
        if request.bins is not None:
            fix = "Leave bins out: the classes of public tasks are given."
            raise RequestError("bins", "applies to --source and --target only", f"--task {request.task}", fix)
        task = load_task(request.task, seed)
    else:
        task = _own_task(request, seed, _reading(request, before))
    task = _for_retrieval(task, request) if _fact(request, "retrieves") else task
    return task.with_label_budget(_label_budget(request, task), seed)


def _for_retrieval(task: Task, request: Request) -> Task:
    """The task with sketches cut to what is drawn, and features in place of photos, where these are images.

    The first time that takes a while; from then on the features are in the cache.
    """
    name = request.asked.photo_encoder
    photos = {r: d for r, d in task.domains().items() if r in TARGET_ROLES and d.kind == "images"}
    sketches = {r: d for r, d in task.domains().items() if r not in TARGET_ROLES and d.kind == "images"}
    ready: dict[str, Any] = {role: encoded_once(domain, name) for role, domain in photos.items()}
    ready |= {role: trimmed(domain) for role, domain in sketches.items()}
    return replace(task, **ready)


def _label_budget(request: Request, task: Task) -> str:
    """The budget asked for; where none was, what the method cannot do without."""
    if _fact(request, "needs_target_labels") and request.label_budget == "0":
        return "all"
    if not _fact(request, "heterogeneous") or request.label_budget != "0":
        return request.label_budget
    if request.task is not None:
        return find_task(request.task).label_budget
    # The user's own rows without a label are those to predict, and the others were labelled for this.
    given = None if task.answers is None else task.answers.target
    return "all" if given is not None and (given == UNLABELLED).any() else "0"


def _read_at(request: Request) -> int | None:
    """Side to read folders of images at, where the reader's own choice would be too small or another's."""
    if _fact(request, "retrieves"):
        return PICTURE
    size = request.asked.image_size or 0
    return round(size * PICTURE / 224) if size > 224 else None


def _fact(request: Request, name: str) -> bool:
    return bool(discovery.find("method", request.method, discovery.methods()).fact(name, False))


def task_of_run(run: Run) -> Task:
    """The task of a run, read again."""
    return task_of(Request(**run.config["request"]), run)


def sides_of(request: Request) -> tuple[Domain, Domain, tuple[str, ...]]:
    """Source and target as `task_of` reads them, with nothing set aside and no target label; and what is odd of them.

    Raises:
        RequestError: as `task_of`.
    """
    if request.task is not None:
        task = task_of(request)
        source, target = task.source, task.target.unlabelled()
    else:
        source, target, _ = _own_sides(request, _reading(request, None))
        target = target.unlabelled()
    notes = (*form_notes(source, target), *_duplicate_notes(source=source, target=target))
    return source, target, (*notes, *source.notes, *target.notes)


def _reading(request: Request, before: Run | None) -> Reading:
    """How to read the user's own data: by themselves, or as the run was that is begun with."""
    if request.model is None:
        return Reading(bins=request.bins)
    return reading_of(before or Run(request.model))


def _own_task(request: Request, seed: int, reading: Reading) -> Task:
    retrieves = _fact(request, "retrieves")
    if retrieves and request.target_test:
        fix = "Leave it out: a tenth of the photos and their sketches are set aside."
        raise RequestError("target_test", "must not be given to a method that retrieves", request.target_test, fix)
    source, target, read_side = _own_sides(request, reading)
    apart = retrieves or _fact(request, "heterogeneous")
    test, like = request.target_test, target if apart else source
    as_target = partial(read_side, name="target_test", like=like, bins=source.bins, white=target.white)
    target_test = _each_once(as_target(test), source) if test else None
    if retrieves:
        return _own_retrieval_task(request.title, source, target, seed)
    notes = (*form_notes(source, target), *_duplicate_notes(source=source, target=target, target_test=target_test))
    task = Task(source, target, target_test=target_test, name=request.title, notes=notes)
    if apart:
        return task
    task = task.with_source_test(seed=seed)
    return replace(task, notes=(*task.notes, *_duplicate_notes(source=task.source, source_test=task.source_test)))


def _own_sides(request: Request, reading: Reading) -> tuple[Domain, Domain, Callable[..., Domain]]:
    """The user's own source and target, and what reads further data as these were."""
    if request.source is None or request.target is None:
        missing = "source" if request.source is None else "target"
        raise RequestError(missing, "must be given", "nothing", "Give --source and --target, or a public --task.")
    read_side, white = partial(_read_side, request, _read_at(request)), reading.white
    given = read_side(request.source, name="source", like=reading.like, bins=reading.bins, white=white.get("source"))
    check_are_classes(given)  # before the target is read, which may lack this very column
    retrieves = _fact(request, "retrieves")
    if not retrieves:
        check_labelled(given)
    source = _each_once(_of_classes(given, reading))
    like = None if retrieves or _fact(request, "heterogeneous") else source  # else each has columns of its own
    target = read_side(request.target, name="target", like=like, bins=given.bins, white=white.get("target"))
    return source, target, read_side


def _of_classes(source: Domain, reading: Reading) -> Domain:
    """A source in the classes that a model knows, some of which it may lack.

    Raises:
        DataError: if it has others.
    """
    if reading.classes is None:
        return source
    known = places_in(reading.classes, source.classes)[:-1]
    if lacking := [name for name, place in zip(source.classes, known, strict=True) if place == UNLABELLED]:
        raise DataError(
            "source",
            f"must hold classes that the model knows: {', '.join(reading.classes[:5])}{', …' * (len(known) > 5)}",
            lacking[:5],
            "Leave these examples out, or train anew without --model.",
        )
    return replace(source, labels=renumbered(source, reading.classes), classes=reading.classes)


def _read_side(
    request: Request,
    image_size: int | None,
    path: str,
    *,
    name: str,
    like: Domain | Schema | None = None,
    bins: int | Bins | None = None,
    white: float | None = None,
) -> Domain:
    """One side of the user's own data; a folder of images at that size."""
    options = request.reading(side_of(name))
    apart = _fact(request, "heterogeneous")
    lacking = apart and name != "source" and _lacks_labels(request, path)
    if apart:
        options |= _of_either_side(request, path)
    if lacking:
        options["label_column"] = None
    folder = image_size is not None and place(path, name).is_dir() and not holds_texts(place(path, name))
    domain = read(
        path,
        **options,
        name=name,
        like=like,
        image_size=image_size if folder else None,
        bins=bins,
        white=white,
    )
    note = f"{name}: no column {request.label_column!r}, and so no labels."
    return replace(domain, notes=(*domain.notes, note)) if lacking else domain


def _lacks_labels(request: Request, path: str) -> bool:
    """Whether a target is a table without the column that both sides' labels are said to be in."""
    if request.label_column is None or request.target_label_column is not None:
        return False
    names = column_names(place(path, "the table"), Dialect(request.delimiter, request.quoting))
    return bool(names) and request.label_column not in names


def _of_either_side(request: Request, path: str) -> dict[str, tuple[str, ...]]:
    """Those of the columns that are asked for, or left out, which a side of two with different columns has.

    Raises:
        DataError: if neither side has one.
    """
    dialect = Dialect(request.delimiter, request.quoting)
    own, *others = (column_names(place(p, "the table"), dialect) for p in (path, request.source, request.target) if p)
    both = [name for names in others for name in names]
    found = {}
    for option in ("columns", "leave_out"):
        for name in (asked := getattr(request, option)):
            if both and name not in both:
                raise no_such_column(option, "either side", name, both)
        found[option] = tuple(name for name in asked if name in own)
    return found


def _own_retrieval_task(title: str, source: Domain, target: Domain, seed: int) -> Task:
    """The user's sketches and photos, a tenth of the photos and their sketches set aside as the test.

    Raises:
        RequestError: if a class has sketches only, or there are too few to set any aside.
    """
    check_gallery(source, target)
    kept_source, kept_target, queries, items = set_aside(source, target, seed)
    if not len(queries) or not len(items):
        raise RequestError(
            "source and target",
            "must be enough for a tenth of the photos and their sketches to be set aside as the test",
            f"{len(source):,} sketches and {len(target):,} photos",
            "Give ten photos that have sketches at least.",
        )
    note = (
        f"{len(queries):,} of {len(source):,} sketches and {len(items):,} of {len(target):,} photos were set aside "
        "to test on."
    )
    return Task(
        kept_source,
        kept_target,
        source_test=queries.take(slice(None), "source_test"),
        target_test=items.take(slice(None), "target_test"),
        name=title,
        notes=(note,),
    )


def _each_once(domain: Domain, *others: Domain) -> Domain:
    """Of texts, those that stand in no other domain, and of copies the first: a split must not tear them apart.

    Raises:
        DataError: if none is left.
    """
    others = tuple(other for other in others if other.kind == "text")
    left = without_copies(domain, others) if domain.kind == "text" else domain
    if not len(left):
        raise DataError(
            domain.name,
            f"must hold texts that do not stand in {' or '.join(other.name for other in others)}",
            f"none among {len(domain):,}",
            "Give others, or leave it out.",
        )
    return left


def _duplicate_notes(**domains: Domain | None) -> tuple[str, ...]:
    """One sentence for each pair of roles that share examples which should be apart."""
    pairs = (
        ("source", "target", "the score on them is not a fair one"),
        ("source", "target_test", "the score on them is not a fair one"),
        ("target", "target_test", "training has seen them, if without their labels"),
        ("source", "source_test", "the score on the source is not a fair one"),
    )
    return tuple(
        f"{n:,} {role.replace('_', ' ')} examples stand in the {other} too, so "
        f"{consequence if two.num_labelled else 'training has seen them with their labels'}."
        for other, role, consequence in pairs
        if (one := domains.get(other)) and (two := domains.get(role)) and (n := duplicates_between(one, two))
    )


def plan_request(request: Request, task: Task) -> Plan:
    """Resolve a request against its task; a public task names the network it is usually done with.

    A method that is made for one network takes that.

    Raises:
        RequestError: if an option or the network does not fit, or the method needs target labels that there are not.
    """
    method, network = _method_and_network(request)
    plan = make_plan(method, task.source, task.target, network=network, options=request.training)
    if method.heterogeneous and method.needs_few_labels:
        if request.target is not None and _lacks_labels(request, request.target):
            raise _no_target_labels(method, request, task)
        check_labelled_target(plan, task.target)
    return plan


def _no_target_labels(method: Method, request: Request, task: Task) -> RequestError:
    """The refusal of a target without the column of labels for a method that learns from some."""
    alone = " Or learn from the columns that both have by name alone: --method shared-columns needs none."
    return RequestError(
        "target",
        f"must have some labelled examples for the method {method.name!r}",
        f"no column {request.label_column!r}",
        "Label a few rows of each class in a column of that name; if it has another one there, add "
        f"--target-label-column NAME.{alone if shared_names(task.source, task.target) else ''}",
    )


def encodes_photos(request: Request, task: Task) -> bool:
    """Whether `plan_request` is going to turn photos into features first, which takes a while."""
    method, network = _method_and_network(request)
    sides = [task.source, task.target]
    if method.retrieves or not longest_side(sides):
        return False
    return chosen_network(method, sides, network, request.training) == FROZEN


def _method_and_network(request: Request) -> tuple[Method, str | None]:
    method = make_method(request.method, request.method_options)
    usual = find_task(request.task).network if request.task and method.network is None else None
    return method, request.network or usual
