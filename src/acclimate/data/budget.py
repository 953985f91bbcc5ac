"""The label budget: how many target labels training may use, and which."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from acclimate.errors import DataError, RequestError
from acclimate.types import UNLABELLED


@dataclass(frozen=True, slots=True)
class LabelBudget:
    """Either `per_class` labels of every class, or a `fraction` of all labels; nothing by default."""

    per_class: int = 0
    fraction: float = 0.0

    @classmethod
    def parse(cls, value: LabelBudget | str | float) -> LabelBudget:
        """Read a budget from what a user writes.

        Args:
            value: `0` for none; a whole number for so many per class (`3`, `"3"`); a percentage or a fraction
                in (0, 1] for a share of all labels (`"1%"`, `0.01`, `1.0`); `"all"` for every label.

        Raises:
            RequestError: if it is none of these.
        """
        if isinstance(value, LabelBudget):
            return value
        text = str(value).strip().lower()
        if text == "all":
            return cls(fraction=1.0)
        if re.fullmatch(r"\d{1,18}", text):
            return cls(per_class=int(text))
        number = re.fullmatch(r"(\d*\.?\d+(?:e-?\d+)?)(%?)", text)
        fraction = float(number[1]) / (100 if number[2] else 1) if number else math.nan
        if not 0 <= fraction <= 1:
            raise RequestError(
                "label_budget",
                "must be 0, a whole number of labels per class, a share such as 1% or 0.01, or 'all'",
                repr(value),
                "For example: 3, 1% or all.",
            )
        return cls(fraction=fraction)

    @property
    def is_empty(self) -> bool:
        """True if it allows no label at all."""
        return self.per_class == 0 and self.fraction == 0

    def __str__(self) -> str:
        if self.fraction == 1:
            return "all"
        return f"{self.fraction:.6g}" if self.fraction else str(self.per_class)

    def choose(self, labels: np.ndarray, seed: int) -> np.ndarray:
        """Indices of the examples whose labels are given, sorted.

        The draw is stratified. A fraction gives every class its share, rounded so that the total is right; where that
        leaves a class that occurs without a label, it gets one, and the total is larger.

        Raises:
            DataError: if a class has fewer labels than asked for.
        """
        rng = np.random.default_rng([seed, 0xB0D6E7])
        classes = np.unique(labels[labels != UNLABELLED])
        chosen = []
        for label, count in zip(classes, self._counts(labels, classes), strict=True):
            members = np.flatnonzero(labels == label)
            if count > len(members):
                raise DataError(
                    "label_budget",
                    f"must not exceed what the smallest class has ({len(members)} of class {label})",
                    count,
                    "Ask for fewer, or for a share such as 10%.",
                )
            chosen.append(rng.permutation(members)[:count])
        return np.sort(np.concatenate(chosen))

    def _counts(self, labels: np.ndarray, classes: np.ndarray) -> list[int]:
        if not self.fraction:
            return [self.per_class] * len(classes)
        shares = self.fraction * np.array([(labels == c).sum() for c in classes])
        counts = np.floor(shares).astype(int)
        # Largest remainders first, so that the total is the rounded share of all labels.
        missing = round(float(shares.sum())) - counts.sum()
        counts[np.argsort(counts - shares, kind="stable")[:missing]] += 1
        return np.maximum(counts, 1).tolist()  # type: ignore[no-any-return]
