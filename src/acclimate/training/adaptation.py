"""One adaptation from request to run folder, and going on with one that stopped."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import acclimate
from acclimate import discovery
from acclimate.data.domain import TARGET_ROLES, Domain, Task, form_notes
from acclimate.data.duplicates import without_copies
from acclimate.data.preprocess import read_preprocess
from acclimate.data.readers import duplicates_between, holds_texts, read
from acclimate.data.readers.places import place
from acclimate.data.tasks import DEFAULT_METHOD, DEFAULT_METHOD_FOR_TEXTS, find_task, load_task
from acclimate.data.trim import trimmed
from acclimate.errors import DataError, RequestError, UnknownNameError, WorkError
from acclimate.methods.base import Method
from acclimate.metrics.classification import Examiner
from acclimate.networks.batch_norm import batch_norm_layers
from acclimate.networks.registry import architecture
from acclimate.runs.files import remove_leftovers
from acclimate.runs.findings import Finding, findings
from acclimate.runs.lock import lock
from acclimate.runs.machine import current_commit, machine
from acclimate.runs.options import TrainingOptions, validated
from acclimate.runs.record import FORMAT, Run
from acclimate.runs.request import Request
from acclimate.training import checkpoints
from acclimate.training.encode import PICTURE, encoded_once
from acclimate.training.processes import Processes
from acclimate.training.results import write_results
from acclimate.training.retrieval import check_gallery, set_aside
from acclimate.training.session import Fitted, Plan, make_plan, make_trainer
from acclimate.training.trainer import Hooks, Progress, seeded, training_seed
from acclimate.training.translations import frame_examples, write_frame
from acclimate.types import UNLABELLED

_CURVE_EXAMPLES, _MONITORED = 2_000, 500


@dataclass
class Surroundings:
    """What the caller wants to be told, and how it can stop the work.

    Attributes:
        progress: called after every step.
        stop: asked before every step; True saves the state and raises `Interrupted`.
        notice: receives sentences that the user should read at once.
        found: receives what is unhealthy in the training asked for, when it is noticed; not what is in its baseline.
    """

    progress: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    notice: Callable[[str], None] = lambda sentence: None
    found: Callable[[Finding], None] = lambda finding: None


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
    of_texts = request.source is not None and holds_texts(place(request.source, "source"), request.text_column)
    return DEFAULT_METHOD_FOR_TEXTS if of_texts else DEFAULT_METHOD


def split_options(name: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sort options by whom they belong to: (the method's, training's).

    Raises:
        UnknownNameError: for a name that belongs to neither.
    """
    own = discovery.find("method", name, discovery.methods()).load().model_fields
    known = [*own, *TrainingOptions.model_fields]
    for option in options:
        if option not in known:
            raise UnknownNameError("option", option, known)
    mine = {k: v for k, v in options.items() if k in own}
    return mine, {k: v for k, v in options.items() if k not in own}


def task_of(request: Request) -> Task:
    """The task a request names, or the user's own data read and paired, with the label budget granted.

    Raises:
        RequestError: if neither a task nor both sides are given, or the data break a rule.
    """
    seed = TrainingOptions.resolve({}, request.training).seed
    if request.task is not None:
        if request.source or request.target:
            raise RequestError("task", "must stand alone", "a task and paths", "Leave out --source and --target.")
        task = load_task(request.task, seed)
    else:
        task = _own_task(request, seed)
    task = _for_retrieval(task, request) if _fact(request, "retrieves") else task
    return task.with_label_budget(_label_budget(request, task), seed)


def _for_retrieval(task: Task, request: Request) -> Task:
    """The task with sketches cut to what is drawn, and features in place of photos, where these are images.

    The first time that takes a while; from then on the features are in the cache.
    """
    name = TrainingOptions.resolve({}, request.training).photo_encoder
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


def _fact(request: Request, name: str) -> bool:
    return bool(discovery.find("method", request.method, discovery.methods()).fact(name, False))


