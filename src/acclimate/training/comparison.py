"""Comparing methods over seeds: one run folder for each cell, one result file for each row.

A cell that is finished is never run again, so a comparison that was stopped goes on with what is missing.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import joblib
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from acclimate.errors import RequestError, WorkError
from acclimate.metrics.intervals import mean_ci95
from acclimate.networks.registry import ARCHITECTURES
from acclimate.runs.files import write_json
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import adaptation
from acclimate.training.cluster import Backend, cluster
from acclimate.training.requests import make_method

# Folders and files are called by these names, so they must not lead elsewhere.
_Name = Annotated[
    str,
    Field(
        pattern=r"^[^./\\\x00][^/\\\x00]*$", max_length=150, description="A folder's name: no slash, no dot first."
    ),
]


# What a run is scored by, the first of these that it has: a retrieval model's classes are beside the point.
_SCORES = ("search_map", "target_test_accuracy", "target_accuracy")
# Steps that somebody else would have taken, as fields of a row file: the best one by the test's own labels, and by
# those of validation examples. Fewer points of a curve than this are no choice of step.
_CHOICES = {"oracle_best_step": 10, "validation_best_step": 5}
# Fields of a row file that hold a value for each seed, and are left out unless every seed has one.
_BY_SEED = (*_CHOICES, "seconds_to_published")


class Published(BaseModel):
    """A number somebody else reported for the same protocol."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    source: str


class Row(BaseModel):
    """One line of a comparison.

    Attributes:
        name: what to call it; its result is `<name>.json`.
        request: what to run; the seed is filled in for each cell.
        published: a number to stand beside it.
        seeds: how many seeds, if not the comparison's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    request: Request
    published: Published | None = None
    seeds: int | None = Field(None, ge=1)


class Comparison(BaseModel):
    """Methods to compare on one task.

    Attributes:
        id: name of the comparison and of its folders.
        protocol: which data, which split, in words.
        seeds: 0, 1, … up to this many.
        rows: what to compare.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _Name
    protocol: str = ""
    seeds: int = Field(5, ge=1)
    rows: tuple[Row, ...]

    def cells(self) -> list[tuple[Row, int]]:
        """Every (row, seed), seeds outermost, so that a stopped comparison has whole columns."""
        return [(row, s) for s in range(self.seeds) for row in self.rows if s < (row.seeds or self.seeds)]


def label_series(comparison: Comparison) -> dict[str, str]:
    """What rows that differ in nothing but their label budget are called together, by row.

    Their common name where each is that name with its budget after a hyphen (`cgt`, `cgt-5`, `cgt-10`), else the
    first one's.
    """
    groups: dict[str, list[Row]] = {}
    for row in comparison.rows:
        groups.setdefault(row.request.model_copy(update={"label_budget": ""}).model_dump_json(), []).append(row)
    series: dict[str, str] = {}
    for rows in groups.values():
        names = {row.name.removesuffix(f"-{row.request.label_budget}") for row in rows}
        together = names.pop() if len(names) == 1 else rows[0].name
        series |= {row.name: together for row in rows if len({row.request.label_budget for row in rows}) > 1}
    return series


