"""Intervals of a mean from a stratified sample of few labels."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

# log λ of the tilts between which an end of an interval is sought, and how often that range is halved.
_LEAST, _MOST, _HALVINGS = -14.0, 18.0, 40
# Beyond it the correction for skewness, a series in γ, no longer means anything.
_MOST_SKEW = 1.0
# Of finding ν: steps, and how close to its least value it may come.
_STEPS, _ROOM = 12, 1e-12
_SAME, _ROUNDED = 1e-12, 1e-6


def stratified_interval(
    counts: np.ndarray, sizes: np.ndarray, support: tuple[float, ...] = (0.0, 1.0), confidence: float = 0.95
) -> np.ndarray:
    """Score interval of the mean of N values, from samples of their strata, corrected for skewness.

    An end is the mean θ at which, with z the quantile of a standard normal,

        (θ̂ − θ) / √V(θ) = ±z + γ(θ) (z² − 1) / 6,    θ̂ = Σ W_h ȳ_h,  W_h = N_h / N,

        V(θ) = Σ W_h² f_h (σ̃_h² / n_h + s_h² / (n_h (n_h − 1))),    f_h = (N_h − n_h) / (N_h − 1),

    where σ̃_h², and the skewness γ of θ̂, are those of the most likely distributions whose weighted means add up to θ,
    and s_h² is that of the sample. The second term makes up for what the first misses on average, having taken the
    strata's own means from so few values. A stratum of which every value is known stays as it is.

    Source: Miettinen & Nurminen, "Comparative analysis of two rates", Statistics in Medicine 1985, for score
    intervals with the other parameters at their restricted maximum likelihood; Gart & Nam, Biometrics 1988, and Laud,
    Pharmaceutical Statistics 2017, for the skewness, with strata; the second term of V is this project's.

    Args:
        counts: `(…, H, S)` how often each value was met in each of H strata, n_h ≥ 2 in all or n_h = N_h.
        sizes: `(H,)` how many values N_h each stratum has.
        support: the S values there can be, whole numbers, ascending. None but these may be met.
        confidence: that the interval is to hold the mean with, in (0, 1).

    Returns:
        `(…, 2)` lower and upper end, within what the values that are known leave possible.
    """
    counts, sizes = np.asarray(counts, dtype=float), np.asarray(sizes, dtype=float)
    values, z = np.asarray(support), float(stats.norm.ppf((1 + confidence) / 2))
    ends = [_end(counts, sizes, values, z, direction) for direction in (1.0, -1.0)]
    unseen = (sizes - counts.sum(axis=-1)).sum(axis=-1)
    known, n = (counts * values).sum(axis=(-2, -1)), sizes.sum()
    # Sums of whole numbers: rounded outwards, and further the fewer are unseen, where nothing is close to normal.
    share = counts.sum(axis=(-2, -1)) / n
    low = np.maximum(np.floor(ends[0] * n - share + _ROUNDED), known + unseen * values[0])
    high = np.minimum(np.ceil(ends[1] * n + share - _ROUNDED), known + unseen * values[-1])
    return np.asarray(np.stack([low, high], axis=-1) / n)


def stratified_mean(counts: np.ndarray, sizes: np.ndarray, support: tuple[float, ...] = (0.0, 1.0)) -> np.ndarray:
    """Unbiased mean of N values from samples of their strata: θ̂ = Σ W_h ȳ_h, the Horvitz–Thompson estimate.

    Source: Horvitz & Thompson, JASA 1952; arguments as for `stratified_interval`.
    """
    counts, sizes = np.asarray(counts, dtype=float), np.asarray(sizes, dtype=float)
    means = (counts * np.asarray(support)).sum(axis=-1) / counts.sum(axis=-1)
    return np.asarray((means * sizes).sum(axis=-1) / sizes.sum())


def _end(counts: np.ndarray, sizes: np.ndarray, values: np.ndarray, z: float, direction: float) -> np.ndarray:
    """The lower end for direction 1, the upper for −1: the mean that is z away, by halving the range of the tilt."""
    low, high = np.full(counts.shape[:-2], _LEAST), np.full(counts.shape[:-2], _MOST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        _, distance, skew = _at(counts, sizes, values, direction * np.exp(middle))
        within = direction * distance < z + direction * skew * (z * z - 1) / 6
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return _at(counts, sizes, values, direction * np.exp(high))[0]


def _at(
    counts: np.ndarray, sizes: np.ndarray, values: np.ndarray, tilt: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean θ that a tilt stands for, how many standard errors θ̂ lies above it, and the skewness there."""
    n, weights = counts.sum(axis=-1), sizes / sizes.sum()
    observed = counts / n[..., None]
    likely = np.where((n < sizes)[..., None], tilted(counts, values, tilt[..., None] * weights), observed)
    means, variances, thirds = _moments(likely, values)
    seen, seen_variances, _ = _moments(observed, values)
    left = (sizes - n) / np.maximum(sizes - 1, 1)
    terms = weights**2 * left * (variances / n + seen_variances / (n * np.maximum(n - 1, 1)))
    variance = terms.sum(axis=-1)
    third = (weights**3 * left**1.5 * thirds / n**2).sum(axis=-1)
    above = (weights * (seen - means)).sum(axis=-1)
    some = variance > _SAME
    error = np.sqrt(np.where(some, variance, 1.0))
    distance = np.where(some, above / error, np.where(np.abs(above) > _SAME, np.copysign(math.inf, above), 0.0))
    skew = np.where(some, np.clip(third / error**3, -_MOST_SKEW, _MOST_SKEW), 0.0)
    return (weights * means).sum(axis=-1), distance, skew


