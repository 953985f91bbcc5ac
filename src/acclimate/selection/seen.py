"""Two sides as numbers that tests can be made of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from sklearn.utils.extmath import randomized_svd

from acclimate.selection.columns import ColumnShift, benjamini_hochberg, kolmogorov_smirnov

# Coordinates that are kept at most, and features up to which their covariance is decomposed.
RANK, _DENSE = 200, 1500


@dataclass(frozen=True, eq=False)
class Seen:
    """Examples of both sides, and their columns compared.

    Attributes:
        what: how they are looked at, such as `"12 columns"`.
        source: finite features `(n, d)`, of comparable size.
        target: likewise `(m, d)`.
        columns: what is known of each column, word or measurement.
        column_of: `(d,)` the place in `columns` of the column that a feature comes from, −1 for none.
        unit: what `columns` are called.
        only_source: columns that the target lacks.
        only_target: columns that the source lacks.
        constant_source: columns with one value in the source, and several in the target.
        constant_target: columns with one value in the target, and several in the source.
        notes: what a user should know of it, in plain sentences.
    """

    what: str
    source: np.ndarray
    target: np.ndarray
    columns: tuple[ColumnShift, ...]
    column_of: np.ndarray
    unit: str = "column"
    only_source: tuple[str, ...] = ()
    only_target: tuple[str, ...] = ()
    constant_source: tuple[str, ...] = ()
    constant_target: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def coordinates(self, without: Collection[int] = ()) -> tuple[np.ndarray, np.ndarray]:
        """Principal coordinates of both sides, `(n, r)` and `(m, r)`, r ≤ 200, of unit size on average.

        Features stay as they are, but for their mean and size, if there are no more than that; without any, all
        examples are at one place.

        Args:
            without: places of columns to leave out.
        """
        kept = ~np.isin(self.column_of, list(without))
        pooled = np.concatenate([self.source[:, kept], self.target[:, kept]]).astype(np.float32)
        if not pooled.shape[1]:
            pooled = np.zeros((len(pooled), 1), np.float32)
        pooled -= pooled.mean(axis=0)
        x = pooled if pooled.shape[1] <= RANK else pooled @ _principal(pooled)
        size = float(np.sqrt(np.square(x, dtype=np.float64).mean()))
        x = x / np.float32(size or 1.0)
        return x[: len(self.source)], x[len(self.source) :]

    def columns_p(self, source: np.ndarray, target: np.ndarray, without: Collection[int] = ()) -> float | None:
        """Simes' p-value that the features of columns are alike in some examples; None if no feature is of a column.

        Args:
            source: rows of the source.
            target: rows of the target.
            without: places of columns to leave out.
        """
        kept = np.flatnonzero((self.column_of >= 0) & ~np.isin(self.column_of, list(without)))
        if not len(kept):
            return None
        own, other = (np.sort(side[:, kept], axis=0) for side in (self.source[source], self.target[target]))
        p = [kolmogorov_smirnov(one, two)[1] for one, two in zip(own.T, other.T, strict=True)]
        return float(benjamini_hochberg(np.array(p)).min())


def _principal(x: np.ndarray) -> np.ndarray:
    """`(d, r)` principal directions of centred features."""
    if x.shape[1] <= _DENSE:
        return np.asarray(np.linalg.eigh(x.T @ x)[1][:, ::-1][:, :RANK])
    rank = min(RANK, *x.shape)
    return np.asarray(randomized_svd(x, rank, n_iter=2, random_state=0)[2].T)
