"""One adaptation from request to run folder, and going on with one that stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.readers.large_tables import check_files
from acclimate.data.task import Task
from acclimate.errors import RequestError, WorkError
from acclimate.methods.abilities import Monitors
from acclimate.problems.base import problem_called
from acclimate.problems.fitting import Prepared, prepare, trainer_of
from acclimate.problems.own_data import large_notes, with_memory
from acclimate.problems.planning import make_method
from acclimate.problems.translation.examples import frame_examples, write_frame
from acclimate.running.baselines import baseline_plan, given, hand_over
from acclimate.running.begun import facts_of, plan_for, weights_of
from acclimate.running.curves import shown_for_curves
from acclimate.running.description import (
    as_described,
    changed_surroundings,
    check_unchanged,
    describe,
    plan_of,
    warnings_before,
)
from acclimate.running.parts import scored, thinned
from acclimate.running.requests import encodes_photos, task_of
from acclimate.running.results import training_facts, write_results
from acclimate.runs import checkpoint_files
from acclimate.runs.files import remove_leftovers
from acclimate.runs.findings import Finding, findings
from acclimate.runs.lock import lock
from acclimate.runs.record import BASELINE, FORMAT, Run
from acclimate.runs.request import Request
from acclimate.training import checkpoints
from acclimate.training.checkpoints import Snapshot
from acclimate.training.fitted import Fitted
from acclimate.training.hooks import Hooks, Progress
from acclimate.training.plan import Plan
from acclimate.training.processes import Processes
from acclimate.training.proportions import baseline_of
from acclimate.training.randomness import seeded, training_seed

_MONITORED = 500

Read = Callable[[Request, Run | None], Task]


@dataclass
class Callbacks:
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


def adapt(
    request: Request,
    out: Path | str,
    callbacks: Callbacks | None = None,
    *,
    baseline: Path | None = None,
    read: Read | None = None,
) -> Run:
    """Carry out a request and record it in the folder `out`.

    Args:
        request: what to do.
        out: a new or empty folder.
        callbacks: what the caller wants to be told.
        baseline: a finished run of what does not adapt, on the same data; see `baselines.hand_over`.
        read: gives the data of a request, for a run that was begun if there is one; they are read by default.

    Raises:
        RequestError: if the request is wrong; nothing is written then.
        Interrupted: if `callbacks.stop` said so; `resume` goes on from there.
        WorkError: if training diverged, a file could not be written, or another process of this run died.
    """
    processes = Processes(request.asked.device)
    make_method(request.method, request.method_options)  # what is wrong with it is said before data are read
    around = callbacks or Callbacks()
    request = with_memory(request)
    for sentence in large_notes(request) if processes.is_main else ():
        around.notice(sentence)
    task = _read_in_turn(processes, request, None, read)
    if baseline is not None:
        check_unchanged(Run(baseline), task)
    if processes.is_main and encodes_photos(request, task):
        count = sum(len(domain) for domain in task.domains().values())
        around.notice(f"{count:,} photos are turned into features, unless they were before.")
    plan = plan_for(request, task)
    for sentence in warnings_before(plan, task) if processes.is_main else ():
        around.notice(sentence)
    # Tried before anything is written: a method may refuse the network or the data, a domain may not fit the others.
    for role, domain in task.domains().items():
        plan.preprocess.of(role).fit(domain.take(slice(1)))
    model = Run(request.model) if request.model else None
    start = None if model is None else weights_of(model, plan)
    prepared = prepare(plan, task.source, task.target, task.source_test, start)
    out = processes.gather(out)[0]  # each may have picked a free name of its own
    processes.on_main(lambda: Run.refuse_used(out))
    with _locked(processes, Path(out), "out"):
        begun = facts_of(request.model) if request.model else None
        config = describe(request, task, plan, processes, prepared.notes, begun)
        processes.on_main(lambda: Run.create(out, config))
        run = Run(out)
        _work(run, request, task, plan, around, baseline, prepared)
    return run


def resume(
    folder: Path | str,
    callbacks: Callbacks | None = None,
    *,
    baseline: Path | None = None,
    read: Read | None = None,
) -> Run:
    """Go on with a run from its last good checkpoint; `baseline` and `read` as for `adapt`.

    Raises:
        RequestError: if the run is finished, another process is writing it, or its data have changed.
        WorkError: if a file of the run is damaged, or written by an acclimate that keeps runs differently.
    """
    run, around = Run(folder), callbacks or Callbacks()
    if run.config.get("format") != FORMAT:
        by = f"acclimate {run.config.get('acclimate')} in format {run.config.get('format')}"
        raise WorkError(
            f"{folder} was begun by {by}, and this one goes on with format {FORMAT} only. Start a new run."
        )
    with as_described(run):
        request = Request(**run.config["request"])
        processes = Processes(request.asked.device)
    with _locked(processes, run.folder):
        if run.summary is not None and not run.failed:
            finished = f"one that finished at {run.summary['finished']}"
            raise RequestError("run", "must be unfinished to be resumed", finished, f"See: acclimate report {folder}")
        run.check(run.config_path)
        check_files(run.config["task"].get("files", {}))
        task = _read_in_turn(processes, request, run, read)
        check_unchanged(run, task)
        if run.summary is not None:
            processes.on_main(lambda: _write_again(run, task, around))
            return run
        if processes.is_main:
            for sentence in changed_surroundings(run, processes):
                around.notice(sentence)
        _work(run, request, task, plan_of(run), around, baseline)
    return run


def _read_in_turn(processes: Processes, request: Request, before: Run | None, read: Read | None) -> Task:
    """Every process's own view of the data; the main one reads first, so that images are decoded once."""
    read = read or task_of
    found = processes.on_main(lambda: read(request, before))
    return found or read(request, before)


