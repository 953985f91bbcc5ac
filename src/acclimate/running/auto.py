"""Several methods on one task and the best of them by what they show, where no target label is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

import acclimate
from acclimate import discovery
from acclimate.data.task import Task
from acclimate.errors import DataError, RequestError, WorkError
from acclimate.methods import needs
from acclimate.running import cells
from acclimate.running.carry import carry
from acclimate.running.choosing import chosen_of, contender, seen
from acclimate.running.cluster import Backend
from acclimate.running.comparison import Comparison, Row, cell_folder
from acclimate.running.data_state import check_same_data
from acclimate.running.diagnosing import explaining
from acclimate.running.doubtful import doubtful
from acclimate.running.evidence import has_evidence, keep, read_evidence
from acclimate.running.own_comparison import OwnComparison, fitting, named
from acclimate.running.parts import scored
from acclimate.running.shelf import Shelf
from acclimate.runs.chosen import CANDIDATES, Chosen, read_record
from acclimate.runs.files import remove_leftovers, write_json
from acclimate.runs.lock import lock
from acclimate.runs.older import renamed
from acclimate.runs.record import AUTO, Run
from acclimate.runs.request import Request
from acclimate.selection.evidence import LEAST_TARGET
from acclimate.selection.families import METHOD

T = TypeVar("T")
# What is tried beside the baseline, in this order, by the kind of input. On the tasks of the bank (docs/choice.md)
# the rule gains as much by these as by all that were tried there.
METHODS: Mapping[str, tuple[str, ...]] = {
    "images": ("mcd", "mcc", "dan", "coral", "dann"),
    "features": ("mcd", "linear-monge", "mcc", "dan", "coral", "dann"),
    "text": ("ngram-memory", "msda"),
}
# With fewer than two copies of a candidate nobody knows how much of its answers is luck.
SEEDS = 2
USUAL, _FEWEST = 5, 2


class AutoPlan(BaseModel):
    """`auto.json`: what is to be trained, decided once.

    Attributes:
        command: what was typed.
        rows: the candidates, baselines first.
        baseline: name of the one that is used where evidence is weak, which does not adapt.
        seconds: what one run of each is expected to take, by name; empty without a budget.
        budget: seconds of training in all, if there is one.
        left_out: methods that are no candidates, each with the end of a sentence that says why.
        jobs: runs at a time.
        backend: where they run; see `cluster`.
        address: of an existing cluster.
        deploy: whether the model that is chosen is exported too.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    acclimate: str = acclimate.__version__
    command: str
    rows: Annotated[tuple[Row, ...], Field(min_length=2)]
    baseline: str
    seconds: dict[str, float] = {}
    budget: float | None = None
    left_out: dict[str, str] = {}
    jobs: Annotated[int, Field(ge=1)] = 1
    backend: Backend = "loky"
    address: str | None = None
    deploy: bool = False

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, stored: Any) -> Any:
        """What was written while this was called the floor."""
        return renamed(stored, "floor", "baseline")

    @property
    def baselines(self) -> tuple[Row, ...]:
        """What others are compared with: the baseline, and that of what sees the input otherwise."""
        names = {self.baseline} | {row.baseline for row in self.rows}
        return tuple(row for row in self.rows if row.name in names)

    def comparison(self, rows: Sequence[Row]) -> Comparison:
        """These rows with every seed, beside the baselines that they are compared with."""
        names = {row.name for row in rows} | {row.baseline for row in rows}
        return Comparison(id=CANDIDATES, seeds=SEEDS, rows=tuple(row for row in self.rows if row.name in names))


@dataclass(frozen=True)
class Telling:
    """Whom to tell what happens.

    Attributes:
        done: of a run that came to its end: its row, its seed.
        failed: of one that did not: its row, its seed, what went wrong.
        notice: sentences to read at once.
    """

    done: Callable[[Row, int], None] = lambda row, seed: None
    failed: Callable[[Row, int, Exception], None] = lambda row, seed, error: None
    notice: Callable[[str], None] = lambda sentence: None


def candidates(
    rows: Sequence[Row], make: Callable[[str], Row], most: int, plan: Callable[[Request, Task], T]
) -> OwnComparison[T]:
    """What is tried on a task: the rows that were asked for, or else what fits its kind of input; the baseline first.

    Args:
        rows: asked for by name; none for what is usual.
        make: a method's row.
        most: how many candidates at most, the baseline counted, where none are asked for.
        plan: what to make of a row's request and its data.

    Raises:
        RequestError: if nothing fits, the target is smaller than a choice takes, or no source can be set aside.
    """
    if most < _FEWEST:
        fix = "Leave it out, or train a method by itself: acclimate adapt --method mcd …"
        raise RequestError("candidates", f"must be at least {_FEWEST}, the baseline and another", most, fix)
    found = named(rows, plan) if rows else fitting(make, plan, _considered)
    found = replace(found, rows=tuple(map(_drawn_once, found.rows)))
    tasks = list(found.tasks.values())
    kind = needs.seen(tasks[0].source.kind, found.rows[0].request.training)
    if rows:
        _check_named(found, kind)
    for task in tasks:
        check_can_choose(task)
    return found if rows else _pruned(found, order(tasks[0], kind), most)


