"""How often a model is right on the target, estimated without a target label."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.selection.evidence import LEAST_TARGET, Candidate
from acclimate.selection.scored import difference
from acclimate.selection.scores.agreement import seed_agreement
from acclimate.selection.scores.confidence import probabilities

# A class that is answered less often is not told of.
LEAST_ANSWERS = 15
CONFIDENCE = 0.9
_CEILING = 1.2


@dataclass(frozen=True)
class Estimate:
    """A share of right answers, with an interval.

    Attributes:
        value: in [0, 1].
        low: lower end of the interval, in [0, 1].
        high: upper end.
        confidence: how often such intervals are to hold the truth.
        by_class: the same of the answers of each class, in the order of the classes: how often the model is right
            where it answers that class. Empty where it was not asked.
    """

    value: float
    low: float
    high: float
    confidence: float = CONFIDENCE
    by_class: tuple[Estimate | CannotTell, ...] = ()

    def __str__(self) -> str:
        return f"about {100 * self.value:.0f} % right ({100 * self.low:.0f} to {100 * self.high:.0f})"


@dataclass(frozen=True)
class CannotTell:
    """No estimate, and why: `reason` is a clause such as “only 12 target examples”."""

    reason: str

    def __str__(self) -> str:
        return f"cannot be told: {self.reason}"


def estimate(candidate: Candidate, baseline: Candidate | None = None) -> Estimate | CannotTell:
    """Accuracy on the target, from how models agree there, how sure they are, and how right they are on the source.

        ŷ = max((L S + L D + A S) / 3, R D)     where there are copies and another candidate
        ŷ = max((A S + A D) / 2, R D)           with copies alone
        ŷ = (L S + L D) / 2                     with one copy and another candidate
        ŷ = D                                   with one copy alone

    A is the share of the target that copies agree on, R that share over the source's, at most 1, L the share that is
    answered as by the other candidate, S accuracy on held-out source examples and D the difference of confidences.
    Where two models differ one is wrong; of what they agree on, S would be right if nothing were lost, and D if as
    much is as confidence says. Each of the two reckonings is too low where its own reason to doubt is none, so the
    larger is taken. The interval is from ŷ − a (1.2 − ŷ) to ŷ + b (1.2 − ŷ), a and b the 95 % quantiles of
    (ŷ − accuracy) / (1.2 − ŷ) and of its opposite over the tasks of the bank: the less is right, the less is known.

    Source: A from Jiang et al., ICLR 2022; D from Guillory et al., ICCV 2021; how they are put together is this
    project's, found on the bank (docs/decisions/0027-choice.md).

    Args:
        candidate: what it showed.
        baseline: another candidate of the same task: the baseline, or for the baseline one that adapts.

    Returns:
        The estimate; or that it cannot be told, where evidence is missing or the interval as wide as a guess, which
        is 0.9 (1 − 1 / k).
    """
    if why := unfounded(candidate):
        return CannotTell(why)
    other = None if baseline is None or baseline is candidate or not baseline.sound else baseline
    value, form = expected(candidate, other)
    k = candidate.copies[0].num_classes
    told = _within(value, form, k)
    if isinstance(told, CannotTell):
        return told
    classes = tuple(
        CannotTell(f"only {n} answers") if n < LEAST_ANSWERS else _within(v, "class", k)
        for v, n in zip(*expected_by_class(candidate, other, value), strict=True)
    )
    return Estimate(told.value, told.low, told.high, by_class=classes)


def unfounded(candidate: Candidate) -> str:
    """Why nothing can be told of a candidate; empty where something can."""
    if (m := len(candidate.copies[0].target_scores)) < LEAST_TARGET:
        return f"only {m} target example{'s' * (m != 1)}, where {LEAST_TARGET} are the least"
    if not candidate.sound:
        return "training diverged"
    if not all(copy.of_source.n for copy in candidate.sound):
        return "no labelled source example was set aside"
    return ""


def expected(candidate: Candidate, other: Candidate | None) -> tuple[float, str]:
    """ŷ, and the name of the form that it has; see `estimate`."""
    copies = candidate.sound
    right = float(np.mean([copy.source_accuracy for copy in copies]))
    sure = float(np.mean([difference(copy) for copy in copies]))
    like = None if other is None else alike(candidate, other)
    agreed = seed_agreement([copy.target_scores for copy in copies]) if len(copies) > 1 else None
    if agreed is None:
        return (sure, "one") if like is None else (like * (right + sure) / 2, "one and another")
    own = [copy.source_scores for copy in copies]
    kept = min(agreed / max(seed_agreement(own), 1e-9), 1.0)
    if like is None:
        return max(agreed * (right + sure) / 2, kept * sure), "copies"
    return max((like * (right + sure) + agreed * right) / 3, kept * sure), "copies and another"


def alike(candidate: Candidate, other: Candidate) -> float:
    """Share of the target that a copy of one answers as a copy of the other, the mean over all such pairs."""
    pairs = [(one.answers == two.answers).mean() for one in candidate.sound for two in other.sound]
    return float(np.mean(pairs))


def expected_by_class(candidate: Candidate, other: Candidate | None, value: float) -> tuple[list[float], list[int]]:
    """For each class, how often answers of it are right by the same reckoning, and how many there are.

    Agreement and confidence are those of the first copy's answers of the class; all are then scaled so that over the
    classes they come to `value`.
    """
    first = candidate.sound[0]
    sure = probabilities(first.target_scores, first.temperature).max(axis=1)
    same = [copy.answers == first.answers for copy in (*candidate.sound[1:], *(other.sound if other else ()))]
    kept = np.mean(same, axis=0) if same else np.ones(len(sure))
    weight = kept * (sure + first.source_accuracy) / 2
    scale = value / max(float(weight.mean()), 1e-9)
    counts = np.bincount(first.answers, minlength=first.num_classes)
    sums = np.bincount(first.answers, weights=weight, minlength=first.num_classes)
    return np.clip(scale * sums / np.maximum(counts, 1), 0, 1).tolist(), counts.tolist()


def _within(value: float, form: str, k: int) -> Estimate | CannotTell:
    """The interval around ŷ, or that it is no better than a guess."""
    below, above = spread(form)
    low, high = max(value - below * room(value), 0.0), min(value + above * room(value), 1.0)
    if high - low >= CONFIDENCE * (1 - 1 / k):
        return CannotTell(f"{100 * low:.0f} to {100 * high:.0f} % is no better than a guess between {k} classes")
    return Estimate(value, low, high)


def room(value: float | np.ndarray) -> Any:
    """1.2 − ŷ, which intervals widen with."""
    return _CEILING - value


def spread(form: str) -> tuple[float, float]:
    """The a and b of a form of the estimate: of those that `expected` names, or `"class"` for single classes."""
    below, above = _constants()["spread"][form]
    return float(below), float(above)


@cache
def _constants() -> dict[str, Any]:
    """What `benchmarks/bank.py fit` found, and on which tasks."""
    text = Path(__file__).with_name("constants.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
