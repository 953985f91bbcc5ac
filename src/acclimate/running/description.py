"""What a run's `config.json` holds, written before the first step and read when the run is taken up again."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

import acclimate
from acclimate.data.preprocess import AnyPreprocess, Sides, notes_on, read_preprocess
from acclimate.data.task import Task
from acclimate.errors import AcclimateError, DataError, WorkError
from acclimate.inputs.photo_features import PhotoFeatures
from acclimate.inputs.preparation import COUNTS, detail_of, fitting
from acclimate.inputs.text_features import TfidfFeatures
from acclimate.methods import needs
from acclimate.networks.batch_norm import batch_norm_layers
from acclimate.networks.mobilenet import weights_are_here
from acclimate.networks.registry import architecture
from acclimate.problems.base import problem_called
from acclimate.problems.planning import make_method
from acclimate.running.parts import scored_notes
from acclimate.runs.machine import current_commit, machine
from acclimate.runs.options import TrainingOptions, complaint
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.plan import Plan
from acclimate.training.processes import Processes

# As many as networks of random weights get in the tasks of digits, whose shapes are far simpler than photos'.
_FEW_PHOTOS = 5_000


def changed_surroundings(run: Run, processes: Processes) -> list[str]:
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


def plan_of(run: Run) -> Plan:
    """The plan that a run's `config.json` records; nothing is decided anew.

    Raises:
        WorkError: if it describes no model that can be built.
    """
    config = run.config
    with as_described(run):
        stored, options = config["preprocess"], TrainingOptions(**config["training"])
        preprocess = _preprocess(stored)
        widths = preprocess.of("target").inputs, preprocess.of("source").inputs
        return Plan(
            make_method(config["method"]["name"], config["method"]["options"]),
            config["network"],
            architecture(config["network"], *widths, options.word_width, _shared(preprocess)),
            preprocess,
            options,
            tuple(config["task"]["classes"][: config["task"]["num_classes"]]),
        )


def _preprocess(stored: Mapping[str, Any]) -> AnyPreprocess:
    """What is stored of it, told by the fields that it alone has."""
    if "encoder" in stored:
        return PhotoFeatures(**stored)
    return TfidfFeatures(**stored) if "idf" in stored else read_preprocess(stored)


@contextmanager
def as_described(run: Run) -> Iterator[None]:
    """Say of what goes wrong while a model is built after a run's `config.json` that this is why.

    Raises:
        WorkError: for what pydantic and PyTorch raise; acclimate's own errors pass.
    """
    try:
        yield
    except ValidationError as error:
        where, rule, got = complaint(error)
        said = f"{where or 'it'} {rule}; got {got}"
        raise WorkError(f"{run.config_path} describes no model that can be built: {said}.") from error
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, OverflowError, RuntimeError) as error:
        if isinstance(error, AcclimateError):
            raise
        said = f"{type(error).__name__}: {error!s:.300}"
        raise WorkError(f"{run.config_path} describes no model that can be built: {said}.") from error


def _origins(task: Task) -> dict[str, dict[str, int]]:
    """How many examples of each source there are, where there are several."""
    if task.source.origins is None:
        return {}
    counts = np.bincount(task.source.origins, minlength=len(task.source.origin_names)).tolist()
    return {"sources": dict(zip(task.source.origin_names, counts, strict=True))}


def _shared(preprocess: AnyPreprocess) -> tuple[tuple[int, int], ...]:
    return preprocess.shared if isinstance(preprocess, Sides) else ()


def describe(
    request: Request,
    task: Task,
    plan: Plan,
    processes: Processes,
    notes: Sequence[str] = (),
    begun: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of `config.json`; `notes` are those of a trainer, `begun` tells of the run it begins with."""
    method = plan.method
    return {
        **({"begun_from": dict(begun)} if begun else {}),
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
            "source_counts": task.source.class_counts.tolist() if task.has_source else None,
            **_origins(task),
            "fingerprints": {role: domain.content_hash for role, domain in task.domains().items()},
            **({"files": files} if (files := _files(task)) else {}),
            "bins": list(task.source.bins.edges) if task.source.bins else None,
            **_schemas(task, plan),
            "notes": [*task.all_notes, *plan_notes(request, plan, task), *notes, *_process_notes(plan, processes)],
        },
        "problem": method.problem,
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


def _schemas(task: Task, plan: Plan) -> dict[str, Any]:
    """What the columns of the target mean, by which later data are read; and the source's, if those are others."""
    sides = {"schema": task.target, **({"source_schema": task.source} if isinstance(plan.preprocess, Sides) else {})}
    return {name: d.schema.model_dump(mode="json") if d.schema else None for name, d in sides.items()}


def _files(task: Task) -> dict[str, dict[str, str]]:
    """SHA-256 of each of the tables that sides were read of, where these are large or several."""
    sides = {role: domain for role, domain in task.domains().items() if role != "source_test"}
    return {role: dict(domain.files) for role, domain in sides.items() if domain.files}


