"""Which of several trained models to use, where no target label is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from acclimate.selection.evidence import LEAST_TARGET, Candidate, check_candidates
from acclimate.selection.scores.agreement import seed_agreement
from acclimate.selection.scores.confidence import difference_of_confidences

_FAVOURITE = "mcc"


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        name: of the chosen candidate.
        floor: of the one that is taken where evidence is weak.
        guarded: whether the guard fired, so that the floor is used for want of evidence.
        reasons: in words, the first of them as a headline.
        scores: of each candidate by its name: scores by theirs, NaN where one cannot be told.
    """

    name: str
    floor: str
    guarded: bool
    reasons: tuple[str, ...]
    scores: Mapping[str, Mapping[str, float]]


def choose(candidates: Sequence[Candidate], floor: str) -> Choice:
    """Choose between candidates by what they showed without target labels.

    Args:
        candidates: of one task, each with at least two copies if it is to be taken.
        floor: the name of the one without adaptation.

    Raises:
        RequestError: if the floor is not among the candidates, or they are not of one task.
    """
    candidates = tuple(candidates)
    check_candidates(candidates, floor)
    scores = {candidate.name: _scores(candidate) for candidate in candidates}

    def guarded(why: str) -> Choice:
        return Choice(floor, floor, True, (f"{floor} is used: {why}.",), scores)

    if (m := len(candidates[0].copies[0].target_scores)) < LEAST_TARGET:
        return guarded(f"{m} target examples are too few to tell, {LEAST_TARGET} are the least")
    least = scores[floor]
    for candidate in candidates:
        if candidate.method != _FAVOURITE:
            continue
        own = scores[candidate.name]
        if own["seed agreement"] >= least["seed agreement"] and own["DoC"] >= least["DoC"]:
            words = f"its copies agree on {own['seed agreement']:.0%} of the target, {floor}'s on "
            why = words + f"{least['seed agreement']:.0%}, and its confidence has fallen no further"
            return Choice(candidate.name, floor, False, (f"{candidate.name} is used: {why}.",), scores)
    return guarded("no candidate shows both copies that agree as often and as much confidence")


def _scores(candidate: Candidate) -> dict[str, float]:
    copies = candidate.sound
    known = [copy for copy in copies if len(copy.source_labels)]
    doc = [difference_of_confidences(c.source_scores, c.source_labels, c.target_scores) for c in known]
    return {
        "seed agreement": seed_agreement([c.target_scores for c in copies]) if len(copies) > 1 else float("nan"),
        "DoC": float(np.mean(doc)) if doc else float("nan"),
    }
