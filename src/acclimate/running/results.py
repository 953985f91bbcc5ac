"""What a finished training leaves behind for readers who have no torch: answers, a sample, a summary."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from acclimate.data.domain import Domain
from acclimate.data.task import TARGET_ROLES, Task
from acclimate.errors import WorkError
from acclimate.problems.base import problem_called
from acclimate.problems.numbers import number_tables
from acclimate.problems.retrieval.searches import searches_of_run
from acclimate.problems.translation.examples import translations_of_run
from acclimate.running.estimating import estimate_of_run
from acclimate.running.explanations import words_of_run
from acclimate.runs.predictions import prediction_table
from acclimate.runs.record import BASELINE, LABELS_ALONE, SHARED_COLUMNS, WITHOUT_LABELS, Run
from acclimate.training.fitted import Fitted, softmax
from acclimate.training.trainer import Trainer
from acclimate.types import Outputs, Side

_T = TypeVar("_T")

# What stands beside another run, whose sides that one tells of.
_BESIDE = (BASELINE, SHARED_COLUMNS, WITHOUT_LABELS, LABELS_ALONE)
_PER_SIDE = 500
_PICTURES = 16


def training_facts(trainer: Trainer) -> dict[str, Any]:
    """What `summary.json` tells of the training itself."""
    selection, chosen = trainer.selection
    return {
        "selection": selection,
        "chosen_step": chosen,
        "steps": trainer.step,
        "wall_s": round(trainer.seconds, 1),
    }


def write_results(run: Run, fitted: Fitted, task: Task, facts: Mapping[str, Any]) -> dict[str, str]:
    """Write `predictions.parquet`, `sample.npz`, what the model can tell or show beside them, and `summary.json`.

    That is `words.json`, `translations.npz` or `searches.npz`. The last of them all marks the run as finished. A
    piece that fails costs neither the others nor the model: `summary.json` keeps what happened under `failed`.

    Args:
        run: where.
        fitted: the trained model.
        task: what it was trained for.
        facts: see `training_facts`.

    Returns:
        What failed: for each piece, the traceback.

    Raises:
        WorkError: if the system will not write a file.
    """
    attempts = _Attempts()
    targets = {r: d for r, d in task.domains().items() if r in TARGET_ROLES}
    seen = attempts("the answers", lambda: _seen(fitted, targets)) or {}
    own = attempts("the source's answers", lambda: _of_source(fitted, task)) if seen else None
    if seen:
        shown = "target_test" if "target_test" in targets else "target"
        pieces = {
            run.predictions_path: lambda: _predictions(fitted, task, targets, seen, own),
            run.sample_path: lambda: _saver(
                _sample(fitted, task.source, targets[shown], seen[shown], getattr(task.hidden, shown))
            ),
            run.words_path: lambda: _json_saver(words_of_run(fitted, task, shown, seen[shown].logits)),
            run.translations_path: lambda: _saver(translations_of_run(fitted, task)),
            run.searches_path: lambda: _saver(searches_of_run(fitted, task)),
        }
        for path, piece in pieces.items():
            if (write := attempts(path.name, piece)) is not None:
                run.write(path, write)
    scores = attempts("the scores", lambda: _scores(fitted, task, seen, own)) if seen else None
    told = attempts("the estimate", lambda: estimate_of_run(run, fitted, task, seen, own)) if seen else None
    beside = run.folder.name in _BESIDE or fitted.plan.method.problem != "adaptation"
    sides = None if beside else attempts("the diagnosis", lambda: _glance(task))
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    failed = {"failed": attempts.failed} if attempts.failed else {}
    found = {name: value for name, value in (("estimate", told), ("diagnosis", sides)) if value}
    run.finish({"scores": scores or {}, **found, **facts, "finished": finished, **failed})
    return attempts.failed


class _Attempts:
    """Pieces of work, each tried by itself."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}

    def __call__(self, name: str, work: Callable[[], _T]) -> _T | None:
        """What it gives; None, with the traceback in `failed`, if it fails."""
        try:
            return work()
        except WorkError:  # of the disk, say: `resume` begins with this very step again
            raise
        # Whatever it is: hours of training are worth more than a picture of them.
        except Exception:
            self.failed[name] = traceback.format_exc()
            return None


def _seen(fitted: Fitted, targets: Mapping[str, Domain]) -> dict[str, Outputs]:
    return {role: fitted.outputs(domain, keep_features=False) for role, domain in targets.items()}


def _predictions(
    fitted: Fitted, task: Task, targets: Mapping[str, Domain], seen: Mapping[str, Outputs], own: Outputs | None
) -> Callable[[Path], None]:
    if problem_called(fitted.plan.method.problem).asks_number:
        return number_tables(task, targets, seen, own).write_parquet
    tables = [
        prediction_table(role, domain, softmax(seen[role].logits), task.classes, getattr(task.hidden, role))
        for role, domain in targets.items()
    ]
    return pl.concat(tables).write_parquet


def _glance(task: Task) -> dict[str, Any] | None:
    """What the two sides show before any training."""
    from acclimate.running.diagnosing import glance  # scikit-learn takes a second to load

    return glance(task.source, task.target)


def _of_source(fitted: Fitted, task: Task) -> Outputs | None:
    """What the model says of held-out source examples, where it is about the same classes."""
    known = any(getattr(task.hidden, role) is not None for role in TARGET_ROLES)
    asked = fitted.plan.method.problem in ("adaptation", "regression")
    if task.source_test is None or not (known or asked):
        return None
    return fitted.outputs(task.source_test, "source", keep_features=False)


def _scores(fitted: Fitted, task: Task, targets: Mapping[str, Outputs], own: Outputs | None) -> dict[str, float]:
    """Scores by role, and the problem's own."""
    assert task.hidden is not None
    problem, seen = problem_called(fitted.plan.method.problem), dict(targets)
    known = {role: y for role in targets if (y := task.hidden.answers(role)) is not None}
    # Where classes are asked for, an accuracy on the source alone would pass for one on the target.
    if task.source_test is not None and own is not None and (known or problem.asks_number):
        seen["source_test"] = own
        known["source_test"] = task.source_test.answers
    return problem.scored(seen, known) | problem.scores(fitted, task)


def _json_saver(value: Any) -> Callable[[Path], None] | None:
    """Writes a value that there is."""
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"
    return lambda path: _write_text(path, text)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _saver(arrays: dict[str, np.ndarray] | None) -> Callable[[Path], None] | None:
    """Writes arrays that there are."""
    return None if arrays is None else lambda path: _save(path, arrays)


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
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
    sides: tuple[tuple[Side, Domain], ...] = (
        ("source", source.take(from_source)),
        ("target", target.take(from_target)),
    )
    features = [fitted.outputs(domain, side).features for side, domain in sides if len(domain)]
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
    same = source.kind == target.kind == "features" and source.width == target.width
    if not (fitted.plan.method.problem == "retrieval" and same):
        return None
    return np.concatenate([fitted.plan.preprocess.of(s).batch(d.inputs[:], None).numpy() for s, d in sides])


def narrowed(features: np.ndarray) -> np.ndarray:
    """Features `(n, d)`, or where d > n their n coordinates in the space they span: every distance is the same.

    From Xᵀ = Q R follows X Xᵀ = Rᵀ R. Counts of words would otherwise fill the disk with columns.
    """
    n, d = features.shape
    return features if d <= n else np.asarray(np.linalg.qr(features.T, mode="r")).T
