"""Whether a model that adapts while it answers still deserves its answers, told without any label."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc, xlogy

# So many of the last examples are judged together, and nothing is said of fewer.
WINDOW, LEAST = 256, 32
_SURE = 2.0  # standard errors
# So many answers are compared with all before; a chance below this one is none.
_RECENT, _CHANCE = 64, 1e-6
# Share of the way from one effective class to all of them, or to as many as the model begun with answers: as in
# `training.collapse`.
_HALF = 0.5


class Guard:
    """Watches answers beside those of the model as it is, on the same examples.

    By that model's own probabilities p, Σ max_c p_c of its answers are right, and adapted answers ĉ lose

        Σ (max_c p_c − p_ĉ)

    of them: what is lost if p are right, more than it if p are too sure of what adaptation mends, and 0 where no
    answer changed. A share of the right ones may be lost and no more, by two standard errors. And where that model's
    answers are spread over most classes, adapted ones may not fall together on half as many: a stream that holds few
    classes at a time is no fault.

    Args:
        allowed: that share, in [0, 1]; 1 lets everything pass.
    """

    def __init__(self, allowed: float) -> None:
        self.allowed = allowed
        self._seen: deque[tuple[float, float, int, int]] = deque(maxlen=WINDOW)

    def look(self, begun: np.ndarray, adapted: np.ndarray) -> str | None:
        """Take in some examples; what is wrong with the last ones, as a clause, or None.

        Args:
            begun: probabilities `(m, k)` of the model as it is.
            adapted: answers `(m,)` of the adapted one.
        """
        answers, rows = begun.argmax(axis=1), np.arange(len(begun))
        expected = begun[rows, answers]
        lost = expected - begun[rows, adapted]
        self._seen.extend(zip(*(column.tolist() for column in (lost, expected, answers, adapted)), strict=True))
        if len(self._seen) < LEAST or self.allowed >= 1:
            return None
        return self._lost_too_many() or self._collapsed(begun.shape[1])

    def _lost_too_many(self) -> str | None:
        lost, expected = (np.array([seen[i] for seen in self._seen]) for i in (0, 1))
        beyond = lost - self.allowed * expected
        if beyond.mean() <= _SURE * beyond.std() / np.sqrt(len(beyond)):
            return None
        return (
            f"of its last {len(lost)} answers looked at, the model as it is expects {expected.sum():.0f} to be right "
            f"and {lost.sum():.0f} of those to be lost by adapting, surely more than {100 * self.allowed:.0f} %"
        )

    def _collapsed(self, k: int) -> str | None:
        was, now = (_effective([seen[i] for seen in self._seen]) for i in (2, 3))
        if was - 1 < _HALF * (k - 1) or now - 1 >= _HALF * (was - 1):
            return None
        return (
            f"the last {len(self._seen)} answers looked at are spread as over {now:.1f} classes, those of the model "
            f"as it is as over {was:.1f}"
        )


class Order:
    """Whether a stream is in some order of classes, by the answers `(m,)` of the model as it is alone.

    The last answers are held against all before by the likelihood-ratio test of two samples,

        G = 2 Σ O ln (O / E),      of χ² with as many degrees of freedom as there are answered classes, less one,

    at every batch, so that only chances of one in a million count.

    Args:
        k: number of classes.
    """

    def __init__(self, k: int) -> None:
        self._earlier, self._recent = np.zeros(k), deque[int]()

    def look(self, answers: np.ndarray) -> str | None:
        """Take in the next answers; what is odd about the last ones, as a clause, or None."""
        self._recent.extend(answers.tolist())
        while len(self._recent) > _RECENT:
            self._earlier[self._recent.popleft()] += 1
        if self._earlier.sum() < _RECENT:
            return None
        counts = np.stack([self._earlier, np.bincount(self._recent, minlength=len(self._earlier))])
        if _chance(counts[:, counts.any(axis=0)]) > _CHANCE:
            return None
        return (
            f"to the last {_RECENT} examples looked at the model as it is gives other answers than to those before, "
            "as where data are sorted, and each batch is taken for a sample of them all"
        )


def _chance(counts: np.ndarray) -> float:
    """That two samples of one mixture differ as these counts `(2, k)` do, or more."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    g = 2 * float(xlogy(counts, counts / expected).sum())
    return float(chdtrc(counts.shape[1] - 1, g)) if counts.shape[1] > 1 else 1.0


def _effective(answers: Sequence[float]) -> float:
    """The exponential of the entropy of answers' shares."""
    counts = np.unique(answers, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
