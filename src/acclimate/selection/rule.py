"""Which of several trained models to use, where no target label is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acclimate.selection.evidence import LEAST_TARGET, Candidate, check_candidates
from acclimate.selection.scored import scored

# Standard errors by which a candidate's answers must lie closer together than the baseline's; of 400 examples at most
# (`scores.structure.tighter`), and adjusted mutual information with the clusters there, below which these are no
# classes. Set on the bank and two sets of fresh tasks (decision 27).
TIGHTER, FOLLOWED = 2.0, 0.15

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        name: of the chosen candidate.
        baseline: of the one that is taken where evidence is weak.
        guarded: whether the guard fired, so that the baseline is used for want of evidence.
        reasons: sentences, the first of them as a headline.
        scores: of each candidate by its name, as `scored` gives them; NaN where one cannot be told.
    """

    name: str
    baseline: str
    guarded: bool
    reasons: tuple[str, ...]
    scores: Mapping[str, Scores]


def choose(candidates: Sequence[Candidate], baseline: str, explaining: str = "") -> Choice:
    """Choose between candidates by what they showed without target labels.

    Of the candidates that pass the guard (`passes`), the one whose answers follow the clusters of the baseline's
    features most closely; if none does, the baseline. Why so: docs/decisions/0027-choice.md.

    Args:
        candidates: of one task, each with at least two copies if it is to be taken.
        baseline: the name of the one without adaptation.
        explaining: name of the method that undoes all of the shift that a diagnosis found, of few columns: its
            candidate is taken where anything can be told. Empty without one.

    Raises:
        RequestError: if the baseline is not among the candidates, or they are not of one task.
    """
    candidates = tuple(candidates)
    check_candidates(candidates, baseline)
    scores = scored(candidates, next(c for c in candidates if c.name == baseline))
    if why := _silent(candidates, scores[baseline], baseline):
        return Choice(baseline, baseline, True, (f"{baseline} is used: {why}.",), scores)
    if name := next((c.name for c in candidates if c.method == explaining and c.sound), ""):
        return Choice(name, baseline, name == baseline, _explained(name), scores)
    name = decided(scores, baseline)
    return Choice(name, baseline, name == baseline, _reasons(name, baseline, scores), scores)


def decided(scores: Mapping[str, Scores], baseline: str) -> str:
    """The rule itself, on scores alone: the name of the candidate that is to be used.

    Args:
        scores: of each candidate, the baseline among them.
        baseline: its name.
    """
    passed = [name for name in scores if name != baseline and passes(scores[name], scores[baseline])]
    return max(passed, key=lambda name: scores[name]["clusters there"], default=baseline)


def passes(own: Scores, baseline: Scores) -> bool:
    """Whether evidence allows a candidate to be used instead of the baseline.

    In the baseline's features, which the candidate had no part in, its answers must lie closer together than the
    baseline's own, beyond chance, and follow the clusters there at least as closely, and so closely that these can be
    classes.
    What cannot be told does not pass, nor does a candidate or a baseline that was trained once.
    """
    if math.isnan(own["seed agreement"] + baseline["seed agreement"]):
        return False
    return own["tighter there"] >= TIGHTER and own["clusters there"] >= max(baseline["clusters there"], FOLLOWED)


def _silent(candidates: tuple[Candidate, ...], baseline: Scores, name: str) -> str:
    """Why nothing can be told at all; empty where something can."""
    m = len(candidates[0].copies[0].target_scores)
    if m < LEAST_TARGET:
        return f"nothing can be told from {m} target examples, {LEAST_TARGET} are the least"
    if len(candidates) == 1:
        return "it is the only candidate"
    if not any(candidate.sound for candidate in candidates if candidate.name != name):
        return "every other candidate diverged"
    if not next(candidate for candidate in candidates if candidate.name == name).sound:
        return "it diverged, so that no other can be held against it; train it anew"
    if baseline["DoC"] != baseline["DoC"]:
        return "no labelled source example was kept to measure by"
    if baseline["seed agreement"] != baseline["seed agreement"]:
        return f"{name} was trained once, and one copy shows too little"
    if baseline["silhouette there"] != baseline["silhouette there"]:
        return f"features of {name} were not kept; its run has to be trained anew, or its weights to be there"
    return ""


def _explained(name: str) -> tuple[str, ...]:
    return (
        f"{name} is used: what it undoes explains all of the shift between the two sides, as a diagnosis tells.",
        "That is believed of few columns alone, where it looks at all there is. Where the same inputs mean other "
        "classes on the target it is wrong: forty labels tell.",
    )


def _reasons(name: str, baseline: str, scores: Mapping[str, Scores]) -> tuple[str, ...]:
    least = scores[baseline]
    if name == baseline:
        return (
            f"{baseline} is used: no candidate shows that it is better.",
            f"Seen in {baseline}'s features, the answers of none lie closer together beyond chance, and follow the "
            f"clusters there as closely and well enough for these to be classes ({FOLLOWED} of adjusted mutual "
            "information).",
        )
    own = scores[name]
    return (
        f"{name} is used: seen in {baseline}'s features, its answers lie closer together than {baseline}'s own, by "
        f"{own['tighter there']:.1f} standard errors.",
        f"They follow the clusters there more closely, by {own['clusters there']:.2f} against "
        f"{least['clusters there']:.2f} (adjusted mutual information).",
    )