def order(task: Task, kind: str) -> tuple[str, ...]:
    """What is tried beside the baseline, in this order: first what a diagnosis says explains the shift, if one does.

    Args:
        task: source and target.
        kind: of input that methods are given.
    """
    named = explaining(task.source, task.target)
    return tuple(dict.fromkeys((*([named] if named else []), *METHODS[kind])))


def _considered(kind: str) -> tuple[str, ...]:
    """All that may be tried of a kind of input."""
    return tuple(dict.fromkeys((*METHODS[kind], *(METHOD.values() if kind == "features" else ()))))


def _drawn_once(row: Row) -> Row:
    """On a public task that is drawn by seed, the same examples for every copy: what they answer is compared."""
    drawing = None if row.request.task is None else 0
    return row.model_copy(update={"request": row.request.model_copy(update={"drawing": drawing})})


def _check_named(found: OwnComparison[T], kind: str) -> None:
    """Refuse rows of methods that no choice without target labels can be between.

    Raises:
        RequestError: if one is no such method, or all are baselines.
    """
    for row in found.rows:
        component = discovery.methods()[row.request.method]
        if why := needs.misfit(component, kind, same_columns=True, labels=False):
            fix = "Leave it out; or compare methods: acclimate compare"
            raise RequestError(f"methods.{row.name}", "must be one to choose by no label", f"one that {why}", fix)
    if not found.reference:
        names = ", ".join(row.name for row in found.rows)
        fix = "Add one, such as [methods.mcd]; or leave the table out."
        raise RequestError("methods", "must hold one that adapts", names, fix)


def _pruned(found: OwnComparison[T], tried: Sequence[str], most: int) -> OwnComparison[T]:
    """The baseline and the first of `tried` that are compared with it."""
    by_method = {row.request.method: row for row in found.rows}
    others = [by_method[name] for name in tried if name in by_method][: most - 1]
    if not others:
        fix = "Name methods that do with -m, or see what each takes: acclimate methods"
        raise RequestError("method auto", "must find methods that fit these data", "none", fix)
    baselines = {row.baseline for row in others}
    kept = [row for row in found.rows if row.name in baselines][:1] + others
    beyond = {
        row.name: f"comes after the first {most}"
        for row in found.rows
        if row not in kept and row.request.method in tried
    }
    own = {name: why for name, why in found.left_out.items() if name in tried}
    return OwnComparison(tuple(kept), {row.name: found.plans[row.name] for row in kept}, own | beyond, found.tasks)


def check_can_choose(task: Task) -> None:
    """Let pass a task on which a choice without target labels is possible.

    Raises:
        RequestError: if not, and why.
    """
    alone = "Train one method by itself: acclimate adapt --method mcd …; and audit it with forty labels."
    if (n := len(task.target)) < LEAST_TARGET:
        raise DataError("target", f"must hold {LEAST_TARGET} examples at least to choose by", n, alone)
    if task.num_classes < 2:
        fix = "Give a source with examples of another class too."
        raise DataError("source", "must hold two classes at least to choose by", task.classes[0], fix)
    if task.target.num_labelled:
        got = f"{task.target.num_labelled:,} labelled target examples"
        fix = "Leave --label-budget out; or compare methods with it, and audit them: acclimate compare …"
        raise RequestError("label_budget", "must be 0 for a choice without target labels", got, fix)
    if task.source_test is None or not task.source_test.num_labelled:
        counts = task.source.class_counts
        least = int(np.where(counts > 0, counts, counts.max() + 1).argmin())
        got = f"{counts[least]:,} of “{task.source.classes[least]}”"
        raise DataError("source", "must hold ten examples of each class, to set some aside", got, alone)


def begin(plan: AutoPlan, folder: Path, tasks: Mapping[str, Task], telling: Telling) -> Run:
    """Train what a plan says in a new folder, choose, and make the folder the chosen run.

    Raises:
        RequestError: if the folder is in use, or the budget too small for two candidates.
        WorkError: if the baseline fails in its training, or all others do.
    """
    Run.refuse_used(folder)
    _check_budget(plan)
    held = lock(folder, option="out")
    try:
        check_same_data(folder / CANDIDATES, tasks)
        write_json(folder / AUTO, plan.model_dump(mode="json"))
        return _carry_out(plan, folder, telling)
    finally:
        held.release()


def go_on(folder: Path, telling: Telling) -> Run:
    """Go on where `begin` was stopped; what is finished is kept, a run that was begun goes on from its checkpoint.

    Raises:
        RequestError: if another process is at it, or data have changed.
        WorkError: as `begin`.
    """
    plan = read_record(AutoPlan, folder / AUTO)
    held = lock(folder)
    try:
        remove_leftovers(folder)
        return _carry_out(plan, folder, telling)
    finally:
        held.release()