def _own_task(request: Request, seed: int) -> Task:
    if request.source is None or request.target is None:
        missing = "source" if request.source is None else "target"
        raise RequestError(missing, "must be given", "nothing", "Give --source and --target, or a public --task.")
    retrieves = _fact(request, "retrieves")
    if retrieves and request.target_test:
        fix = "Leave it out: a tenth of the photos and their sketches are set aside."
        raise RequestError("target_test", "must not be given to a method that retrieves", request.target_test, fix)
    read_side = partial(_read_side, request, PICTURE if retrieves else None)
    source = _each_once(read_side(request.source, name="source"))
    apart = retrieves or _fact(request, "heterogeneous")  # then each side has columns of its own
    target = read_side(request.target, name="target", like=None if apart else source)
    test, like = request.target_test, target if apart else source
    target_test = _each_once(read_side(test, name="target_test", like=like), source) if test else None
    if retrieves:
        return _own_retrieval_task(request.title, source, target, seed)
    notes = (*form_notes(source, target), *_duplicate_notes(source=source, target=target, target_test=target_test))
    task = Task(source, target, target_test=target_test, name=request.title, notes=notes)
    if apart:
        return task
    task = task.with_source_test(seed=seed)
    return replace(task, notes=(*task.notes, *_duplicate_notes(source=task.source, source_test=task.source_test)))


def _read_side(
    request: Request, image_size: int | None, path: str, *, name: str, like: Domain | None = None
) -> Domain:
    """One side of the user's own data; a folder of images at that size."""
    folder = image_size is not None and place(path, name).is_dir() and not holds_texts(place(path, name))
    return read(
        path,
        text_column=request.text_column,
        label_column=request.label_column,
        name=name,
        like=like,
        image_size=image_size if folder else None,
    )


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
        f"{n:,} {role.replace('_', ' ')} examples stand in the {other} too, so {consequence}."
        for other, role, consequence in pairs
        if (one := domains.get(other)) and (two := domains.get(role)) and (n := duplicates_between(one, two))
    )


def plan_request(request: Request, task: Task) -> Plan:
    """Resolve a request against its task; a public task names the network it is usually done with.

    A method that is made for one network takes that.
    """
    method = make_method(request.method, request.method_options)
    usual = find_task(request.task).network if request.task and method.network is None else None
    return make_plan(method, task.source, task.target, network=request.network or usual, options=request.training)


def adapt(request: Request, out: Path | str, surroundings: Surroundings | None = None) -> Run:
    """Carry out a request and record it in the folder `out`.

    Raises:
        RequestError: if the request is wrong; nothing is written then.
        Interrupted: if `surroundings.stop` said so; `resume` goes on from there.
        WorkError: if training diverged, a file could not be written, or another process of this run died.
    """
    processes = _processes(request)
    make_method(request.method, request.method_options)  # what is wrong with it is said before data are read
    task = _read_in_turn(processes, request)
    plan = plan_request(request, task)
    # Tried before anything is written: a method may refuse the network or the data, a domain may not fit the others.
    for role, domain in task.domains().items():
        plan.preprocess.of(role).fit(domain.take(slice(1)))
    notes = make_trainer(plan, task.source, task.target, Hooks()).notes
    out = processes.gather(out)[0]  # each may have picked a free name of its own
    processes.on_main(lambda: Run.refuse_used(out))
    with _locked(processes, Path(out)):
        config = describe(request, task, plan, processes, notes)
        processes.on_main(lambda: Run.create(out, config))
        run = Run(out)
        _work(run, request, task, plan, surroundings or Surroundings())
    return run


def resume(folder: Path | str, surroundings: Surroundings | None = None) -> Run:
    """Go on with a run from its last good checkpoint.

    Raises:
        RequestError: if the run is finished, another process is writing it, or its data have changed.
        WorkError: if a file of the run is damaged, or written by an acclimate that keeps runs differently.
    """
    run, around = Run(folder), surroundings or Surroundings()
    if run.config.get("format") != FORMAT:
        by = f"acclimate {run.config.get('acclimate')} in format {run.config.get('format')}"
        raise WorkError(
            f"{folder} was begun by {by}, and this one goes on with format {FORMAT} only. Start a new run."
        )
    request = Request(**run.config["request"])
    processes = _processes(request)
    with _locked(processes, run.folder):
        if run.summary is not None:
            finished = f"one that finished at {run.summary['finished']}"
            raise RequestError("run", "must be unfinished to be resumed", finished, f"See: acclimate report {folder}")
        run.check(run.config_path)
        task = _read_in_turn(processes, request)
        _check_unchanged(run, task)
        if processes.is_main:
            for sentence in _changed_surroundings(run, processes):
                around.notice(sentence)
        _work(run, request, task, plan_of(run), around)
    return run


