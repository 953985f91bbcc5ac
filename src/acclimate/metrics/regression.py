"""Scores of numbers: errors in the user's units, and the share of the variance that is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acclimate.types import Outputs, PseudoLabels


def number_scores(answers: np.ndarray, numbers: np.ndarray) -> dict[str, float]:
    """`mae`, `rmse` and `r2` of the examples whose number is known; empty if there are fewer than two.

        MAE = mean |ŷ − y|,   RMSE = √ mean (ŷ − y)²,   R² = 1 − Σ (ŷ − y)² / Σ (y − ȳ)²

    R² is 1 at best, 0 for answering the mean ȳ of these very examples, and below 0 for what is worse than that; it is
    left out where all numbers are alike.

    Args:
        answers: ŷ `(n,)`.
        numbers: y `(n,)`, NaN where unknown.

    Example:
        >>> number_scores(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))["r2"]
        0.5
    """
    known = ~np.isnan(numbers)
    if known.sum() < 2:
        return {}
    y, errors = numbers[known], answers[known].astype(np.float64) - numbers[known]
    spread = float(np.square(y - y.mean()).sum())
    found = {"mae": float(np.abs(errors).mean()), "rmse": float(np.sqrt(np.square(errors).mean()))}
    return found | ({"r2": 1 - float(np.square(errors).sum()) / spread} if spread else {})


def pinball(quantiles: np.ndarray, numbers: np.ndarray, level: float) -> float:
    """Mean pinball loss of answers that are to lie above a share of the numbers; least for the true quantile.

        mean max(τ (y − q), (τ − 1) (y − q))

    Source: Koenker & Bassett, Econometrica 1978.

    Args:
        quantiles: q `(n,)`.
        numbers: y `(n,)`, all known.
        level: τ in (0, 1).

    Example:
        >>> pinball(np.array([1.0, 1.0]), np.array([3.0, 0.0]), 0.75)
        0.875
    """
    above = numbers - quantiles
    return float(np.maximum(level * above, (level - 1) * above).mean())


@dataclass(frozen=True)
class Margins:
    """An interval around every answer, by the errors on source examples that no step was trained on.

    Of n such errors y − ŷ in order, `low` is the ⌊(n + 1) α/2⌋-th and `high` the ⌈(n + 1) (1 − α/2)⌉-th: a further
    example of the source lies between ŷ + low and ŷ + high with probability 1 − α or more. Nothing says so of the
    target, where errors may be larger.

    Source: Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World", 2005 (split conformal prediction).

    Attributes:
        low: usually below 0.
        high: usually above.
        level: 1 − α.
        n: how many errors it was made of.
    """

    low: float
    high: float
    level: float
    n: int

    @classmethod
    def of(cls, answers: np.ndarray, numbers: np.ndarray, level: float = 0.9) -> Margins | None:
        """Of answers `(n,)` to source examples with these numbers, NaN where unknown; None if they are too few.

        Example:
            >>> Margins.of(np.zeros(19), np.arange(19.0))
            Margins(low=0.0, high=18.0, level=0.9, n=19)
        """
        errors = np.sort((numbers - answers)[~np.isnan(numbers)])
        n, tail = len(errors), (1 - level) / 2
        # Rounded: (n + 1) α/2 of 19 and 0.9 would otherwise lie a hair below 1.
        low, high = int(round((n + 1) * tail, 9)), int(np.ceil(round((n + 1) * (1 - tail), 9)))
        return cls(float(errors[low - 1]), float(errors[high - 1]), level, n) if low >= 1 else None

    def scores(self, answers: np.ndarray, numbers: np.ndarray) -> dict[str, float]:
        """`coverage`, the share of known numbers within, and `pinball`, the mean of both ends' losses."""
        known = ~np.isnan(numbers)
        if not known.any():
            return {}
        y, low, high = numbers[known], answers[known] + self.low, answers[known] + self.high
        tail = (1 - self.level) / 2
        losses = pinball(low, y, tail), pinball(high, y, 1 - tail)
        return {"coverage": float(((low <= y) & (y <= high)).mean()), "pinball": float(np.mean(losses))}


class NumberExaminer:
    """Holds numbers and turns a model's outputs into errors, one way only.

    Args:
        numbers: by role, NaN where unknown; roles without any are absent.
    """

    def __init__(self, numbers: Mapping[str, np.ndarray]) -> None:
        self._numbers = dict(numbers)

    def __call__(self, outputs: Mapping[str, Outputs], pseudo: PseudoLabels | None = None) -> dict[str, float]:
        """`<role>_mae`, `<role>_rmse` and `<role>_r2`."""
        return {
            f"{role}_{name}": score
            for role, seen in outputs.items()
            if role in self._numbers
            for name, score in number_scores(answers_of(seen), self._numbers[role]).items()
        }


def answers_of(seen: Outputs) -> np.ndarray:
    """The numbers `(n,)` that a model answered, float64."""
    return seen.logits[:, 0].astype(np.float64)
