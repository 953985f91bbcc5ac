"""Running a comparison. What is finished is never run again, so one that was stopped goes on with what is missing."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import joblib

from acclimate.errors import RequestError, WorkError
from acclimate.networks.registry import ARCHITECTURES
from acclimate.problems.planning import make_method
from acclimate.running import adaptation
from acclimate.running.cluster import Backend, cluster
from acclimate.running.comparison import Comparison, Row, cell_folder, score_of
from acclimate.running.row_files import write_row
from acclimate.running.shelf import Shelf
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request

Failed = Callable[[Row, int, WorkError], None]
Weights = Literal["of own data", "of all"]
_SHELVES: dict[str, Shelf] = {}


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all cells of a call are told: how many run at a time, whose weights are kept, and the call's name."""

    jobs: int
    weights: Weights
    call: str


@dataclass(frozen=True, slots=True)
class _Cell:
    """A row with one seed, where its run lives, and where that of its baseline does."""

    row: Row
    seed: int
    folder: Path
    baseline: Path | None

    @property
    def request(self) -> Request:
        """The row's with the seed; a baseline is never trained for one cell alone."""
        training = {**self.row.request.training, "seed": self.seed}
        return self.row.request.model_copy(update={"training": training, "baseline": self.baseline is not None})

    @property
    def is_finished(self) -> bool:
        return (self.folder / "config.json").is_file() and Run(self.folder).summary is not None


def compare(
    comparison: Comparison,
    folder: Path,
    *,
    results: Path | None = None,
    jobs: int = 1,
    command: str = "",
    backend: Backend = "loky",
    address: str | None = None,
    failed: Failed | None = None,
    weights: Weights = "of own data",
) -> Iterator[tuple[Row, int, float | None]]:
    """Run the cells that are missing, yielding (row, seed, target accuracy) as each one is known.

    Where the target of the user's own data has no labels, None stands for the accuracy.

    Args:
        comparison: what to compare.
        folder: run folders go here.
        results: row files go here, rewritten after every cell; none are written without it.
        jobs: cells at a time; each gets its share of its machine's cores.
        command: what replays the comparison, for the row files.
        backend: where cells run; see `cluster`. Other machines must see the same folders.
        address: of an existing cluster.
        failed: told of a cell that fails in its training, without which the others go on. A baseline's ends them all.
        weights: which runs keep theirs: those on the user's own data, for which they are compared, or all.

    Raises:
        RequestError: if the folder holds a cell that was begun with other options, or with other defaults; nothing
            runs then. If data change meanwhile.
        WorkError: if a cell fails and nobody is told; finished cells are kept.
    """
    cells = _cells(comparison, folder)
    for cell in cells:
        _check_same(cell.folder, cell.request)
    missing = []
    for cell in cells:
        if cell.is_finished:
            _drop_weights(cell.request, cell.folder, weights)
            yield cell.row, cell.seed, score_of(cell.folder)
        else:
            missing.append(cell)
    shared = _Shared(jobs, weights, secrets.token_hex(8))
    with cluster(backend, address, jobs) as one_by_one:
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered" if one_by_one else "list")
        for stage, told in _stages(missing, failed):
            for cell in _carried_out(stage, parallel, shared, told):
                if results is not None:
                    write_row(comparison, cell.row, folder, results, command)
                yield cell.row, cell.seed, score_of(cell.folder)
    _SHELVES.clear()
    if results is not None:
        for row in comparison.rows:
            write_row(comparison, row, folder, results, command)


def _cells(comparison: Comparison, folder: Path) -> list[_Cell]:
    rows = {row.name: row for row in comparison.rows}
    return [
        _Cell(
            row, s, cell_folder(folder, row, s), cell_folder(folder, rows[row.baseline], s) if row.baseline else None
        )
        for row, s in comparison.cells()
    ]


def _stages(cells: Sequence[_Cell], failed: Failed | None) -> Iterator[tuple[list[_Cell], Failed | None]]:
    """First what stands alone, which others are compared with, then those others."""
    alone = [cell for cell in cells if cell.baseline is None]
    yield alone, failed if len(alone) == len(cells) else None
    yield [cell for cell in cells if cell.baseline is not None], failed


def _carried_out(
    cells: Sequence[_Cell], parallel: joblib.Parallel, shared: _Shared, failed: Failed | None
) -> Iterator[_Cell]:
    run = joblib.delayed(_run_cell)
    for index, error in parallel(
        run(i, c.request, c.folder.absolute(), c.baseline and c.baseline.absolute(), shared)
        for i, c in enumerate(cells)
    ):
        cell = cells[index]
        if error is None:
            yield cell
        elif failed is None:
            raise error
        else:
            failed(cell.row, cell.seed, error)


def _run_cell(
    index: int, request: Request, folder: Path, baseline: Path | None, shared: _Shared
) -> tuple[int, WorkError | None]:
    """One cell in a process of its own: its index, and what went wrong in training."""
    import torch

    from acclimate.training.allocator import keep_freed_memory

    torch.set_num_threads(_threads(torch.get_num_threads(), shared.jobs))
    keep_freed_memory()
    begun, read = (folder / "config.json").is_file(), _shelf(shared.call).task
    try:
        run = (
            adaptation.resume(folder, baseline=baseline, read=read)
            if begun
            else adaptation.adapt(request, folder, baseline=baseline, read=read)
        )
    except WorkError as error:
        return index, error
    _drop_weights(request, run.folder, shared.weights)
    if request.task is not None and score_of(folder) is None:
        return index, WorkError(f"the target of {request.title} has no labels, so methods cannot be compared on it")
    return index, None


def _shelf(call: str) -> Shelf:
    """This process's shelf in a call of `compare`; what an earlier one read is given up."""
    if call not in _SHELVES:
        _SHELVES.clear()
    return _SHELVES.setdefault(call, Shelf())


def _drop_weights(request: Request, folder: Path, kept: Weights) -> None:
    """Remove what nobody needs again, the weights of a benchmark, which can weigh 100 MB each."""
    if request.task is not None and kept != "of all" and (weights := Run(folder).checkpoints_path).is_dir():
        shutil.rmtree(weights)


def _threads(torchs: int, jobs: int) -> int:
    """A cell's share of the cores, or fewer where `OMP_NUM_THREADS` says so.

    Args:
        torchs: how many torch has begun with, which are those where it is set.
        jobs: cells at a time.
    """
    share = max(1, int(joblib.cpu_count()) // jobs)
    return min(share, torchs) if "OMP_NUM_THREADS" in os.environ else share


def _check_same(folder: Path, wanted: Request) -> None:
    """Refuse to go on with, or to count, a cell that was asked for differently."""
    if not (folder / "config.json").is_file():
        return
    config = Run(folder).config
    fix = "Choose another folder with --out, or remove this one."
    found = {**Request().model_dump(mode="json"), **config["request"]}  # fields younger than it, at their defaults
    asked = wanted.model_dump(mode="json")
    if asked["memory"] is None:  # half of what was free then
        found["memory"] = None
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
    """What a request's options would be, but for those that machine or data decide, of the method's too."""
    method = make_method(wanted.method, wanted.method_options)
    needs = ARCHITECTURES[network](1).recipe if network in ARCHITECTURES else {}
    options = TrainingOptions.resolve({**method.recipe, **needs}, wanted.training).model_dump(mode="json")
    by_machine = ("precision", "activations")
    decided = {name: value for name, value in options.items() if value is not None and name not in by_machine}
    return {**decided, **{name: value for name, value in method.model_dump(mode="json").items() if value is not None}}
