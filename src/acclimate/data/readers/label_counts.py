"""Labels of a table that is read part by part: each different one, how often, and where it stands first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from acclimate.data.bins import Bins
from acclimate.data.readers.labels import Labels, labels_of_values


@dataclass
class LabelCounts:
    """Adds up the labels of a column, by value and type.

    Attributes:
        found: for each, a value, the place of the first, and how many there are.
    """

    found: dict[tuple[type, Any], tuple[Any, str, int]] = field(default_factory=dict)

    def add(self, values: pl.Series, where: Callable[[int], str]) -> None:
        """Those of one part, and how messages call its rows."""
        rows = pl.DataFrame({"value": values, "row": np.arange(len(values))})
        groups = rows.group_by("value", maintain_order=True).agg(pl.col("row").first(), pl.len())
        for value, row, count in groups.iter_rows():
            first, place, before = self.found.get((type(value), value), (value, where(row), 0))
            self.found[type(value), value] = (first, place, before + count)

    def labels(self, what: str, bins: int | Bins | None) -> Labels:
        """What `labels_of_values` says of all of them, with one index for each different one.

        Raises:
            DataError: likewise, naming the first row in which the value stands.
        """
        values = [value for value, _, _ in self.found.values()]
        places = [place for _, place, _ in self.found.values()]
        counts = np.array([count for _, _, count in self.found.values()], dtype=np.int64)
        return labels_of_values(values, what, places.__getitem__, bins, counts)

    def places(self, labels: Labels | None) -> dict[tuple[type, Any], int]:
        """The class of each value, as its index in what `labels` gave; −1 for none."""
        return {} if labels is None else dict(zip(self.found, labels.indices.tolist(), strict=True))

    @staticmethod
    def indices(values: pl.Series, places: Mapping[tuple[type, Any], int]) -> np.ndarray:
        """The classes of a part `(m,)`, which was added before."""
        rows = pl.DataFrame({"value": values, "row": np.arange(len(values))})
        found = np.empty(len(values), np.int64)
        for value, own in rows.group_by("value").agg(pl.col("row")).iter_rows():
            found[own] = places[type(value), value]
        return found
