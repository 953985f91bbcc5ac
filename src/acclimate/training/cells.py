"""Running a comparison. What is finished is never run again, so one that was stopped goes on with what is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import joblib

from acclimate.errors import RequestError, WorkError
from acclimate.networks.registry import ARCHITECTURES
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import adaptation
from acclimate.training.cluster import Backend, cluster
from acclimate.training.comparison import Comparison, Row, cell_folder, score_of
from acclimate.training.requests import make_method
from acclimate.training.row_files import write_row


def compare(
    comparison: Comparison,
    folder: Path,
    *,
    results: Path | None = None,
    jobs: int = 1,
    command: str = "",
    backend: Backend = "loky",
    address: str | None = None,
) -> Iterator[tuple[Row, int, float]]:
    """Run the cells that are missing, yielding (row, seed, target accuracy) as each one is known.

    Args:
        comparison: what to compare.
        folder: run folders go here.
        results: row files go here, rewritten after every cell; none are written without it.
        jobs: cells at a time; each gets its share of its machine's cores.
        command: what replays the comparison, for the row files.
        backend: where cells run; see `cluster`. Other machines must see the same folders.
        address: of an existing cluster.

    Raises:
        RequestError: if the folder holds a cell that was begun with other options, or with other defaults; nothing
            runs then.
        WorkError: if a cell fails; finished cells are kept.
    """
    for row, seed in comparison.cells():
        _check_same(cell_folder(folder, row, seed), _seeded(row.request, seed))
    missing = []
    for row, seed in comparison.cells():
        if (score := score_of(cell_folder(folder, row, seed))) is None:
            missing.append((row, seed))
        else:
            yield row, seed, score
    run, place = joblib.delayed(_run_cell), folder.absolute()
    with cluster(backend, address, jobs) as one_by_one:
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered" if one_by_one else "list")
        for index, score in parallel(
            run(i, row.request, seed, cell_folder(place, row, seed), jobs) for i, (row, seed) in enumerate(missing)
        ):
            row, seed = missing[index]
            if results is not None:
                write_row(comparison, row, folder, results, command)
            yield row, seed, score
    if results is not None:
        for row in comparison.rows:
            write_row(comparison, row, folder, results, command)


def _run_cell(index: int, request: Request, seed: int, folder: Path, jobs: int) -> tuple[int, float]:
    """One cell in a process of its own."""
    import torch

    from acclimate.training.allocator import keep_freed_memory

    torch.set_num_threads(_threads(torch.get_num_threads(), jobs))
    keep_freed_memory()
    begun = (folder / "config.json").is_file()
    run = adaptation.resume(folder) if begun else adaptation.adapt(_seeded(request, seed), folder)
    # Weights of a comparison are not needed again and can weigh 100 MB each.
    shutil.rmtree(run.checkpoints_path)
    score = score_of(folder)
    if score is None:
        raise WorkError(f"the target of {request.title} has no labels, so methods cannot be compared on it")
    return index, score


def _threads(torchs: int, jobs: int) -> int:
    """A cell's share of the cores, or fewer where `OMP_NUM_THREADS` says so.

    Args:
        torchs: how many torch has begun with, which are those where it is set.
        jobs: cells at a time.
    """
    share = max(1, int(joblib.cpu_count()) // jobs)
    return min(share, torchs) if "OMP_NUM_THREADS" in os.environ else share


def _seeded(request: Request, seed: int) -> Request:
    """A cell's own request."""
    return request.model_copy(update={"training": {**request.training, "seed": seed}, "baseline": False})


def _check_same(folder: Path, wanted: Request) -> None:
    """Refuse to go on with, or to count, a cell that was asked for differently."""
    if not (folder / "config.json").is_file():
        return
    config = Run(folder).config
    fix = "Choose another folder with --out, or remove this one."
    found = {**Request().model_dump(mode="json"), **config["request"]}  # fields younger than it, at their defaults
    asked = wanted.model_dump(mode="json")
    if found != asked:
        differing = [key for key in asked if found[key] != asked[key]]
        told = "; ".join(f"{key} {found[key]} instead of {asked[key]}" for key in differing)
        raise RequestError(str(folder), f"must have been run with the same {' and '.join(differing)}", told, fix)
    then, today = _options_then(config), _options_today(config["network"], wanted)
    changed = [name for name, value in today.items() if then.get(name, value) != value]
    if changed:
        told = "; ".join(f"{name} {then[name]} instead of {today[name]}" for name in changed)
        raise RequestError(str(folder), f"must have been run with the {' and '.join(changed)} of today", told, fix)


def _options_then(config: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's options; those that are younger than it, at their defaults."""
    return {**TrainingOptions().model_dump(mode="json"), **config["training"], **config["method"]["options"]}


def _options_today(network: str, wanted: Request) -> dict[str, Any]:
    """What a request's options would be, but for those that machine or data decide."""
    method = make_method(wanted.method, wanted.method_options)
    needs = ARCHITECTURES[network](1).recipe if network in ARCHITECTURES else {}
    options = TrainingOptions.resolve({**method.recipe, **needs}, wanted.training).model_dump(mode="json")
    decided = {name: value for name, value in options.items() if value is not None and name != "precision"}
    return {**decided, **method.model_dump(mode="json")}
