"""What became of examples that a model answered while it adapted, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate.metrics.intervals import mcnemar_p, paired_interval
from acclimate.reports.answers import Answers, Model
from acclimate.reports.told import Tile, Verdict
from acclimate.reports.verdict import SIGNIFICANT, meaning, score
from acclimate.reports.wording import counted, percent, points

_NUMBERS = {1: "once", 2: "twice"}


def guarded(facts: Mapping[str, Any]) -> str:
    """What the guard did, as a clause; empty if nothing.

    Args:
        facts: what `training.online.Adapting.facts` says.
    """
    resets, title = facts["resets"], facts["title"]
    if facts["stopped"] and not resets:
        return f"the guard had stopped {title} before"
    if not resets:
        return ""
    number, of = resets[-1]["batch"] - facts["first_batch"] + 1, facts["batches"]
    if facts["stopped"]:
        return f"the guard stopped {title} at batch {number:,} of {of:,}"
    return f"the guard reset {title} {_NUMBERS.get(len(resets), '')}, last at batch {number:,} of {of:,}"


def reasons(facts: Mapping[str, Any]) -> list[str]:
    """Why the guard stepped in the last time, and whose the answers are, a sentence each."""
    told = [f"The guard's reason: {facts['resets'][-1]['why']}."] if facts["resets"] else []
    if (as_it_is := facts["examples"] - facts["adapted"]) > 0:
        share = percent(as_it_is / facts["examples"])
        told.append(f"{counted(as_it_is, 'answer')} ({share}) are those of the model as it is.")
    return told


def answered(facts: Mapping[str, Any]) -> str:
    """What was done, where nobody knows the right answers; the guard's doing first."""
    if said := guarded(facts):
        return f"{said[0].upper()}{said[1:]}; the run is unchanged"
    if not facts["adapted"]:
        return f"{_too_small(facts)}; the run is unchanged"
    return (
        f"{facts['title']} adapted a copy of the model over {counted(facts['batches'], 'batch', 'batches')}; "
        "the run is unchanged"
    )


def _too_small(facts: Mapping[str, Any]) -> str:
    """That no batch had as many examples as the method needs to do anything."""
    return f"{facts['title']} adapted nothing, as its batches are too small"


def scored(facts: Mapping[str, Any], answers: Answers, before_model: Model) -> Verdict:
    """What adapting did to answers that are known to be right or wrong; each was given before it was learnt from.

    Args:
        facts: as for `guarded`.
        answers: with labels.
        before_model: the run's model as it is.
    """
    after, after_ends = score(answers, answers.after)
    before, before_ends = score(answers, before_model)
    right, was_right = answers.right(answers.after), answers.right(before_model)
    mended, broken = int((right & ~was_right).sum()), int((~right & was_right).sum())
    p = mcnemar_p(mended, broken)
    ends = paired_interval(mended, broken, answers.num_known)
    reach = f"95\u00a0% interval {points(ends[0])} to {points(ends[1])}"
    said = guarded(facts) or ("" if facts["adapted"] else _too_small(facts))
    return Verdict(
        f"{_effect(before, after, p)}: {percent(after)} right while it adapted, {percent(before)} as it is"
        + (f"; {said}" if said else ""),
        (
            f"Scored on the {counted(answers.num_known, 'labelled example')} given, each answered before it was "
            f"learnt from: {percent(after)} right ({after_ends}). The run's model as it is, which stays so, is right "
            f"on {percent(before)} ({before_ends}).",
            f"{facts['title']} mended {counted(mended, 'wrong answer')} and broke {counted(broken, 'right one')}, a "
            f"difference of {points(after - before)} percentage points ({reach}). {meaning(p)}",
            "Another order of the examples gives another number.",
        ),
        (
            Tile("As it is", percent(before), before_ends),
            Tile(facts["title"], percent(after), after_ends),
            Tile("Difference, in points", points(after - before), reach),
        ),
    )


def _effect(before: float, after: float, p: float) -> str:
    if p >= SIGNIFICANT:
        return "Adapting made no clear difference"
    return f"Adapting {'helped' if after > before else 'hurt'}"
