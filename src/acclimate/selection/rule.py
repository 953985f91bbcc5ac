"""Which of several trained models to use, where no target label is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acclimate.selection.evidence import LEAST_TARGET, Candidate, check_candidates
from acclimate.selection.scored import scored

# Class proportions that seem to have moved by no more than this speak for adapting; set on the bank (decision 27).
STEADY = 0.2

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        name: of the chosen candidate.
        floor: of the one that is taken where evidence is weak.
        guarded: whether the guard fired, so that the floor is used for want of evidence.
        reasons: sentences, the first of them as a headline.
        scores: of each candidate by its name, as `scored` gives them; NaN where one cannot be told.
    """

    name: str
    floor: str
    guarded: bool
    reasons: tuple[str, ...]
    scores: Mapping[str, Scores]


def choose(candidates: Sequence[Candidate], floor: str) -> Choice:
    """Choose between candidates by what they showed without target labels.

    Of the candidates that pass the guard (`passes`), the one with the highest expected accuracy; if none does, the
    floor. Why so: docs/decisions/0027-choice.md.

    Args:
        candidates: of one task, each with at least two copies if it is to be taken.
        floor: the name of the one without adaptation.

    Raises:
        RequestError: if the floor is not among the candidates, or they are not of one task.
    """
    candidates = tuple(candidates)
    check_candidates(candidates, floor)
    scores = scored(candidates, next(c for c in candidates if c.name == floor))
    if why := _silent(candidates, scores[floor], floor):
        return Choice(floor, floor, True, (f"{floor} is used: {why}.",), scores)
    name = decided(scores, floor)
    return Choice(name, floor, name == floor, _reasons(name, floor, scores), scores)


def decided(scores: Mapping[str, Scores], floor: str) -> str:
    """The rule itself, on scores alone: the name of the candidate that is to be used.

    Args:
        scores: of each candidate, the floor among them.
        floor: its name.
    """
    passed = [name for name in scores if name != floor and passes(scores[name], scores[floor])]
    return max(passed, key=lambda name: scores[name]["expected accuracy"], default=floor)


def passes(own: Scores, floor: Scores) -> bool:
    """Whether evidence allows a candidate to be used instead of the floor.

    Either it is expected to be right at least as often and is at least as confident, or class proportions seem to
    have stayed and its copies agree at least as often. What cannot be told does not pass.
    """

    def holds(*names: str) -> bool:
        return all(own[name] >= floor[name] for name in names)

    steady = floor["moved proportions"] <= STEADY
    return holds("expected accuracy", "confidence") or (steady and holds("seed agreement"))


def _silent(candidates: tuple[Candidate, ...], floor: Scores, name: str) -> str:
    """Why nothing can be told at all; empty where something can."""
    m = len(candidates[0].copies[0].target_scores)
    if m < LEAST_TARGET:
        return f"nothing can be told from {m} target examples, {LEAST_TARGET} are the least"
    if not any(candidate.sound for candidate in candidates if candidate.name != name):
        return "every other candidate diverged"
    if not next(candidate for candidate in candidates if candidate.name == name).sound:
        return "it diverged, so that no other can be held against it; train it anew"
    if floor["DoC"] != floor["DoC"]:
        return "no labelled source example was kept to measure by"
    if floor["seed agreement"] != floor["seed agreement"]:
        return f"{name} was trained once, and what copies agree on is the evidence"
    return ""


def _reasons(name: str, floor: str, scores: Mapping[str, Scores]) -> tuple[str, ...]:
    least = scores[floor]
    moved = f"class proportions of the target seem to lie {least['moved proportions']:.0%} from the source's"
    if name == floor:
        return (f"{floor} is used: no candidate shows that it is better.", f"{moved[0].upper()}{moved[1:]}.")
    own = scores[name]
    facts = [
        f"its copies agree on {own['seed agreement']:.0%} of the target, {floor}'s on {least['seed agreement']:.0%}",
        f"it is {own['confidence']:.0%} confident there on average, {floor} {least['confidence']:.0%}",
    ]
    return (
        f"{name} is used: {facts[0]}.",
        f"{facts[1][0].upper()}{facts[1][1:]}.",
        f"{moved[0].upper()}{moved[1:]}.",
    )
