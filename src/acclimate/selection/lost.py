"""Classes of the source that a model hardly meets on the target: missing there, or lost by adapting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.scores.balance import answered, black_box_proportions, likely_target, shares

# A class is hardly met where so many examples of it were to be expected, and at most this share of them is.
_EXPECTED, _LEFT = 10.0, 0.15


@dataclass(frozen=True)
class Shares:
    """Class proportions `(k,)` of the target, as far as they can be told.

    Attributes:
        source: of the held-out source examples.
        likely: of the target by maximum likelihood (MLLS), from the baseline's scores.
        confusion: of the target by the baseline's answers and mistakes (BBSE).
        answered: shares of the chosen candidate's answers.
        m: how many target examples.
    """

    source: np.ndarray
    likely: np.ndarray
    confusion: np.ndarray
    answered: np.ndarray
    m: int

    @property
    def absent(self) -> list[int]:
        """Classes of which both estimates leave next to nothing: missing in the target, or taken for others there."""
        most = np.maximum(self.likely, self.confusion)
        return np.flatnonzero((self.source * self.m >= _EXPECTED) & (most <= _LEFT * self.source)).tolist()

    @property
    def lost(self) -> list[int]:
        """Classes that the candidate hardly answers, though both estimates say that they are there."""
        least = np.minimum(self.likely, self.confusion)
        return np.flatnonzero((least * self.m >= _EXPECTED) & (self.answered <= _LEFT * least)).tolist()


def class_shares(candidate: Candidate, baseline: Candidate) -> Shares | None:
    """What two candidates say of the target's class proportions, the mean over copies.

    Args:
        candidate: the chosen one.
        baseline: the one without adaptation, whose mistakes on the source say most about its own.

    Returns:
        The proportions; None where no source example was set aside, or a candidate diverged.
    """
    known = [copy for copy in baseline.sound if len(copy.source_labels)]
    if not known or not candidate.sound:
        return None

    def mean(found: list[np.ndarray]) -> np.ndarray:
        return np.asarray(np.mean(found, axis=0))

    k = known[0].num_classes
    return Shares(
        mean([shares(copy.source_labels, k) for copy in known]),
        mean([_likely(copy) for copy in known]),
        mean([black_box_proportions(c.source_scores, c.source_labels, c.target_scores) for c in known]),
        mean([answered(copy.target_scores) for copy in candidate.sound]),
        len(known[0].target_scores),
    )


def _likely(copy: Evidence) -> np.ndarray:
    return likely_target(copy.source_scores, copy.source_labels, copy.target_scores)[0]
