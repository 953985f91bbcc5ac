"""One baseline for several runs: what does not adapt is trained once, and handed to each of them as its baseline."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from acclimate import discovery
from acclimate.data.task import Task
from acclimate.data.temporary import temporary_beside
from acclimate.errors import unwritable
from acclimate.methods.base import Method
from acclimate.methods.closed_form import ClosedForm
from acclimate.problems.planning import make_plan
from acclimate.runs import lock
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import WITHOUT_LABELS, Run
from acclimate.runs.request import Request
from acclimate.training.plan import Plan

# Not the baseline's: its own report speaks of nothing else, and a lock is a process's.
ITS_OWN = shutil.ignore_patterns(lock.NAME, "report.html", ".*.part")


def given(folder: str, request: Request, task: Task) -> tuple[Request, Task]:
    """What is trained in a folder beside a run, and on what: the run's data, without labels where the folder says so.

    It is then scored on the same examples. Labels of the user's own that nobody granted in words are said to be
    granted where a method of plain adaptation learns from them, which would else hide them when they are read again.

    Args:
        folder: its name.
        request: the run's, for the method that is trained there.
        task: the run's.
    """
    if folder == WITHOUT_LABELS:
        return request.model_copy(update={"label_budget": "0"}), replace(task, target=task.target.unlabelled())
    plain = discovery.methods()[request.method].fact("problem", "adaptation") == "adaptation"
    unasked = plain and task.target.num_labelled and request.label_budget == "0"
    return (request.model_copy(update={"label_budget": "all"}) if unasked else request), task


def hand_over(shared: Path, run: Run, name: str, plan: Plan) -> None:
    """Make a finished run another's baseline, if it is of the network and the input of what would be trained there.

    Nothing happens otherwise, or where there is a baseline already. Files are linked where the disk can do that, so
    that ten baselines take the room of one: nothing writes into the files of a finished run, they are replaced.

    Args:
        shared: the finished run, on the same data.
        run: to be compared with it.
        name: of the folder beside the run; see `Run.beside`.
        plan: what would be trained otherwise.

    Raises:
        WorkError: if the disk is full or cannot be written.
    """
    baseline = Run(shared)
    if run.beside(name) is not None or baseline.summary is None or not _would_be_it(baseline, plan):
        return
    place = run.folder / name
    try:
        with temporary_beside(place, Path.mkdir) as part:
            shutil.copytree(shared, part, copy_function=linked, ignore=ITS_OWN, dirs_exist_ok=True)
            part.replace(place)
    except (OSError, shutil.Error) as error:
        raise unwritable(place, error) from None


def _would_be_it(baseline: Run, plan: Plan) -> bool:
    config = baseline.config
    wanted = plan.method.name, plan.network, plan.preprocess.model_dump(mode="json")
    return (config["method"]["name"], config["network"], config["preprocess"]) == wanted


def linked(source: str, target: str) -> None:
    """Give a file a second name, or copy it where the disk cannot do that."""
    with contextlib.suppress(OSError):
        os.link(source, target)
        return
    shutil.copy2(source, target)


def baseline_plan(method: Method, task: Task, plan: Plan) -> Plan:
    """A plan for the baseline beside one for the method itself."""

    def kept(*names: str) -> dict[str, Any]:
        return {name: getattr(plan.options, name) for name in names}

    if isinstance(method, ClosedForm):  # reads texts and columns in its own way
        options = kept("seed", "device", "vocabulary", "words", "missing", "weights")
        return make_plan(method, task.source, task.target, options=options)
    little_in_common = isinstance(plan.method, ClosedForm)  # of their recipes
    if method.problem == "heterogeneous" or little_in_common:
        options = kept("seed", "device", "normalisation", "precision", "weights")
        return replace(plan, method=method, options=TrainingOptions.resolve(method.recipe, options))
    return replace(plan, method=_told_as(plan.method, method))


def _told_as(method: Method, baseline: Method) -> Method:
    """A baseline with those of its options that only data tell, as data told them of the method itself."""
    open_ = [name for name, value in baseline if value is None and getattr(method, name, None) is not None]
    return baseline.model_copy(update={name: getattr(method, name) for name in open_}) if open_ else baseline
