"""What a finished training leaves behind for readers who have no torch: answers, a sample, a summary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from acclimate.data.domain import Domain
from acclimate.data.task import TARGET_ROLES, Task
from acclimate.metrics.classification import Examiner, class_scores
from acclimate.metrics.grouping import grouping_scores
from acclimate.runs.predictions import prediction_table
from acclimate.runs.record import Run
from acclimate.training.judge import translation_scores
from acclimate.training.searches import retrieval_scores, searches_of_run
from acclimate.training.session import Fitted, softmax
from acclimate.training.trainer import Trainer
from acclimate.training.translations import translations_of_run
from acclimate.training.words import words_of_run
from acclimate.types import Outputs, Side

_PER_SIDE = 500
_PICTURES = 16


def write_results(run: Run, fitted: Fitted, task: Task, trainer: Trainer) -> None:
    """Write `predictions.parquet`, `sample.npz`, what the model can tell or show beside them, and `summary.json`.

    That is `words.json`, `translations.npz` or `searches.npz`. The last of them all marks the run as finished.
    """
    selection, chosen = trainer.selection
    targets = {r: d for r, d in task.domains().items() if r in TARGET_ROLES}
    seen = {role: fitted.outputs(domain, keep_features=False) for role, domain in targets.items()}
    answers = {role: getattr(task.answers, role) for role in targets}
    tables = [
        prediction_table(role, targets[role], softmax(seen[role].logits), task.classes, answers[role])
        for role in targets
    ]
    run.write(run.predictions_path, pl.concat(tables).write_parquet)
    shown = "target_test" if "target_test" in targets else "target"
    sample = _sample(fitted, task.source, targets[shown], seen[shown], answers[shown])
    run.write(run.sample_path, lambda path: _save(path, sample))
    if (words := words_of_run(fitted, task, shown, seen[shown].logits)) is not None:
        run.write(run.words_path, lambda path: _save_json(path, words))
    if (translations := translations_of_run(fitted, task)) is not None:
        run.write(run.translations_path, lambda path: _save(path, translations))
    if (searches := searches_of_run(fitted, task)) is not None:
        run.write(run.searches_path, lambda path: _save(path, searches))
    run.finish(
        {
            "scores": _scores(fitted, task, seen),
            "selection": selection,
            "chosen_step": chosen,
            "steps": trainer.step,
            "wall_s": round(trainer.seconds, 1),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )


def _scores(fitted: Fitted, task: Task, targets: Mapping[str, Outputs]) -> dict[str, float]:
    """Accuracies, scores that count classes alike and groupings by role, and what judges say of translations."""
    seen, labels = dict(targets), {role: getattr(task.answers, role) for role in targets}
    known = {role: y for role, y in labels.items() if y is not None}
    if task.source_test is not None and known:  # beside the target's: alone, it would pass for one of them
        seen["source_test"] = fitted.outputs(task.source_test, "source", keep_features=False)
        known["source_test"] = task.source_test.labels
    judged = translation_scores(fitted, task) if fitted.plan.method.translates else {}
    searched = retrieval_scores(fitted, task) if fitted.plan.method.retrieves else {}
    by_class = class_scores(seen, known) | grouping_scores(seen, known)
    return Examiner(known)(seen) | by_class | judged | searched


def _save_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _save(path: Any, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _sample(
    fitted: Fitted, source: Domain, target: Domain, seen: Outputs, labels: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Features of a few hundred examples of each side, and the target pictures at both ends of confidence."""
    rng = np.random.default_rng(0)
    from_source = np.sort(rng.permutation(len(source))[:_PER_SIDE])
    from_target = np.sort(rng.permutation(len(target))[:_PER_SIDE])
    known = np.full(len(target), -1) if labels is None else labels
    features = [
        fitted.outputs(source.take(from_source), "source").features,
        fitted.outputs(target.take(from_target), "target").features,
    ]
    sample = {
        "features": narrowed(np.concatenate(features)),
        "is_target": np.repeat([False, True], [len(from_source), len(from_target)]),
        "label": np.concatenate([source.labels[from_source], known[from_target]]),
        "predicted": np.concatenate([np.full(len(from_source), -1), seen.logits[from_target].argmax(axis=1)]),
    }
    if (untrained := _untrained(fitted, source.take(from_source), target.take(from_target))) is not None:
        sample["untrained"] = narrowed(untrained)
    if target.kind != "images":
        return sample
    probabilities = softmax(seen.logits)
    order = np.argsort(probabilities.max(axis=1), kind="stable")
    most = min(_PICTURES, len(order) // 2)  # no picture is both
    for name, rows in (("uncertain", order[:most]), ("certain", order[::-1][:most])):
        sample |= {
            f"{name}_images": np.asarray(target.inputs[rows]),
            f"{name}_predicted": probabilities[rows].argmax(axis=1),
            f"{name}_confidence": probabilities[rows].max(axis=1),
            f"{name}_label": known[rows],
        }
    return sample


def _untrained(fitted: Fitted, source: Domain, target: Domain) -> np.ndarray | None:
    """What a retrieval model starts from, standardised, where both sides come as features of one width; else None."""
    sides: tuple[tuple[Side, Domain], ...] = ("source", source), ("target", target)
    same = source.kind == target.kind == "features" and source.array.shape[1] == target.array.shape[1]
    if not (fitted.plan.method.retrieves and same):
        return None
    return np.concatenate([fitted.plan.preprocess.of(s).batch(d.inputs, None).numpy() for s, d in sides])


def narrowed(features: np.ndarray) -> np.ndarray:
    """Features `(n, d)`, or where d > n their n coordinates in the space they span: every distance is the same.

    From Xᵀ = Q R follows X Xᵀ = Rᵀ R. Counts of words would otherwise fill the disk with columns.
    """
    n, d = features.shape
    return features if d <= n else np.asarray(np.linalg.qr(features.T, mode="r")).T