def _processes(request: Request) -> Processes:
    return Processes(TrainingOptions.resolve({}, request.training).device)


def _read_in_turn(processes: Processes, request: Request) -> Task:
    """Every process's own view of the data; the main one reads first, so that images are decoded once."""
    found = processes.on_main(lambda: task_of(request))
    return found or task_of(request)


@contextmanager
def _locked(processes: Processes, folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the main process holds the lock for all."""
    held = processes.on_main(lambda: lock(folder))
    try:
        yield
    finally:
        if held is not None:
            held.release()


def _changed_surroundings(run: Run, processes: Processes) -> list[str]:
    """What differs from when the run began and can change its arithmetic."""
    before, now = run.config, machine()
    pairs: dict[str, tuple[Any, Any]] = {
        name: (before["machine"].get(name), now.get(name)) for name in ("cpu", "python", "torch", "numpy")
    }
    pairs["acclimate"] = before.get("acclimate"), acclimate.__version__
    pairs["threads"] = before.get("threads"), torch.get_num_threads()
    pairs["processes"] = before.get("processes"), processes.size
    changed = [f"{name} {old} → {new}" for name, (old, new) in pairs.items() if old != new]
    if not changed:
        return []
    return [f"Since the run began these have changed: {'; '.join(changed)}. It may end with slightly other numbers."]


def load(folder: Path | str) -> Fitted:
    """The trained model of a finished run.

    Raises:
        RequestError: if the folder holds no run, or an unfinished one.
        WorkError: if the weights or the configuration are damaged.
    """
    run = Run(folder)
    if run.summary is None:
        raise RequestError("run", "must be finished", repr(str(folder)), f"Go on with: acclimate resume {folder}")
    if not checkpoints.checkpoints(run.checkpoints_path):
        fix = "`acclimate compare` keeps scores, not weights: train one with acclimate adapt."
        raise RequestError("run", "must still have its weights", f"none in {run.checkpoints_path}", fix)
    run.check(run.config_path)
    plan = plan_of(run)
    nets = plan.networks()
    checkpoints.load_networks(nets, checkpoints.load(checkpoints.latest(run.checkpoints_path), "nets/"))
    device = Processes(plan.options.device).device
    return Fitted(plan, {name: net.to(device).eval() for name, net in nets.items()}, device)


def plan_of(run: Run) -> Plan:
    """The plan that a run's `config.json` records; nothing is decided anew."""
    config = run.config
    preprocess, options = read_preprocess(config["preprocess"]), TrainingOptions(**config["training"])
    widths = preprocess.of("target").channels, preprocess.of("source").channels
    return Plan(
        make_method(config["method"]["name"], config["method"]["options"]),
        config["network"],
        architecture(config["network"], *widths, options.word_width),
        preprocess,
        options,
        tuple(config["task"]["classes"][: config["task"]["num_classes"]]),
    )


def describe(
    request: Request, task: Task, plan: Plan, processes: Processes, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The content of `config.json`; `notes` are those of a trainer."""
    method = plan.method
    return {
        "acclimate": acclimate.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["acclimate", *sys.argv[1:]]),
        "request": request.model_dump(),
        "task": {
            "name": request.title,
            "classes": list(task.classes),
            "num_classes": task.num_classes,
            "sizes": {role: len(domain) for role, domain in task.domains().items()},
            "names": {role: domain.name for role, domain in task.domains().items()},
            "labelled_target": task.target.num_labelled,
            "fingerprints": {role: domain.content_hash for role, domain in task.domains().items()},
            "schema": task.target.schema.model_dump(mode="json") if task.target.schema else None,
            "notes": [*task.all_notes, *_plan_notes(request, plan, task), *notes, *_process_notes(plan, processes)],
        },
        "method": {
            "name": method.name,
            "title": method.title,
            "paper": method.paper,
            "options": method.model_dump(mode="json"),
        },
        "network": plan.network,
        "preprocess": plan.preprocess.model_dump(mode="json"),
        "training": plan.options.model_dump(mode="json"),
        "steps": plan.steps(task.source, task.target),
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "processes": processes.size,
        "commit": current_commit(),
    }


def _plan_notes(request: Request, plan: Plan, task: Task) -> list[str]:
    """What the user should know about decisions that the data did not make."""
    notes, batch = plan.preprocess.of("target").notes(*task.domains().values()), plan.options.batch_size
    if plan.method.needs_target_labels and request.label_budget == "0" and not plan.method.retrieves:
        given = f"all {task.target.num_labelled:,} were given to it"
        notes.append(f"{plan.method.title} learns from target labels and from nothing else: {given}.")
    if plan.method.nameless and not task.target.num_labelled:
        notes.append(
            f"Without target labels {plan.method.title} finds groups; which one is which class cannot be known: "
            "its answers are names given at random. Read the Fowlkes-Mallows score, not accuracy; one labelled "
            "example of each class (--label-budget 1) names the groups."
        )
    sizes = {"source": task.source.num_labelled, "target": len(task.target)}
    few = [] if plan.method.heterogeneous else [f"{role} ({size:,})" for role, size in sizes.items() if size < batch]
    if few:
        notes.append(
            f"Fewer examples than a batch of {batch:,} holds: {' and '.join(few)}. Some are drawn more than once for "
            "the same batch; a smaller batch_size avoids it."
        )
    if plan.network == "mobilenetv2":
        notes.append("The network starts from ImageNet weights.")
    if plan.network == "mobilenetv2-scratch" and request.network is None:
        notes.append(
            "The network starts from random weights, as ImageNet's are not on this machine; photos then need many "
            "examples. `acclimate data import FOLDER` brings the weights."
        )
    return notes


def _process_notes(plan: Plan, processes: Processes) -> list[str]:
    """What several processes change in the arithmetic."""
    n = processes.size
    notes: list[str] = []
    if n == 1:
        return notes
    if batch_norm_layers(plan.networks()):
        synchronised = processes.device.type == "cuda"
        notes.append(
            f"Batch norm is synchronised over the {n} processes, as if one had the whole batch."
            if synchronised
            else f"Batch norm: each of the {n} processes normalises by its own part of a batch, as there is no "
            "synchronised form on this device; the main process's running statistics are the model's."
        )
    if plan.method.batch_statistics:
        notes.append(
            f"A loss of {plan.method.title} is a statistic of a batch; each of the {n} processes takes it of its own "
            "part, so the result is not that of one process."
        )
    return notes


def _check_unchanged(run: Run, task: Task) -> None:
    before = run.config["task"]["fingerprints"]
    changed = [r for r, d in task.domains().items() if before.get(r) != d.content_hash]
    if changed:
        raise DataError(
            " and ".join(changed),
            "must hold the same data as when the run began",
            "other content",
            "Restore the data, or start a new run.",
        )


def _work(run: Run, request: Request, task: Task, plan: Plan, surroundings: Surroundings) -> None:
    # A ceiling is trained on target labels, which a floor must not see.
    floor = _floor(plan.method)
    has_floor = plan.method.uses_target and not plan.method.needs_target_labels and plan.method.name != floor
    if request.baseline and has_floor:
        _baseline(floor, run, request, task, plan, surroundings)
    hooks = _hooks(run, task, plan, surroundings)
    trainer = make_trainer(plan, task.source, task.target, hooks, task.source_test)
    processes = trainer.processes
    with seeded(training_seed(plan.options.seed, processes.rank), trainer.device):
        processes.on_main(lambda: remove_leftovers(run.folder, run.checkpoints_path))
        path, faults = checkpoints.latest_good(run.checkpoints_path)
        snapshot = checkpoints.load(path) if path else None
        for fault in faults if processes.is_main else ():
            surroundings.notice(f"{fault} Going on from {path.name if path else 'the start'}, which is undamaged.")
        if snapshot is not None:
            trainer.restore(snapshot)
        processes.on_main(lambda: run.rewind(snapshot.facts["record"] if snapshot else None))
        processes.on_main(lambda: run.drop_frames(after=snapshot.step if snapshot else -1))
        trainer.train()
    if processes.is_main:
        write_results(run, Fitted(plan, trainer.nets, trainer.device), task, trainer)
        checkpoints.prune(run.checkpoints_path, keep=1)


def _floor(method: Method) -> str:
    """What a method has to be better than: the source alone or, where that cannot be, a few target labels alone."""
    return "nnt" if method.heterogeneous else "source-only"


def _baseline(floor: str, run: Run, request: Request, task: Task, plan: Plan, surroundings: Surroundings) -> None:
    """Train the floor on the same data with the same network and options, in the run's own folder."""
    own = request.model_copy(update={"method": floor, "method_options": {}, "baseline": False})
    method = make_method(floor, {})
    options = plan.options
    if method.heterogeneous or plan.method.closed_form:  # whose recipes have little in common
        kept = ("seed", "device", "normalisation", "precision", "word_vectors")
        options = TrainingOptions.resolve(method.recipe, {name: getattr(options, name) for name in kept})
    same = replace(plan, method=method, options=options)
    processes = Processes(plan.options.device)
    folder = run.folder / "baseline"
    processes.on_main(lambda: run.baseline or Run.create(folder, describe(own, task, same, processes)))
    baseline = Run(folder)
    if not any(processes.gather(baseline.summary is not None)):
        _work(baseline, own, task, same, _without_findings(surroundings))


def _without_findings(surroundings: Surroundings) -> Surroundings:
    """A baseline is there to show what is wrong without adaptation; its findings stay in its own record."""
    return replace(
        surroundings,
        progress=lambda progress: surroundings.progress(replace(progress, findings=())),
        found=lambda finding: None,
    )


def _hooks(run: Run, task: Task, plan: Plan, surroundings: Surroundings) -> Hooks:
    shown = {"source": _thinned(task.source)}
    shown |= {r: d for r, d in task.domains().items() if r in ("source_test", "target_test", "target_shifted")}
    if task.target_test is None:
        shown["target"] = task.target
    labels = {r: d.labels for r, d in shown.items() if r.startswith("source")}
    if task.answers is not None:
        # The training target's also where it is not shown: pseudo-labels are of its examples.
        answers = {r: getattr(task.answers, r) for r in TARGET_ROLES}
        labels |= {r: y for r, y in answers.items() if y is not None}

    def record(row: Mapping[str, Any]) -> None:
        run.append(row)
        for finding in findings([row]):
            if finding.severity == "warning":  # the other kind is raised
                surroundings.found(finding)

    def stored(domains: Mapping[Any, Domain]) -> dict[Any, Domain]:
        return {role: plan.preprocess.of(role).fit(domain) for role, domain in domains.items()}

    watched = task.domains() if type(plan.method).monitor is not Method.monitor else {}
    return Hooks(
        evaluate=stored({role: domain for role, domain in shown.items() if role in labels}),
        observe=Examiner(labels),
        monitor=stored({role: _thinned(domain, _MONITORED) for role, domain in watched.items()}),
        show=stored(frame_examples(task)) if plan.method.translates else {},
        picture=lambda step, seen: run.write_frame(step, lambda path: write_frame(path, seen)),
        record=record,
        position=run.position,
        progress=surroundings.progress,
        stop=surroundings.stop,
        phase=plan.method.title,
        folder=run.checkpoints_path,
    )


def _thinned(domain: Domain, most: int = _CURVE_EXAMPLES) -> Domain:
    """At most so many examples, always the same ones: enough for a curve."""
    if len(domain) <= most:
        return domain
    return domain.take(np.sort(np.random.default_rng(0).permutation(len(domain))[:most]))
