"""How often a finished run is right on the target, estimated without a target label, for its `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from acclimate.data.task import Task
from acclimate.runs.record import Run
from acclimate.selection.estimates import CannotTell, Estimate, estimate
from acclimate.selection.evidence import Candidate, Evidence
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED, Outputs

# Methods of other problems answer no classes of their own, or learn from target labels.
_PROBLEM, _SPLIT = "adaptation", "target"
# Digits that an estimate has, and more classes than a person would read.
_DIGITS, _MOST_CLASSES = 4, 100


def estimate_of_run(
    run: Run, fitted: Fitted, task: Task, seen: Mapping[str, Outputs], own: Outputs | None
) -> dict[str, Any] | None:
    """The estimate of a run as JSON values: `value`, `low`, `high`, `confidence` and `by_class`, or `cannot_tell`.

    Held against the answers of what was trained beside it without adaptation, where that is there. Of `by_class`,
    what cannot be told is null.

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
    told = estimate(Candidate("run", (Evidence(labels[known], of_source, logits),)), _beside(run, logits))
    return {"cannot_tell": told.reason} if isinstance(told, CannotTell) else _facts(told)


def _beside(run: Run, logits: np.ndarray) -> Candidate | None:
    """The baseline's answers on the same target examples; its source ones play no part."""
    if run.baseline is None or not run.baseline.predictions_path.is_file():
        return None
    table = pl.read_parquet(run.baseline.predictions_path, columns=["split", "probabilities"])
    p = np.array(table.filter(pl.col("split") == _SPLIT)["probabilities"].to_list(), dtype=np.float64)
    if p.shape != logits.shape:
        return None
    nothing = np.zeros(0, dtype=np.int64), np.zeros((0, p.shape[1]))
    return Candidate("baseline", (Evidence(*nothing, np.log(np.maximum(p, 1e-30))),))


def _facts(told: Estimate) -> dict[str, Any]:
    classes = told.by_class if len(told.by_class) <= _MOST_CLASSES else ()
    return {
        **_ends(told),
        "confidence": told.confidence,
        "by_class": [None if isinstance(one, CannotTell) else _ends(one) for one in classes],
    }


def _ends(told: Estimate) -> dict[str, float]:
    return {name: round(getattr(told, name), _DIGITS) for name in ("value", "low", "high")}
