"""One result file for each row of a comparison: every seed's score, how it was measured, and on which data."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from acclimate.metrics.intervals import mean_ci95
from acclimate.running.comparison import Comparison, Published, Row, cell_folder, score_of
from acclimate.runs.files import write_json
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.scores import scored_by

# Steps that somebody else would have taken, as fields of a row file: the best one by the test's own labels, and by
# those of validation examples. Fewer points of a curve than this are no choice of step.
_CHOICES = {"oracle_best_step": 10, "validation_best_step": 5}
# Fields of a row file that hold a value for each seed, and are left out unless every seed has one.
_BY_SEED = (*_CHOICES, "seconds_to_published")

# What a row file calls what its runs are scored by, where that is no accuracy.
_KEYS = {
    "search_map": "map",
    "target_test_h_score": "h_score",
    "target_h_score": "h_score",
    "target_test_r2": "r2",
    "target_r2": "r2",
}


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
            _KEYS.get(scored_by(cells[0]["scores"]), "target_accuracy"): accuracies,
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
        # From all scores: rows of open-set tasks were kept by accuracy once.
        "target_accuracy": [scores[scored_by(scores)] for scores in row["scores"]],
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
    score = score_of(path)
    if score is None:
        return None
    run = Run(path)
    config, summary = run.config, run.summary
    assert summary is not None
    scored = scored_by(summary["scores"])
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
