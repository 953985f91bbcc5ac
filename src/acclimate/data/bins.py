"""Ranges of a number as classes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acclimate.errors import DataError, RequestError
from acclimate.types import UNLABELLED

_MOST = 100


@dataclass(frozen=True)
class Bins:
    """The ranges that a number falls into: up to e_1, above that and up to e_2, …, above e_{k−1}.

    Attributes:
        edges: e, rising; none where the number itself is asked for (`WHOLE`), and any number is in the one range.
    """

    edges: tuple[float, ...]

    @classmethod
    def of(cls, values: np.ndarray, count: int, what: str) -> Bins:
        """Ranges that equally many of these values fall into, as far as equal values can be told apart.

            e_i = the i/k quantile of the values, cut to six digits where that parts the same values

        Args:
            values: the source's numbers, float64 `(n,)`; NaN where there is none.
            count: k, how many ranges.
            what: what to call the values in messages.

        Raises:
            RequestError: if k is no whole number from 2 to 100.
            DataError: if the values are too much alike for two ranges.
        """
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 2 <= count <= _MOST:
            fix = "For example 3: low, middle and high thirds of the source."
            raise RequestError("bins", f"must be a whole number from 2 to {_MOST}", f"{count!r:.60}", fix)
        known = values[np.isfinite(values)]
        # Quantiles that are values: the ranges then hold as many as can be.
        exact = np.quantile(known, np.arange(1, count) / count, method="inverted_cdf") if len(known) else known
        edges = np.unique(exact[exact < known.max()]) if len(known) else exact
        if not len(edges):
            shown = ", ".join(f"{value:g}" for value in np.unique(known)[:3]) or "none"
            fix = "Leave bins out, or give a label that differs more."
            raise DataError(what, f"must differ enough to make {count} ranges of equal size", shown, fix)
        return cls(tuple(_cut(edge, known) for edge in edges.tolist()))

    @property
    def classes(self) -> tuple[str, ...]:
        """What the ranges are called: “≤ 17”, “17 – 24.5”, “> 24.5”."""
        if not self.edges:
            return ("number",)
        written = [f"{edge:.15g}" for edge in self.edges]
        between = [f"{low} – {high}" for low, high in itertools.pairwise(written)]
        return (f"≤ {written[0]}", *between, f"> {written[-1]}")

    def indices(self, values: np.ndarray) -> np.ndarray:
        """Which range each of the values `(n,)` falls into, int64 `(n,)`; −1 for NaN."""
        return np.where(np.isnan(values), UNLABELLED, np.searchsorted(self.edges, values, side="left"))


# Every number as itself: what is asked for is a number, not in which of some ranges it lies.
WHOLE = Bins(())


def _cut(edge: float, known: np.ndarray) -> float:
    short = float(f"{edge:.6g}")
    return short if ((known <= short) == (known <= edge)).all() else edge


def bins_of(asked: int | Bins | None, values: np.ndarray, what: str) -> Bins:
    """The bins themselves, or so many of these values."""
    return asked if isinstance(asked, Bins) else Bins.of(values, asked, what)  # type: ignore[arg-type]


def read_bins(edges: Sequence[float] | None) -> Bins | None:
    """What a run's `config.json` records."""
    return None if edges is None else Bins(tuple(float(edge) for edge in edges))