def cell_folder(folder: Path, row: Row, seed: int) -> Path:
    """Where a cell's run lives."""
    return folder / f"{row.name}-seed{seed}"


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
        if (score := _score(cell_folder(folder, row, seed))) is None:
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

    torch.set_num_threads(max(1, joblib.cpu_count() // jobs))
    keep_freed_memory()
    begun = (folder / "config.json").is_file()
    run = adaptation.resume(folder) if begun else adaptation.adapt(_seeded(request, seed), folder)
    # Weights of a comparison are not needed again and can weigh 100 MB each.
    shutil.rmtree(run.checkpoints_path)
    score = _score(folder)
    if score is None:
        raise WorkError(f"the target of {request.title} has no labels, so methods cannot be compared on it")
    return index, score


def _seeded(request: Request, seed: int) -> Request:
    """A cell's own request."""
    return request.model_copy(update={"training": {**request.training, "seed": seed}, "baseline": False})


def _check_same(folder: Path, wanted: Request) -> None:
    """Refuse to go on with, or to count, a cell that was asked for differently."""
    if not (folder / "config.json").is_file():
        return
    config = Run(folder).config
    fix = "Choose another folder with --out, or remove this one."
    found, asked = config["request"], wanted.model_dump(mode="json")
    if found != asked:
        differing = [key for key in asked if found.get(key) != asked[key]]
        told = "; ".join(f"{key} {found.get(key)} instead of {asked[key]}" for key in differing)
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


def _score(folder: Path) -> float | None:
    """A finished cell's score on the held-out target, or on the target itself where nothing is held out."""
    if not (folder / "config.json").is_file() or (summary := Run(folder).summary) is None:
        return None
    name = _scored_by(summary["scores"])
    return float(summary["scores"][name]) if name else None


def _scored_by(scores: Mapping[str, float]) -> str:
    """The name of what a run is scored by; empty if it has no score."""
    return next((name for name in _SCORES if name in scores), "")


def write_row(comparison: Comparison, row: Row, folder: Path, results: Path, command: str) -> None:
    """Write `<results>/<id>/<row>.json` from the cells that are finished.

    Seeds that the file already has, of the same options and data, stay beside them: a comparison that is begun anew
    elsewhere adds to what is known and takes nothing away.
    """
    found = (_cell(folder, row, seed) for seed in range(row.seeds or comparison.seeds))
    cells = [cell for cell in found if cell is not None]
    path = results / comparison.id / f"{row.name}.json"
    if not cells:
        return
    cells = sorted([*_recorded(path, cells), *cells], key=lambda cell: int(cell["seed"]))
    accuracies = [round(cell["target_accuracy"], 5) for cell in cells]
    seconds = [round(cell["wall_s"], 1) for cell in cells]
    half = mean_ci95(accuracies)
    known = {name: [cell[name] for cell in cells] for name in _BY_SEED}
    known = {name: values for name, values in known.items() if None not in values}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(
        path,
        {
            "task": comparison.id,
            "method": row.name,
            "protocol": comparison.protocol,
            "selection": cells[-1]["selection"],
            "seeds": [cell["seed"] for cell in cells],
            "map" if "search_map" in cells[0]["scores"] else "target_accuracy": accuracies,
            **known,
            "mean": round(float(np.mean(accuracies)), 5),
            "ci95": None if math.isnan(half) else round(half, 5),
            "published": row.published.model_dump() if row.published else None,
            "command": command,
            "commit": ", ".join(
                dict.fromkeys(commit for cell in cells for commit in str(cell["commit"]).split(", "))
            ),
            "hardware": cells[-1]["hardware"],
            "wall_s": round(float(np.mean(seconds)), 1),
            "seconds": seconds,
            "steps": cells[-1]["steps"],
            "examples": cells[-1]["examples"],
            "data": [cell["data"] for cell in cells],
            "options": cells[-1]["options"],
            "scores": [cell["scores"] for cell in cells],
        },
    )


def _recorded(path: Path, cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The other seeds of a row file that was measured as these cells were: same options and data."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        return _other_seeds(row, cells) if _alike(row, cells) else []
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or no row file
        return []


def _alike(row: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row and cells may stand in one mean; files older than the record of data are taken at their word.

    What an option does by default is what there was before it, so files older than an option have its default.
    """
    usual = TrainingOptions().model_dump()
    asked, found = ({**usual, **options, "seed": None} for options in (cells[-1]["options"], row["options"]))
    data = dict(zip(row["seeds"], row.get("data", ()), strict=False))
    return (
        asked == found
        and row.get("examples", cells[-1]["examples"]) == cells[-1]["examples"]
        and all(data.get(cell["seed"]) in (None, cell["data"]) for cell in cells)
    )


def _other_seeds(row: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row file's seeds without these cells', as cells."""
    have, nothing = {cell["seed"] for cell in cells}, [None] * len(row["seeds"])
    columns = {
        "seed": row["seeds"],
        "target_accuracy": row["map"] if "map" in row else row["target_accuracy"],
        **{name: row.get(name, nothing) for name in _BY_SEED},
        "wall_s": row.get("seconds", [row["wall_s"]] * len(row["seeds"])),
        "data": row.get("data", nothing),
        "scores": row["scores"],
    }
    shared = {key: row[key] for key in ("selection", "steps", "commit", "hardware", "options")}
    shared["examples"] = row.get("examples", cells[-1]["examples"])
    found = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return [cell | shared for cell in found if cell["seed"] not in have]


def _digest(fingerprints: Mapping[str, str]) -> str:
    """Twelve letters that are equal where two runs were given the same examples of every role."""
    parts = (f"{role} {fingerprints[role]}" for role in sorted(fingerprints))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _chosen_steps(curve: Sequence[Mapping[str, Any]], scored: str) -> dict[str, float | None]:
    """The accuracy at each step of `_CHOICES`; None where the labels are not there, or too few points to choose from.

    Papers report the accuracy at the step that held-out labels choose, which nobody can do without them.
    """
    found: dict[str, float | None] = {}
    for (name, fewest), by in zip(_CHOICES.items(), (scored, "target_validation_accuracy"), strict=True):
        enough = len(curve) >= fewest and all(by in row for row in curve)
        found[name] = round(float(max(curve, key=lambda row: row[by])[scored]), 5) if enough else None
    return found


def _seconds_to(
    published: Published | None, curve: Sequence[Mapping[str, Any]], scored: str, summary: Mapping[str, Any]
) -> float | Literal["never"] | None:
    """How long the run took to a published accuracy, by its curve; "never" where no point of it is that high."""
    if published is None or not curve:
        return None
    share = (row["step"] / max(1, summary["steps"]) for row in curve if row[scored] >= published.value)
    first = next(share, None)
    return "never" if first is None else round(first * summary["wall_s"], 1)


def _cell(folder: Path, row: Row, seed: int) -> dict[str, Any] | None:
    path = cell_folder(folder, row, seed)
    score = _score(path)
    if score is None:
        return None
    run = Run(path)
    config, summary = run.config, run.summary
    assert summary is not None
    scored = _scored_by(summary["scores"])
    curve = [point for point in run.metrics() if point["kind"] == "evaluation" and scored in point]
    return {
        "seed": seed,
        "target_accuracy": score,
        **_chosen_steps(curve, scored),
        "seconds_to_published": _seconds_to(row.published, curve, scored, summary),
        "scores": {name: round(value, 5) for name, value in summary["scores"].items()},
        "wall_s": summary["wall_s"],
        "selection": summary["selection"],
        "steps": summary["steps"],
        "examples": config["task"]["sizes"],
        "data": _digest(config["task"]["fingerprints"]),
        "commit": config.get("commit"),
        "hardware": {**config["machine"], "threads": config.get("threads")},
        "options": {
            "network": config["network"],
            **config["method"]["options"],
            **config["training"],
        },
    }
