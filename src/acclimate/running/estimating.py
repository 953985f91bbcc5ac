"""How often a run is right, estimated without a target label: on its own target, and on examples that come later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import polars as pl

from acclimate.data.task import Task
from acclimate.running.parts import some_rows
from acclimate.runs.configuration import Told
from acclimate.runs.record import Run
from acclimate.selection.estimates import CannotTell, Estimate, estimate
from acclimate.selection.evidence import Calibration, Candidate, Evidence
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED, Outputs

# Methods of other problems answer no classes of their own, or learn from target labels.
_PROBLEM, _SPLIT = "adaptation", "target"
# Digits that an estimate has, and more classes than a person would read.
_DIGITS, _MOST_CLASSES = 4, 100
# Examples of a batch that an estimate looks at: shares of so many are known to half a point.
_MOST = 10_000


def estimate_of_run(
    run: Run, fitted: Fitted, task: Task, seen: Mapping[str, Outputs], own: Outputs | None
) -> dict[str, Any] | None:
    """The estimate of a run as JSON values: `value`, `low`, `high`, `confidence` and `by_class`, or `cannot_tell`.

    Held against the answers of what was trained beside it without adaptation, where that is there; not against those
    of a model it began with, which is no second opinion. Of `by_class`, what cannot be told is null. `calibration` is
    all that other examples are estimated by later.

    Args:
        run: whose baseline is finished, if it has one.
        fitted: its model.
        task: what it was trained for; none of its target labels is looked at.
        seen: what the model says of the target, by role.
        own: what it says of held-out source examples; None where there are none.

    Returns:
        The estimate; None for methods of other problems, and where target labels were trained on.
    """
    granted = task.target.labels_granted and task.target.num_labelled
    if fitted.plan.method.problem != _PROBLEM or granted:
        return None
    logits = seen[_SPLIT].logits
    labels = np.zeros(0, dtype=np.int64) if task.source_test is None or own is None else task.source_test.labels
    known = labels != UNLABELLED
    of_source = own.logits[known] if own is not None and len(labels) else np.zeros((0, logits.shape[1]))
    shown = Evidence(labels[known], of_source, logits)
    calibration = {"calibration": asdict(shown.of_source)} if shown.of_source.n and not shown.failed else {}
    return _facts(estimate(Candidate("run", (shown,)), _beside(run, logits))) | calibration


def estimate_of_examples(
    run: Run, logits: np.ndarray, without: Callable[[np.ndarray], np.ndarray] | None
) -> dict[str, Any] | None:
    """The same for other examples than a run was trained for, by what it kept of its held-out source examples.

    Args:
        run: finished.
        logits: what its model says of them, `(m, k)`; of many a part is looked at.
        without: gives what its baseline says of some rows of them; None without one.

    Returns:
        All of `runs.configuration.Told` but the calibration; None where the run itself has no estimate.
    """
    told = (run.summary or {}).get("estimate")
    if told is None:
        return None
    if (kept := told.get("calibration")) is None:
        why = told["cannot_tell"] or "the run is of an acclimate that kept nothing to calibrate by; train it anew"
        found = {"cannot_tell": why}
    else:
        rows = some_rows(len(logits), _MOST)
        shown = replace(_of_target(logits[rows]), calibration=Calibration(**kept))
        other = None if without is None or _began(run) else Candidate("baseline", (_of_target(without(rows)),))
        found = _facts(estimate(Candidate("run", (shown,)), other))
    return Told.model_validate(found).model_dump(exclude={"calibration"})


def _beside(run: Run, logits: np.ndarray) -> Candidate | None:
    """The baseline's answers on the same target examples; its source ones play no part."""
    if run.baseline is None or _began(run) or not run.baseline.predictions_path.is_file():
        return None
    table = pl.read_parquet(run.baseline.predictions_path, columns=["split", "probabilities"])
    p = np.array(table.filter(pl.col("split") == _SPLIT)["probabilities"].to_list(), dtype=np.float64)
    if p.shape != logits.shape:
        return None
    return Candidate("baseline", (_of_target(np.log(np.maximum(p, 1e-30))),))


def _began(run: Run) -> bool:
    """Whether the run's baseline is the model that it began with: what the two have in common tells nothing."""
    return bool(run.config.get("begun_from"))


def _of_target(scores: np.ndarray) -> Evidence:
    """What a model says of the target alone."""
    return Evidence(np.zeros(0, dtype=np.int64), np.zeros((0, scores.shape[1])), scores)


def _facts(told: Estimate | CannotTell) -> dict[str, Any]:
    if isinstance(told, CannotTell):
        return {"cannot_tell": told.reason}
    classes = told.by_class if len(told.by_class) <= _MOST_CLASSES else ()
    return {
        **_ends(told),
        "confidence": told.confidence,
        "by_class": [None if isinstance(one, CannotTell) else _ends(one) for one in classes],
    }


def _ends(told: Estimate) -> dict[str, float]:
    return {name: round(getattr(told, name), _DIGITS) for name in ("value", "low", "high")}