def plan_notes(request: Request, plan: Plan, task: Task) -> list[str]:
    """What the user should know about decisions that the data did not make."""
    notes = [*notes_on(plan.preprocess, task.domains()), *scored_notes(task)]
    if unlabelled := len(task.source) - task.source.num_labelled:
        of = f"{unlabelled:,} of the source's {len(task.source):,} examples"
        notes.append(f"{of} are without a label; no step trains on them.")
    single = [name for name, n in zip(task.source.classes, task.source.class_counts, strict=True) if n == 1]
    if single:
        shown = ", ".join(f"“{name}”" for name in single[:5]) + (", …" if len(single) > 5 else "")
        notes.append(f"Classes with a single source example, which says little about them: {shown}.")
    if not needs.names_classes(plan.method, task.target.num_labelled):
        notes.append(
            f"Without target labels {plan.method.title} finds groups; which one is which class cannot be known: "
            "its answers are names given at random. Read the Fowlkes-Mallows score, not accuracy; one labelled "
            "example of each class (--label-budget 1) names the groups."
        )
    of_problem = problem_called(plan.method.problem).notes(request, plan, task)
    notes += [*of_problem, *_network_notes(request, plan), *_size_notes(request, plan, task)]
    return [*notes, *warnings_before(plan, task)]


def _network_notes(request: Request, plan: Plan) -> list[str]:
    """Why a network was chosen, and what it starts from."""
    if plan.network == "mobilenetv2":
        return ["The network starts from ImageNet weights."]
    if plan.network == "mobilenetv2-scratch" and request.network is None:
        return [
            "The network starts from random weights, as ImageNet's are not on this machine. "
            "`acclimate data import FOLDER` brings the weights."
        ]
    if plan.network == COUNTS and request.network is None and request.task is None:
        return [
            "The columns are taken for counts, as of words: whole numbers, most of them 0. The network is made for "
            "that, and rows of log(1 + x) are scaled to length 1. To z-score each column instead: --network mlp."
        ]
    if isinstance(plan.preprocess, PhotoFeatures) and request.network is None:
        return [
            f"Without a GPU, photos are turned into features by a frozen {plan.preprocess.encoder}, once, and a "
            "small network learns from these. To train the whole network, which takes hours: --network mobilenetv2."
        ]
    return []


def _size_notes(request: Request, plan: Plan, task: Task) -> list[str]:
    """How small photos reach a network that takes any size, and the other way to show them."""
    wants = plan.architecture
    if not wants.any_size or request.asked.image_size or isinstance(plan.preprocess, PhotoFeatures | Sides):
        return []
    detail = detail_of([task.source, task.target])
    if (size := fitting(wants, detail)) == (usual := wants.input_size):
        return []
    share = f"{(size / usual) ** 2:.0%} of the time"
    if plan.preprocess.of("source").size == size:
        return [
            f"The photos have {detail} pixels a side at most, so the network sees {size}, in {share} that {usual} "
            f"would take; to enlarge them: --image-size {usual}."
        ]
    return [
        f"The photos have {detail} pixels a side at most and are enlarged to {usual}, the size that the network's "
        f"first weights were trained at; --image-size {size} takes {share}, for some accuracy."
    ]


def warnings_before(plan: Plan, task: Task) -> list[str]:
    """What the user should know before hours are spent, not only after."""
    few = task.source.num_labelled
    if plan.network != "mobilenetv2-scratch" or few >= _FEW_PHOTOS or not task.has_source:
        return [*plan.notes]
    frozen = (
        "Leave --network out: a frozen network with ImageNet's weights then turns photos into features."
        if weights_are_here()
        else "Import ImageNet's weights (`acclimate data import FOLDER`), which without a GPU stay frozen and turn "
        "photos into features once; or make such features with another encoder (`acclimate encode`), or let a "
        "small network see small photos: --image-size 32."
    )
    return [
        f"{few:,} labelled photos are few for a network of 2.2 million random weights: expect it to learn hardly "
        f"anything. {frozen}",
        *plan.notes,
    ]


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
    if needs.takes_batches_whole(plan.method):
        notes.append(
            f"A loss of {plan.method.title} is a statistic of a batch; each of the {n} processes takes it of its own "
            "part, so the result is not that of one process."
        )
    return notes


def check_unchanged(run: Run, task: Task) -> None:
    """Refuse data that are not those a run began with.

    Raises:
        DataError: if the content of a domain is another.
    """
    before = run.config["task"]["fingerprints"]
    changed = [r for r, d in task.domains().items() if before.get(r) != d.content_hash]
    if changed:
        raise DataError(
            " and ".join(changed),
            "must hold the same data as when the run began",
            "other content",
            "Restore the data, or start a new run.",
        )
