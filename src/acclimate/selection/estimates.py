"""How often a model is right on the target, estimated without a target label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acclimate.selection.evidence import LEAST_TARGET, Candidate
from acclimate.selection.scores.agreement import seed_agreement
from acclimate.selection.scores.confidence import difference_of_confidences

# Half the width of an interval, in shares.
_HALF = 0.21


@dataclass(frozen=True)
class Estimate:
    """A share of right answers, with an interval.

    Attributes:
        value: in [0, 1].
        low: lower end of the interval, in [0, 1].
        high: upper end.
        confidence: how often such intervals are to hold the truth.
        by_class: the same of the answers of each class, in the order of the classes; empty where it was not asked.
    """

    value: float
    low: float
    high: float
    confidence: float = 0.9
    by_class: tuple[Estimate | CannotTell, ...] = ()

    def __str__(self) -> str:
        return f"about {100 * self.value:.0f} % right ({100 * self.low:.0f} to {100 * self.high:.0f})"


@dataclass(frozen=True)
class CannotTell:
    """No estimate, and why: `reason` is a clause such as “only 12 target examples”."""

    reason: str

    def __str__(self) -> str:
        return f"cannot be told: {self.reason}"


def estimate(candidate: Candidate, floor: Candidate | None = None) -> Estimate | CannotTell:
    """Accuracy of a candidate on the target: seed agreement × difference of confidences.

    Args:
        candidate: what it showed.
        floor: the same task without adaptation, if it was trained; stands in where there is one copy.
    """
    if (m := len(candidate.copies[0].target_scores)) < LEAST_TARGET:
        return CannotTell(f"only {m} target examples, where {LEAST_TARGET} are the least")
    copies = candidate.sound
    if not copies:
        return CannotTell("training diverged")
    if not all(len(copy.source_labels) for copy in copies):
        return CannotTell("no labelled source example was set aside")
    # What is of one copy alone is held against the floor's.
    others = copies if len(copies) > 1 or floor is None else (*copies, *floor.sound[:1])
    agreement = seed_agreement([copy.target_scores for copy in others]) if len(others) > 1 else 1.0
    doc = np.mean([difference_of_confidences(c.source_scores, c.source_labels, c.target_scores) for c in copies])
    value = float(agreement * doc)
    return Estimate(value, max(value - _HALF, 0.0), min(value + _HALF, 1.0))