@contextmanager
def _locked(processes: Processes, folder: Path, option: str | None = None) -> Iterator[None]:
    """Keep other runs out of a folder; the main process holds the lock for all."""
    held = processes.on_main(lambda: lock(folder, option=option))
    try:
        yield
    finally:
        if held is not None:
            held.release()


def load(folder: Path | str) -> Fitted:
    """The trained model of a finished run.

    Raises:
        RequestError: if the folder holds no run, or an unfinished one.
        WorkError: if the weights or the configuration are damaged.
    """
    run = Run(folder)
    if run.summary is None:
        raise RequestError("run", "must be finished", repr(str(folder)), f"Go on with: acclimate resume {folder}")
    if not checkpoint_files.checkpoints(run.checkpoints_path):
        fix = "`acclimate compare` on public tasks keeps scores, not weights: train one with acclimate adapt."
        raise RequestError("run", "must still have its weights", f"none in {run.checkpoints_path}", fix)
    run.check(run.config_path)
    plan = plan_of(run)
    with as_described(run):
        nets = plan.networks()
    checkpoints.load_networks(nets, checkpoints.load(checkpoints.of_run(run), "nets/"))
    device = plan.processes.device
    fitted = Fitted(plan, {name: net.to(device).eval() for name, net in nets.items()}, device)
    with as_described(run):
        _see_a_picture(fitted)
    return fitted


def _see_a_picture(fitted: Fitted) -> None:
    """Let networks of images see a blank one: a size that they cannot take shows nowhere else.

    Raises:
        RuntimeError: PyTorch's, if they cannot.
    """
    seen = fitted.plan.preprocess.of("target")
    if type(seen) is not Preprocess or seen.kind != "images":
        return
    blank = Domain(np.zeros((1, seen.stored, seen.stored, seen.channels), dtype=np.uint8))
    see = fitted.codes if fitted.plan.method.problem == "retrieval" else fitted.outputs
    see(blank)


def _work(
    run: Run,
    request: Request,
    task: Task,
    plan: Plan,
    callbacks: Callbacks,
    shared: Path | None = None,
    prepared: Prepared | None = None,
) -> None:
    start = _beside(run, request, task, plan, callbacks, shared)
    hooks = _hooks(run, task, plan, callbacks)
    if prepared is None:
        prepared = prepare(plan, task.source, task.target, task.source_test, start)
    elif start is not None:  # which was not there yet, where a baseline had to be trained first
        checkpoints.load_networks(prepared.nets, start)
    trainer = trainer_of(plan, prepared, hooks)
    processes = trainer.processes
    with seeded(training_seed(plan.options.seed, processes.rank), trainer.device):
        processes.on_main(lambda: remove_leftovers(run.folder, run.checkpoints_path))
        path, faults = checkpoint_files.latest_good(run.checkpoints_path)
        snapshot = checkpoints.load(path) if path else None
        for fault in faults if processes.is_main else ():
            callbacks.notice(f"{fault} Going on from {path.name if path else 'the start'}, which is undamaged.")
        if snapshot is not None:
            trainer.restore(snapshot)
        processes.on_main(lambda: run.journal.rewind(snapshot.facts["record"] if snapshot else None))
        processes.on_main(lambda: run.drop_frames(after=snapshot.step if snapshot else -1))
        trainer.train()
    if processes.is_main:
        fitted = Fitted(plan, trainer.nets, trainer.device)
        _tell_failed(run, write_results(run, fitted, scored(task), training_facts(trainer)), callbacks)


def _beside(
    run: Run, request: Request, task: Task, plan: Plan, callbacks: Callbacks, shared: Path | None
) -> Snapshot | None:
    """Have what a run is compared with in its folder; the weights to begin with, where they are that one's."""
    problem = problem_called(plan.method.problem)
    if request.model is not None:
        _set_beside(run, request, task, callbacks)
        return weights_of(Run(run.folder / BASELINE), plan)
    asked = request.baseline or problem.begins_with_model
    for name, method in problem.baselines(plan, task.source, task.target).items() if asked else ():
        _baseline(method, name, run, request, task, plan, callbacks, shared)
    return weights_of(Run(run.folder / BASELINE), plan) if problem.begins_with_model else None


