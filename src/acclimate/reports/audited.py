"""What an audit told, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from acclimate.reports.told import Tile, Verdict
from acclimate.reports.wording import points
from acclimate.runs.audits import Found, latest_found
from acclimate.runs.record import Run


def ends(accuracy: Sequence[float]) -> str:
    """`"87 % (79 to 93)"` of a value and the ends of its interval."""
    value, low, high = (f"{100 * share:.0f}" for share in accuracy)
    return f"{value}\u00a0% ({low} to {high})"


def points_of(gain: Sequence[float]) -> str:
    """`"+3.2 points (−1.0 to +7.5)"` likewise."""
    value, low, high = map(points, gain)
    return f"{value} points ({low} to {high})"


def headline(found: Found) -> str:
    """The accuracy, how sure it is, and by what."""
    return f"Accuracy about {ends(found.accuracy)}, by {found.labels:,} audited labels"


def choice(found: Found) -> str:
    """Which model to take, and why."""
    if found.choice == found.first:
        return f"Take {found.first}: by these labels none is clearly better."
    return f"Take {found.choice}: by these labels it is better than {found.first}."


def with_audit(verdict: Verdict, run: Run, *, scored: bool) -> Verdict:
    """A verdict that begins with what the run's latest audit told, if there was one.

    Args:
        verdict: the run's.
        run: whose it is.
        scored: whether known labels scored the run already; then the audit comes second.

    Raises:
        WorkError: if what the audit told has been changed since.
    """
    found = latest_found(run)
    if found is None:
        return verdict
    tile = Tile("Target accuracy, audited", ends(found.accuracy), f"95\u00a0% interval, {found.labels:,} labels")
    if scored:
        return replace(verdict, sentences=(*verdict.sentences, *_sentences(found)), tiles=(*verdict.tiles, tile))
    tiles = tuple(one for one in verdict.tiles if one.name != "Target accuracy")
    return Verdict(headline(found), _sentences(found), (tile, *tiles))


def _sentences(found: Found) -> tuple[str, ...]:
    of = "held-out target examples" if found.split == "target_test" else "target examples"
    drawn = (
        f"{found.labels:,} of {found.examples:,} {of} were drawn at random, more of them where models are doubtful, "
        f"and labelled: {ends(found.accuracy)} right. The interval rests on the draw alone and holds whatever the "
        "model is like; these labels trained nothing."
    )
    if found.before is None or found.gain is None:
        return (drawn,)
    compared = f"{found.first} is right on {ends(found.before)}, a difference of {points_of(found.gain)}."
    return drawn, f"By the same labels {compared} {choice(found)}"
