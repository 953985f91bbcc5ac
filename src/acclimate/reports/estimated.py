"""What was estimated of a run's accuracy without a target label, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from acclimate.reports.audited import ends
from acclimate.reports.told import Tile, Verdict
from acclimate.runs.chosen import read_chosen
from acclimate.runs.record import Run

_UNKNOWN = "Target accuracy"


def with_estimate(verdict: Verdict, run: Run) -> Verdict:
    """The verdict on a run that no label scored, beginning with its estimated accuracy where the run has one.

    A run that was chosen among others is told of with them, by what more than one copy showed.

    Args:
        verdict: the run's.
        run: whose it is.

    Raises:
        WorkError: if what was written about a choice is damaged.
    """
    told = (run.summary or {}).get("estimate")
    if told is None or read_chosen(run) is not None:
        return verdict
    tiles = verdict.tiles
    if told["value"] is not None:
        tile = Tile(f"{_UNKNOWN}, estimated", ends(_of(told)), "without a label: a rough figure")
        tiles = (tile, *(one for one in tiles if one.name != _UNKNOWN))
    return replace(verdict, sentences=(in_words(told), *verdict.sentences), tiles=tiles)


def in_words(told: Mapping[str, Any]) -> str:
    """The estimate as a sentence.

    Args:
        told: `estimate` of `summary.json`.
    """
    if told["value"] is None:
        return f"How often its answers are right cannot be told: {told['cannot_tell']}."
    return (
        f"About {ends(_of(told))} of its answers are likely to be right: estimated from confidence, accuracy on the "
        "source and agreement of models, without a target label. A rough figure: eight in ten such intervals held on "
        "tasks that had no part in making them."
    )


def beside_truth(told: Mapping[str, Any]) -> str:
    """What would have been said without the labels that the accuracy is by."""
    if told["value"] is None:
        return f"Without these labels it could not be told: {told['cannot_tell']}."
    return f"Without these labels it would have been estimated at {ends(_of(told))}."


def _of(told: Mapping[str, Any]) -> tuple[float, float, float]:
    return told["value"], told["low"], told["high"]
