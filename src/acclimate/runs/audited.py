"""Holding the labels of an audit against what was asked: what they tell of each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from acclimate.errors import RequestError
from acclimate.runs.answer_sheet import labels_of, read_sheet
from acclimate.runs.audits import FOUND, Answers, Asked, Found, asked_of, folder_of, write_record
from acclimate.runs.candidates import candidates
from acclimate.runs.record import Run
from acclimate.selection.audit import Audit


def answer(runs: Sequence[Run], path: Path) -> list[Found]:
    """Estimate by a filled-in CSV how often each run is right, and record it in the runs' folders.

    Args:
        runs: those that were audited, or some of them.
        path: of the CSV.

    Returns:
        What was found of each run, in their order.

    Raises:
        RequestError: if the runs were not audited so, or no longer have the answers that were.
        DataError: if a label is missing, twice there, or of an item that was not asked about.
        UnknownNameError: for a label that is no class.
    """
    code, given = read_sheet(path)
    asked = [asked_of(run, code) for run in runs]
    labels = labels_of(asked[0], given)
    known = {one.sha256 for one in asked[0].models}
    # A baseline that was not audited is none of those the user speaks of.
    models = [model for model in candidates(runs) if model.run in runs or model.sha256 in known]
    for model in models:
        _check_asked(model, asked[0])
    audit = Audit(np.stack([model.predicted for model in models]), asked[0].sample)
    found = [_found(asked[0], audit, models, place, labels) for place in (_place(models, run) for run in runs)]
    for run, one in zip(runs, found, strict=True):
        write_record(folder_of(run, code), FOUND, one)
    return found


def _place(models: Sequence[Answers], run: Run) -> int:
    return next(i for i, model in enumerate(models) if model.run is run)


def _check_asked(model: Answers, asked: Asked) -> None:
    if model.sha256 not in {one.sha256 for one in asked.models}:
        got = f"others in {model.run.predictions_path}"
        fix = "Audit it anew: the examples were chosen for other answers, or the run was not among those audited."
        raise RequestError("run", f"must have answers that audit {asked.code!r} was made for", got, fix)


def _found(asked: Asked, audit: Audit, models: Sequence[Answers], place: int, labels: np.ndarray) -> Found:
    return Found(
        answered=datetime.now(UTC).isoformat(),
        labels=len(labels),
        examples=asked.examples,
        split=asked.split,
        model=models[place].title,
        first=models[0].title,
        accuracy=astuple(audit.accuracy(labels, place)),
        before=astuple(audit.accuracy(labels)) if place else None,
        gain=astuple(audit.gain(labels, place)) if place else None,
        choice=models[audit.best(labels)].title,
    )