def _check_budget(plan: AutoPlan) -> None:
    """Refuse a budget that ends before there is anything to choose between."""
    if plan.budget is None:
        return
    cheapest = _cheapest(plan)
    least = sum(_expected(plan, row) for row in (*plan.baselines, cheapest))
    if least > plan.budget:
        names = " and ".join(row.name for row in (*plan.baselines, cheapest))
        rule = f"must be enough for {names}, {SEEDS} seeds each: about {least:.0f} s here"
        fix = "Give more, or train shorter with --epochs or --steps."
        raise RequestError("budget", rule, f"{plan.budget:.0f} s", fix)


def _cheapest(plan: AutoPlan) -> Row:
    """Of the candidates beside baselines, the one that is expected to take least."""
    return min((row for row in plan.rows if row not in plan.baselines), key=lambda row: _expected(plan, row))


def _carry_out(plan: AutoPlan, folder: Path, telling: Telling) -> Run:
    place, failed = folder / CANDIDATES, dict[str, str]()
    left_out = dict(plan.left_out)

    def note(row: Row, seed: int, error: Exception) -> None:
        failed[f"{row.name}, seed {seed}"] = str(error)
        telling.failed(row, seed, error)

    told = set[tuple[str, int]]()
    for rows in _rounds(plan, place, left_out):
        work: Any = {"jobs": plan.jobs, "backend": plan.backend, "address": plan.address, "weights": "of all"}
        for row, seed, _ in cells.compare(plan.comparison(rows), place, failed=note, **work):
            if (row.name, seed) not in told:
                telling.done(row, seed)
            told.add((row.name, seed))
    finished = _finished(plan, place)
    if plan.baseline not in finished or len(finished) < _FEWEST:
        raise WorkError(f"Nothing to choose from. {' '.join(f'{name}: {why}' for name, why in failed.items())}")
    telling.notice("Weighing what the candidates show …")
    chosen, run, pictures = _chosen(finished, plan.baseline, folder)
    chosen = chosen.model_copy(update={"failed": failed, "left_out": left_out})
    return carry(run, folder, plan.command, chosen, pictures)


def _chosen(finished: Mapping[str, Sequence[Run]], baseline: str, folder: Path) -> tuple[Chosen, Run, Any]:
    """The choice, the run to use, and pictures of what it doubts; the data of a seed are read once."""
    shelf = Shelf()
    for run in sorted((run for runs in finished.values() for run in runs), key=_seed, reverse=True):
        if not has_evidence(run):
            keep(run, seen(run, shelf.task))
    contenders = [contender(name, runs, read_evidence) for name, runs in finished.items()]
    task = shelf.task(Request(**finished[baseline][0].config["request"]), finished[baseline][0])
    chosen = chosen_of(contenders, baseline, folder, explaining(task.source, task.target))
    run = Run(folder / chosen.run)
    copies = [other for other in finished[chosen.name] if other.folder != run.folder]
    target = scored(shelf.task(Request(**run.config["request"]), run)).target
    doubts, pictures = doubtful([run, *copies], target)
    return chosen.model_copy(update={"doubtful": doubts}), run, pictures


def _seed(run: Run) -> int:
    return int(run.config["training"]["seed"])


def _finished(plan: AutoPlan, place: Path) -> dict[str, list[Run]]:
    """The runs that came to their end by the name of their candidate, in the order of the plan."""
    found = {}
    for row in plan.rows:
        folders = [cell_folder(place, row, seed) for seed in range(SEEDS)]
        if runs := [Run(folder) for folder in folders if (folder / "summary.json").is_file()]:
            found[row.name] = runs
    return found


def _rounds(plan: AutoPlan, place: Path, left_out: dict[str, str]) -> Iterator[Sequence[Row]]:
    """The rows to train together: all of them, or under a budget one after another, as far as it goes.

    What was spent is read from the runs themselves, so that one that was stopped decides as it would have otherwise.
    """
    if plan.budget is None:
        yield plan.rows
        return
    yield plan.baselines
    tried = 0
    for row in plan.rows:
        if row in plan.baselines:
            continue
        spent, foreseen = _spent(plan, place)
        if spent + _expected(plan, row) * max(1.0, spent / foreseen) <= plan.budget:
            tried += 1
            yield (row,)
        else:
            left_out[row.name] = "had no place in the budget"
    if not tried:  # everything takes longer than it seemed, and one is needed to choose at all
        cheapest = _cheapest(plan)
        del left_out[cheapest.name]
        yield (cheapest,)


def _expected(plan: AutoPlan, row: Row) -> float:
    """Seconds that a candidate is expected to take with all its seeds."""
    return plan.seconds.get(row.name, 0.0) * SEEDS / min(plan.jobs, SEEDS)


def _spent(plan: AutoPlan, place: Path) -> tuple[float, float]:
    """Seconds that finished candidates took, and that they were expected to take."""
    took = foreseen = 0.0
    rows = {row.name: row for row in plan.rows}
    for name, runs in _finished(plan, place).items():
        took += sum((run.summary or {})["wall_s"] for run in runs) / min(plan.jobs, SEEDS)
        foreseen += _expected(plan, rows[name])
    return took, foreseen or max(took, 1e-9)
