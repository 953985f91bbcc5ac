"""Which words carried a model's answers, as plain data: `words.json` of a run, and JSON Lines beside predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WordsOfText:
    """One text as a model read it, and its answer.

    Attributes:
        id: name of the example.
        predicted: class that was answered.
        confidence: its probability.
        label: right answer; None where nobody knows it.
        length: words of the text; those after the last token were not read.
        tokens: words that were read, as they were read.
        known: whether each is in the model's vocabulary; all others are one and the same to it.
        weights: weight ≥ 0 of each word in the model's reading; they sum to 1, or to 0 where there is no word.
        contributions: what each word adds to the answer's logit less the next best one's: above 0 it speaks for the
            answer, below 0 against it. None where the model's logits are no sums over words.
        offset: what the answer has on the next best without any word; `sum(contributions) + offset` is the logit of
            the answer less that of the next best, for two classes the log-odds of the answer.
    """

    id: str
    predicted: str
    confidence: float
    label: str | None
    length: int
    tokens: list[str]
    known: list[bool]
    weights: list[float]
    contributions: list[float] | None
    offset: float | None

    @property
    def right(self) -> bool | None:
        """Whether the answer is right; None where nobody knows."""
        return None if self.label is None else self.predicted == self.label

    def as_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> WordsOfText:
        """What `as_json` gave."""
        return cls(**row)


def rounded(values: np.ndarray) -> list[float]:
    """Numbers with six significant digits, short enough for a file."""
    return [float(f"{value:.6g}") for value in values.tolist()]


def groups(confidence: np.ndarray, right: np.ndarray | None, most: int) -> dict[str, list[int]]:
    """Which examples to show: from both ends of confidence, right and wrong ones apart where that is known.

    Args:
        confidence: `(n,)`.
        right: `(n,)` 1 for a right answer, 0 for a wrong one, −1 where nobody knows; None if nobody knows any.
        most: examples of a group at most.

    Returns:
        Indices by name of the group: `"certain"` and `"uncertain"`, after `"right "` or `"wrong "` where that is
        known. No example is in two groups, and no group is empty.
    """
    parts: Iterable[tuple[str, np.ndarray]] = [("", np.arange(len(confidence)))]
    if right is not None and (right >= 0).any():
        parts = [("right ", np.flatnonzero(right == 1)), ("wrong ", np.flatnonzero(right == 0))]
    found: dict[str, list[int]] = {}
    for name, rows in parts:
        order = rows[np.argsort(-confidence[rows], kind="stable")].tolist()
        half = (len(order) + 1) // 2
        found[f"{name}certain"] = order[:half][:most]
        found[f"{name}uncertain"] = order[half:][::-1][:most]
    return {name: rows for name, rows in found.items() if rows}
