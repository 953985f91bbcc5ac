"""Run folders made by hand: every number in them is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from acclimate.data.domain import Domain
from acclimate.runs.files import write_json
from acclimate.runs.predictions import prediction_table, write_predictions
from acclimate.runs.record import Run


@dataclass
class Recipe:
    """What a hand-made run holds.

    Attributes:
        classes: names of the classes.
        labels: true classes of the target test examples, −1 where unknown.
        after: the adapted model's answers.
        before: source-only's answers; None for a run without a baseline.
        pictures: side of the example pictures; 0 for tables of features.
        evaluations: accuracies by role, one list entry per point.
        losses: logged numbers by name, one list entry per step.
    """

    classes: Sequence[str] = ("cat", "dog", "owl")
    labels: Sequence[int] = tuple([0, 1, 2] * 20)
    after: Sequence[int] = tuple([0, 1, 2] * 18 + [1, 2, 0] * 2)
    before: Sequence[int] | None = tuple([0, 1, 2] * 8 + [0, 0, 0] * 12)
    confidence: float = 0.9
    pictures: int = 8
    split: str = "target_test"
    per_side: int = 3
    finished: bool = True
    labelled_target: int = 0
    notes: Sequence[str] = ()
    method: str = "mcd"
    title: str = "MCD"
    evaluations: dict[str, list[float]] = field(
        default_factory=lambda: {
            "source_accuracy": [0.3, 0.8, 0.95],
            "source_test_accuracy": [0.3, 0.8, 0.93],
            "target_test_accuracy": [0.3, 0.92, 0.9],
        }
    )
    losses: dict[str, list[float]] = field(default_factory=lambda: {"label_loss": [1.0, 0.5, 0.25]})


def _config(recipe: Recipe, method: str, title: str) -> dict[str, Any]:
    sizes = {"source": 40, "target": 30, "target_test": len(recipe.labels)}
    if recipe.split == "target":
        sizes = {"source": 40, "target": len(recipe.labels)}
    return {
        "acclimate": "0.1.0",
        "created": "2026-01-02T03:04:05+00:00",
        "command": "acclimate adapt --task pets --method mcd",
        "request": {
            "task": "pets", "source": None, "target": None, "target_test": None, "network": None,
            "method_options": {"n": 4}, "training": {"epochs": 2},
        },
        "task": {
            "name": "pets",
            "classes": list(recipe.classes),
            "num_classes": len(recipe.classes),
            "sizes": sizes,
            "names": {role: f"{role} pets" for role in sizes},
            "labelled_target": recipe.labelled_target,
            "fingerprints": {},
            "notes": list(recipe.notes),
        },
        "method": {"name": method, "title": title, "paper": "Saito et al., CVPR 2018", "options": {"n": 4}},
        "network": "small",
        "preprocess": {"mean": [0.5], "flip": False},
        "training": {"epochs": 2, "steps": None, "lr": 0.0002, "seed": 7},
        "steps": 3,
        "machine": {"cpu": "A processor", "cores": 2},
    }  # fmt: skip


def _predictions(recipe: Recipe, answers: Sequence[int]) -> pl.DataFrame:
    n, k = len(answers), len(recipe.classes)
    probabilities = np.full((n, k), (1 - recipe.confidence) / max(1, k - 1))
    probabilities[np.arange(n), list(answers)] = recipe.confidence
    domain = Domain(np.zeros((n, 2), np.float32), name="target")
    return prediction_table(recipe.split, domain, probabilities, tuple(recipe.classes), np.array(recipe.labels))


def _sample(recipe: Recipe, answers: Sequence[int], apart: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    k, n = len(recipe.classes), recipe.per_side
    target = np.arange(len(answers))[:n]
    labels = np.concatenate([np.arange(n) % k, np.array(recipe.labels)[target]])
    shown = np.concatenate([np.arange(n) % k, np.array(answers)[target]])
    is_target = np.repeat([False, True], [n, len(target)])
    centres = rng.normal(size=(k, 6)) * 4
    features = centres[shown] + rng.normal(size=(len(shown), 6)) + apart * is_target[:, None]
    sample = {
        "features": features.astype(np.float32),
        "is_target": is_target,
        "label": labels,
        "predicted": np.where(is_target, shown, -1),
    }
    if recipe.pictures:
        few = np.arange(min(4, len(answers)))
        for end, confidence in (("uncertain", 0.4), ("certain", 0.99)):
            sample |= {
                f"{end}_images": rng.integers(0, 255, (len(few), recipe.pictures, recipe.pictures, 1), np.uint8),
                f"{end}_predicted": np.array(answers)[few],
                f"{end}_confidence": np.full(len(few), confidence),
                f"{end}_label": np.array(recipe.labels)[few],
            }
    return sample


def _write(folder: Path, recipe: Recipe, answers: Sequence[int], method: str, title: str, apart: float) -> Run:
    run = Run.create(folder, _config(recipe, method, title))
    for step, values in enumerate(zip(*recipe.evaluations.values(), strict=True)):
        row = dict(zip(recipe.evaluations, values, strict=True))
        run.journal.append({"kind": "evaluation", "step": step, "epoch": step / 2, **row})
    for step, values in enumerate(zip(*recipe.losses.values(), strict=True)):
        row = dict(zip(recipe.losses, values, strict=True))
        run.journal.append({"kind": "losses", "step": step + 1, "epoch": step / 2, **row})
    if not recipe.finished:
        return run
    write_predictions(run.predictions_path, _predictions(recipe, answers))
    np.savez_compressed(run.sample_path, **_sample(recipe, answers, apart))
    summary = {"scores": {}, "selection": "last", "steps": 3, "wall_s": 4.2, "finished": "2026-01-02T03:05:00+00:00"}
    write_json(run.summary_path, summary)
    return run


def write_run(folder: Path, recipe: Recipe) -> Run:
    """Write the recipe's run, with its baseline inside if it has one."""
    run = _write(folder, recipe, recipe.after, recipe.method, recipe.title, apart=0.0)
    if recipe.before is not None and recipe.finished:
        _write(folder / "baseline", recipe, recipe.before, "source-only", "Source only", apart=20.0)
    return run


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Write a run folder from the given parts of a `Recipe`."""
    return lambda **parts: write_run(tmp_path / "run", Recipe(**parts))