def _moments(shares: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance and third central moment `(…, H)` of distributions `(…, H, S)`."""
    means = (shares * values).sum(axis=-1)
    apart = values - means[..., None]
    return means, (shares * apart**2).sum(axis=-1), (shares * apart**3).sum(axis=-1)


def tilted(counts: np.ndarray, values: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """The distributions that maximise Σ_j c_j log p_j − t Σ_j v_j p_j: the most likely ones of a smaller mean.

        p_j = c_j / (ν + t v_j),    ν such that Σ p_j = 1;

    where that leaves something over with ν as small as can be, the value at that end has it, unmet as it is.

    Source: Lagrange's conditions; Owen, "Empirical likelihood", Chapman & Hall 2001, section 2.9.

    Args:
        counts: `(…, S)`, at least one of them positive in each row.
        values: `(S,)`.
        tilt: `(…)` t, below 0 for a larger mean.

    Returns:
        `(…, S)` shares.
    """
    if len(values) == 2 and tuple(values) == (0.0, 1.0):
        return _tilted_pair(counts, tilt)
    pulls = tilt[..., None] * values
    above = pulls - pulls.min(axis=-1, keepdims=True)
    n = counts.sum(axis=-1)
    room = n  # ν above its least value
    for _ in range(_STEPS):  # Newton's on 1 / Σ p_j, which is close to linear in ν
        shares = counts / (room[..., None] + above)
        total = shares.sum(axis=-1)
        slope = (shares / (room[..., None] + above)).sum(axis=-1)
        room = np.clip(room - (1 - total) * total / slope, _ROOM * n, n)
    shares = counts / (room[..., None] + above)
    left = np.maximum(1 - shares.sum(axis=-1), 0.0)
    return np.asarray(shares + left[..., None] * (np.arange(len(values)) == above.argmin(axis=-1)[..., None]))


def _tilted_pair(counts: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """The same of wrong and right, whose condition t p² − (n + t) p + c = 0 is a quadratic one."""
    right, n = counts[..., 1], counts.sum(axis=-1)
    half = n + tilt
    root = np.sqrt(np.maximum(half**2 - 4 * tilt * right, 0.0))
    # Of the two ways to write the root, the one that does not cancel.
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(half >= 0, 2 * right / (half + root), (half - root) / (2 * tilt))
    p = np.clip(np.nan_to_num(p), 0.0, 1.0)
    return np.stack([1 - p, p], axis=-1)
