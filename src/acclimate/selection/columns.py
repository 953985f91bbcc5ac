"""Columns of two sides, one by one: which differ, by how much, and in what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

# Between units, numbers differ by ten or more; a factor of two is a shift.
_UNIT = 8.0
_LOW, _HIGH = 0.1, 0.9
# By how much two estimates of one factor may differ.
_AGREE = 2.5
_UNKNOWN, _MISSING = -2, -1


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers on both sides, NaN where one is missing: `source` `(n,)` and `target` `(m,)`."""

    name: str
    source: np.ndarray
    target: np.ndarray


@dataclass(frozen=True, eq=False)
class Choices:
    """A column of a few values on both sides.

    Attributes:
        name: its name.
        values: the values that the source has.
        source: indices into them `(n,)`; −1 where one is missing, −2 where it is another value.
        target: likewise `(m,)`.
    """

    name: str
    values: tuple[str, ...]
    source: np.ndarray
    target: np.ndarray


Column = Numbers | Choices


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """How a column differs between the sides.

    Attributes:
        name: of the column.
        kind: `"numbers"`, `"choices"` or `"words"`.
        distance: of the two distributions, in [0, 1]: Kolmogorov and Smirnov's for numbers, total variation for
            choices, the difference of shares for words.
        p: of a test that there is no difference, in values or in how many are missing.
        q: p corrected for the number of columns.
        told: what `source` and `target` are, such as `"median"`.
        source: that of the source; None if there is no value.
        target: that of the target.
        missing_source: share of rows without a value.
        missing_target: likewise.
        factor: how many times larger the target's numbers are, where the scale itself differs; else None.
    """

    name: str
    kind: str
    distance: float
    p: float
    q: float
    told: str
    source: float | None
    target: float | None
    missing_source: float = 0.0
    missing_target: float = 0.0
    factor: float | None = None


def compared(columns: Sequence[Column]) -> list[ColumnShift]:
    """Each column tested by itself, in order; p-values are corrected for all of them together.

    Numbers are tested by Kolmogorov and Smirnov's two-sample test in its asymptotic form, which is conservative where
    values repeat; choices by Pearson's χ². Where values are missing, their shares are tested too and the smaller of
    the two p-values is doubled.
    """
    raw = [_numbers(c) if isinstance(c, Numbers) else _choices(c) for c in columns]
    return corrected(raw)


def corrected(raw: Sequence[ColumnShift]) -> list[ColumnShift]:
    """The same with `q` from their `p`; see `benjamini_hochberg`."""
    q = benjamini_hochberg(np.array([one.p for one in raw]))
    return [replace(one, q=float(value)) for one, value in zip(raw, q, strict=True)]


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """p-values `(k,)` corrected for their number: among those with q ≤ α, a share of α at most is false on average.

        q₍ᵢ₎ = min_{j ≥ i} p₍ⱼ₎ k / j

    The least of them is Simes' p-value that any column differs at all.

    Source: Benjamini & Hochberg, JRSS B 1995; Simes, Biometrika 1986.

    >>> benjamini_hochberg(np.array([0.01, 0.9, 0.02])).tolist()
    [0.03, 0.9, 0.03]
    """
    return np.asarray(stats.false_discovery_control(p)) if len(p) else p