def _set_beside(run: Run, request: Request, task: Task, callbacks: Callbacks) -> None:
    """Keep the run that this one begins with as its baseline, with its answers to the new data.

    From then on it does without the other's folder.

    Raises:
        WorkError: if that has other weights by now than when this run was begun.
    """
    folder, processes = run.folder / BASELINE, Processes(request.asked.device)
    if any(processes.gather(run.baseline is not None and run.baseline.summary is not None)):
        return

    def set_beside() -> None:
        model = Run(request.model or "")
        if facts_of(str(model.folder))["weights"] != run.config["begun_from"]["weights"]:
            raise WorkError(f"{model.folder} has other weights than when {run.folder} was begun. Start a new run.")
        fitted, was = load(model.folder), model.summary or {}
        of_it = {"method": fitted.plan.method.name, "method_options": {}}
        own = request.model_copy(update={"model": None, "baseline": False, **of_it})
        beside = run.baseline or Run.create(folder, describe(own, task, fitted.plan, processes))
        checkpoints.save(beside.checkpoints_path, replace(checkpoints.of_networks(fitted.nets), step=was["steps"]))
        _tell_failed(beside, write_results(beside, fitted, scored(task), _training_facts_of(was)), callbacks)

    processes.on_main(set_beside)


def _write_again(run: Run, task: Task, callbacks: Callbacks) -> None:
    """What a finished run could not write the last time, its own and its baseline's."""
    for record in (run.baseline, run):
        if record is not None and record.summary is not None and record.failed:
            facts = _training_facts_of(record.summary)
            _tell_failed(record, write_results(record, load(record.folder), scored(task), facts), callbacks)


def _training_facts_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What a finished run's summary tells of its training, whatever else is made of the model."""
    others = ("scores", "estimate", "diagnosis", "finished", "failed")
    return {name: fact for name, fact in summary.items() if name not in others}


def _tell_failed(run: Run, failed: Mapping[str, str], callbacks: Callbacks) -> None:
    if failed:
        callbacks.notice(run.what_failed)


def _baseline(
    method: str,
    name: str,
    run: Run,
    request: Request,
    task: Task,
    plan: Plan,
    callbacks: Callbacks,
    shared: Path | None,
) -> None:
    """Train a baseline on the same data in the run's folder, with the same network and options where it can be."""
    own, task = given(
        name, request.model_copy(update={"method": method, "method_options": {}, "baseline": False}), task
    )
    same = baseline_plan(make_method(method, {}), task, plan)
    processes = plan.processes
    folder = run.folder / name
    if shared is not None and Run(shared).config["task"]["labelled_target"] == task.target.num_labelled:
        processes.on_main(lambda: hand_over(shared, run, name, same))
    processes.on_main(lambda: run.beside(name) or Run.create(folder, describe(own, task, same, processes)))
    baseline = Run(folder)
    if not any(processes.gather(baseline.summary is not None)):
        _work(baseline, own, task, same, _without_findings(callbacks))


def _without_findings(callbacks: Callbacks) -> Callbacks:
    """A baseline is there to show what is wrong without adaptation; its findings stay in its own record."""
    return replace(
        callbacks,
        progress=lambda progress: callbacks.progress(replace(progress, findings=())),
        found=lambda finding: None,
    )


def _hooks(run: Run, task: Task, plan: Plan, callbacks: Callbacks) -> Hooks:
    task, problem = scored(task), problem_called(plan.method.problem)
    shown, labels = shown_for_curves(task, plan.options.evaluation_examples)

    def record(row: Mapping[str, Any]) -> None:
        run.journal.append(row)
        for finding in findings([row]):
            if finding.severity == "warning":  # the other kind is raised
                callbacks.found(finding)

    def stored(domains: Mapping[Any, Domain]) -> dict[Any, Domain]:
        return {role: plan.preprocess.of(role).fit(domain) for role, domain in domains.items()}

    watched = task.domains() if isinstance(plan.method, Monitors) else {}
    return Hooks(
        evaluate=stored({role: domain for role, domain in shown.items() if role in labels}),
        observe=problem.examiner(labels),
        monitor=stored({role: thinned(domain, _MONITORED) for role, domain in watched.items()}),
        show=stored(frame_examples(task)) if plan.method.problem == "translation" else {},
        picture=lambda step, seen: run.write_frame(step, lambda path: write_frame(path, seen)),
        record=record,
        position=run.journal.position,
        progress=callbacks.progress,
        stop=callbacks.stop,
        phase=plan.method.title,
        folder=run.checkpoints_path,
        held_out=stored({"source_test": task.source_test})["source_test"] if task.source_test else None,
        baseline=None if problem.asks_number else baseline_of(run),
    )
