"""How a run's own data were read, so that further data are read the same way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from acclimate.data.bins import Bins, read_bins
from acclimate.data.schema import Schema, TextSchema, read_schema
from acclimate.runs.record import Run
from acclimate.types import Side


@dataclass(frozen=True)
class Reading:
    """What `readers.read` is told about data that have to match others.

    Attributes:
        like: what the columns mean; None if there are none.
        bins: the ranges of a numeric label that the classes are, or how many to make; None for classes.
        white: what float pixels have for white, by side, where that was told by the data.
        classes: the classes that labels have to be among, in their order; None if labels make the classes.
    """

    like: Schema | None = None
    bins: Bins | int | None = None
    white: dict[Side, float] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None


def reading_of(run: Run) -> Reading:
    """That of a run, of its target where the sides have columns of their own."""
    task, preprocess = run.config["task"], run.config["preprocess"]
    schema = task.get("schema")
    of_texts = preprocess.get("kind") == "text"
    return Reading(
        read_schema(schema) if schema else TextSchema() if of_texts else None,
        read_bins(task.get("bins")),
        {side: white for side in ("source", "target") if (white := _white(preprocess, side))},
        tuple(task["classes"][: task["num_classes"]]),
    )


def _white(preprocess: dict[str, Any], side: Side) -> float | None:
    return (preprocess.get(side, preprocess).get("white") or {}).get(side)