def kolmogorov_smirnov(source: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """The two-sample test of sorted numbers: D = sup |F − G| in [0, 1], and p by Kolmogorov's limit.

        p = 2 Σ_{j ≥ 1} (−1)^{j−1} exp(−2 j² D² n m / (n + m))

    It is conservative in small samples, and where values repeat. SciPy's `ks_2samp` gives the same, but takes minutes
    for thousands of columns.

    Args:
        source: finite numbers `(n,)`, sorted, n ≥ 1.
        target: likewise `(m,)`.
    """
    n, m = len(source), len(target)
    places = np.concatenate([source, target])
    own, other = (np.searchsorted(side, places, side="right") / len(side) for side in (source, target))
    distance = float(np.abs(own - other).max())
    return distance, float(special.kolmogorov(distance * np.sqrt(n * m / (n + m))))


def share_p(hits: np.ndarray, n: int, other: np.ndarray, m: int) -> np.ndarray:
    """p-values `(k,)` of Pearson's χ² that k shares are the same on both sides.

    Args:
        hits: `(k,)` how many of the source's n examples have a thing.
        n: examples of the source.
        other: `(k,)` how many of the target's m have it.
        m: examples of the target.
    """
    pooled = (hits + other) / (n + m)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    z = np.divide(hits / n - other / m, spread, out=np.zeros(np.shape(hits)), where=spread > 0)
    return np.asarray(2 * stats.norm.sf(np.abs(z)))


def scale_factor(source: np.ndarray, target: np.ndarray) -> float | None:
    """How many times larger the target's numbers are, if they seem to be in another unit; else None.

    That is so if the span from the tenth to the ninetieth percentile and the median of the absolute values are both
    larger, or both smaller, by about the same factor of 8 or more. The factor is their geometric mean.

    Args:
        source: finite numbers `(n,)`.
        target: finite numbers `(m,)`.

    >>> round(scale_factor(np.arange(1.0, 9), 1000 * np.arange(1.0, 9)))
    1000
    """
    if not (len(source) and len(target)):
        return None
    spans = [float(np.subtract(*np.quantile(side, (_HIGH, _LOW)))) for side in (source, target)]
    middles = [float(np.median(np.abs(side))) for side in (source, target)]
    if not min(*spans, *middles) > 0:
        return None
    by_span, by_middle = spans[1] / spans[0], middles[1] / middles[0]
    factor = float(np.sqrt(by_span) * np.sqrt(by_middle))
    agree = max(by_span / by_middle, by_middle / by_span) <= _AGREE
    return factor if agree and max(factor, 1 / factor) >= _UNIT else None


def _numbers(column: Numbers) -> ColumnShift:
    sides = [np.sort(side[~np.isnan(side)]) for side in (column.source, column.target)]
    missing = _missing(column, sides)
    distance, p = kolmogorov_smirnov(*sides) if len(sides[0]) and len(sides[1]) else (0.0, 1.0)
    medians = [float(np.median(side)) if len(side) else None for side in sides]
    p = _with_missing(p, missing, len(column.source), len(column.target))
    factor = scale_factor(*sides)
    return ColumnShift(column.name, "numbers", distance, p, p, "median", medians[0], medians[1], *missing, factor)


def _choices(column: Choices) -> ColumnShift:
    k = len(column.values)
    sides = [np.where(side == _UNKNOWN, k, side)[side != _MISSING] for side in (column.source, column.target)]
    missing = _missing(column, sides)
    counts = np.stack([np.bincount(side, minlength=k + 1) for side in sides])
    if not counts.sum(axis=1).all():
        p = _with_missing(1.0, missing, len(column.source), len(column.target))
        return ColumnShift(column.name, "choices", 0.0, p, p, "share of any value", None, None, *missing)
    shares = counts / counts.sum(axis=1, keepdims=True)
    met = counts[:, counts.any(axis=0)]
    p = float(stats.chi2_contingency(met, correction=False).pvalue) if met.shape[1] > 1 else 1.0
    p = _with_missing(p, missing, len(column.source), len(column.target))
    change = np.abs(shares[1] - shares[0])
    most = k if change[k] >= change.max() else int(change.argmax())
    told = f"share of “{column.values[most]}”" if most < k else "share of values that the source lacks"
    own, other = (float(side[most]) for side in shares)
    return ColumnShift(column.name, "choices", float(change.sum() / 2), p, p, told, own, other, *missing)


def _missing(column: Column, known: Sequence[np.ndarray]) -> tuple[float, float]:
    """Shares of rows without a value on both sides, of which the others are known."""
    return 1 - len(known[0]) / len(column.source), 1 - len(known[1]) / len(column.target)


def _with_missing(p: float, missing: Sequence[float], n: int, m: int) -> float:
    """The p-value of a column in which values may be missing."""
    if not any(missing):
        return p
    of_missing = share_p(np.array([missing[0] * n]), n, np.array([missing[1] * m]), m)
    return min(1.0, 2 * min(p, float(of_missing[0])))
