"""Answers to a table of any size, read, encoded, answered and written part by part; the same as those of the whole.

Networks see the batches that they would see of the whole table (`streams.order.edges`): rounding depends on how many
examples are answered together.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.readers.survey import Surveyed, joined
from acclimate.runs.answer_parts import AnswerParts
from acclimate.runs.manifest import file_hash
from acclimate.runs.predictions import prediction_table
from acclimate.runs.record import Run
from acclimate.streams.order import edges
from acclimate.training import checkpoints, inference
from acclimate.training.fitted import Fitted, softmax
from acclimate.training.hooks import Progress
from acclimate.training.trainer import Interrupted

PART = 2**16  # answers that are written together, or a few fewer, as batches stay whole


@dataclass(frozen=True)
class Answered:
    """What is told of answers that were written.

    Attributes:
        rows: how many there are.
        predicted: how often each class was answered, the most frequent first.
        notes: what a user should know of the data.
    """

    rows: int
    predicted: dict[str, int]
    notes: list[str]


def answer(
    run: Run,
    fitted: Fitted,
    table: Surveyed,
    output: Path,
    *,
    progress: Callable[[Progress], None] = lambda progress: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Answered:
    """Answer a table and write the answers, each part of them at once.

    Args:
        run: whose model answers; its weights tell whether parts from before are its own.
        fitted: that model.
        table: what is to be answered.
        output: .csv or .parquet, as `write_predictions` writes it.
        progress: told how many rows are answered.
        stopped: asked between parts whether to stop.

    Raises:
        DataError: if the model cannot answer such data; before anything is written.
        RequestError: if answers to other data, or of another run, were begun under that name.
        Interrupted: if stopped; the parts that are written stay, and the same call goes on.
    """
    preprocess = fitted.plan.preprocess.of("target")
    assert isinstance(preprocess, Preprocess)
    notes = [*table.notes, *preprocess.told(table.missing, table.least)]
    batches = edges(table.rows, inference.examples_at_once(fitted.plan.options))
    ends = _ends(batches, PART)
    parts = AnswerParts(output, _facts(run, table, ends))
    done = parts.begin()
    left = ends[done:]
    portions = _cut(table.domains(int(left[0])), left)
    for start, end in itertools.pairwise(left.tolist()):
        progress(Progress("Answering", start, table.rows, {}))
        if stopped():
            raise Interrupted(start, table.rows)
        own = batches[(batches >= start) & (batches <= end)]
        parts.add(_answered(fitted, next(portions), start, own))
    counts = Counter[str]()
    for frame in parts.frames():
        counts.update(dict(frame["predicted"].value_counts().iter_rows()))
    parts.finish()
    return Answered(table.rows, dict(counts.most_common()), notes)


def _ends(batches: np.ndarray, part: int) -> np.ndarray:
    """Where parts of whole batches begin, and where the last one ends."""
    per_part = max(1, part // int(np.diff(batches).max()))
    return np.unique(np.append(batches[::per_part], batches[-1]))


def _facts(run: Run, table: Surveyed, ends: np.ndarray) -> dict[str, Any]:
    """What the answers follow from, and how they are cut."""
    return {
        "data": {str(file): file_hash(file) for file in table.parts.files},
        "weights": file_hash(checkpoints.of_run(run)),
        "schema": table.schema.model_dump(mode="json"),
        "ends": ends.tolist(),
    }


def _answered(fitted: Fitted, part: Domain, row: int, batches: np.ndarray) -> pl.DataFrame:
    """The answers to a part that begins with that row, in batches that begin with those."""
    probabilities = softmax(fitted.logits(part, batches - row))
    frame = prediction_table("data", part, probabilities, fitted.plan.classes, None).drop("split", "label")
    return frame.with_columns(pl.col("row") + row)


def _cut(domains: Iterator[Domain], ends: np.ndarray) -> Iterator[Domain]:
    """Examples in other portions: those from each of these rows to the next."""
    held: list[Domain] = []
    for size in np.diff(ends).tolist():
        while sum(map(len, held)) < size:
            held.append(next(domains))
        whole = joined(held)
        yield whole.take(slice(0, size))
        held = [whole.take(slice(size, None))]
