"""The interval of a stratified sample against arithmetic of another kind, and against the truth in simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from acclimate.metrics.intervals import wilson_interval
from acclimate.selection.intervals import stratified_interval, stratified_mean, tilted

Z = stats.norm.ppf(0.975)
MANY = 10**9


def most_likely(counts, values, weights, theta):
    """Shares of each stratum that make the counts most likely under a weighted mean of theta, by a general solver."""
    shape = counts.shape

    def shares(x):
        return x.reshape(shape)

    found = optimize.minimize(
        lambda x: -(counts * np.log(np.maximum(shares(x), 1e-300))).sum(),
        np.full(counts.size, 1 / shape[1]),
        bounds=[(1e-12, 1)] * counts.size,
        constraints=[
            {"type": "eq", "fun": lambda x: shares(x).sum(axis=1) - 1},
            {"type": "eq", "fun": lambda x: (weights * (shares(x) @ values)).sum() - theta},
        ],
        options={"maxiter": 2000, "ftol": 1e-14},
    )
    assert found.success
    return shares(found.x)


@pytest.mark.parametrize(
    ("counts", "values", "tilt"),
    [
        ([[3, 5], [1, 7], [4, 4]], (0.0, 1.0), 2.0),
        ([[3, 5], [1, 7], [4, 4]], (0.0, 1.0), -2.0),
        ([[1, 4, 3], [2, 2, 4]], (-1.0, 0.0, 1.0), 3.0),
        ([[1, 4, 3], [2, 2, 4]], (-1.0, 0.0, 1.0), -3.0),
        ([[0, 4, 4], [0, 8, 0]], (-1.0, 0.0, 1.0), 20.0),  # the unmet value gets what is left
    ],
)
def test_tilted_shares_are_a_solvers(counts, values, tilt):
    counts, values, weights = np.array(counts, float), np.array(values), np.linspace(1, 2, len(counts))
    weights /= weights.sum()
    ours = tilted(counts, values, tilt * weights)
    theta = float((weights * (ours @ values)).sum())
    assert ours.sum(axis=-1) == pytest.approx(np.ones(len(counts)))
    theirs = most_likely(counts, values, weights, theta)
    assert ours == pytest.approx(theirs, abs=2e-4)


def loop_interval(counts, sizes, z=Z):
    """The same equation by loops and Brent's method, for right and wrong."""
    total = sum(sizes)

    def at(t):
        mean, variance, third, above = 0.0, 0.0, 0.0, 0.0
        for (wrong, right), size in zip(counts, sizes, strict=True):
            n, w = wrong + right, size / total

            def condition(p, t=t, n=n, w=w, right=right):
                return right * (1 - p) - (n - right) * p - t * w * p * (1 - p)

            low, high = 1e-15, 1 - 1e-15
            p = (
                optimize.brentq(condition, low, high)
                if condition(low) * condition(high) < 0
                else (right / n if right in (0, n) and abs(t) * w <= n else 0.0)
            )
            if right == n:
                p = min(1.0, n / (t * w)) if t > 0 else 1.0
            elif right == 0:
                p = max(0.0, 1 + n / (t * w)) if t < 0 else 0.0
            left = (size - n) / (size - 1)
            seen = right / n
            mean += w * p
            variance += w * w * left * (p * (1 - p) / n + seen * (1 - seen) / (n * (n - 1)))
            third += w**3 * left**1.5 * p * (1 - p) * (1 - 2 * p) / n**2
            above += w * (seen - p)
        return mean, above / math.sqrt(variance), max(-1, min(1, third / variance**1.5))

    ends = []
    for sign in (1, -1):

        def gap(log, sign=sign):
            _, distance, skew = at(sign * math.exp(log))
            return sign * distance - z - sign * skew * (z * z - 1) / 6

        ends.append(at(sign * math.exp(optimize.brentq(gap, -8, 12)))[0])
    return ends


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [([[5, 35]], [MANY]), ([[2, 6], [1, 7], [3, 21]], [10**6, 2 * 10**6, 10**7]), ([[1, 7], [0, 8]], [10**6, 10**6])],
)
def test_an_interval_is_that_of_loops(counts, sizes):
    assert stratified_interval(counts, sizes) == pytest.approx(loop_interval(counts, sizes), abs=2e-6)


def test_without_strata_it_is_close_to_wilsons():
    for right in (8, 20, 32, 38):
        ours, theirs = stratified_interval([[40 - right, right]], [MANY]), wilson_interval(right, 40)
        assert ours == pytest.approx(theirs, abs=0.02)


def test_a_mean_is_weighted_by_strata():
    assert stratified_mean([[2, 6], [4, 4]], [100, 300]) == pytest.approx(0.25 * 0.75 + 0.75 * 0.5)
    assert stratified_mean([[1, 2, 5]], [100], (-1.0, 0.0, 1.0)) == pytest.approx(0.5)


strata = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 500)).filter(lambda s: s[0] + s[1] >= 2),
    min_size=1,
    max_size=6,
)


@given(strata)
def test_an_interval_holds_the_estimate_and_nothing_impossible(found):
    counts = np.array([[wrong, right] for wrong, right, _ in found])
    sizes = counts.sum(axis=1) + np.array([unseen for *_, unseen in found])
    low, high = stratified_interval(counts, sizes)
    total = sizes.sum()
    assert counts[:, 1].sum() / total - 1e-9 <= low <= stratified_mean(counts, sizes) + 1e-9
    assert stratified_mean(counts, sizes) - 1e-9 <= high <= 1 - counts[:, 0].sum() / total + 1e-9
    # Right and wrong are two names.
    assert stratified_interval(counts[:, ::-1], sizes) == pytest.approx((1 - high, 1 - low), abs=1 / total + 1e-9)
    # Where everything is known nothing is in doubt.
    known = stratified_interval(counts, counts.sum(axis=1))
    assert known == pytest.approx([float(stratified_mean(counts, counts.sum(axis=1)))] * 2)
    # A surer interval is a wider one.
    wide = stratified_interval(counts, sizes, confidence=0.99)
    assert wide[0] <= low + 1e-9
    assert high <= wide[1] + 1e-9


@given(strata)
def test_a_difference_of_which_one_value_never_occurs_lies_within_bounds(found):
    counts = np.array([[wrong, right, 2] for wrong, right, _ in found])
    sizes = counts.sum(axis=1) + np.array([unseen for *_, unseen in found])
    low, high = stratified_interval(counts, sizes, (-1.0, 0.0, 1.0))
    value = stratified_mean(counts, sizes, (-1.0, 0.0, 1.0))
    assert -1 <= low <= value + 1e-9
    assert value - 1e-9 <= high <= 1
    turned = stratified_interval(counts[:, ::-1], sizes, (-1.0, 0.0, 1.0))
    assert turned == pytest.approx((-high, -low), abs=1 / sizes.sum() + 1e-9)


@pytest.mark.parametrize("accuracies", [(0.5, 0.5, 0.5), (0.4, 0.8, 0.98), (0.9, 0.97, 1.0), (0.1, 0.3, 0.6)])
def test_an_interval_covers_the_truth(accuracies):
    rng, sizes, taken = np.random.default_rng(0), np.array([150, 250, 600]), np.array([14, 13, 13])
    right = np.round(sizes * accuracies).astype(int)
    found = rng.hypergeometric(right, sizes - right, taken, size=(4000, 3))
    ends = stratified_interval(np.stack([taken - found, found], axis=-1), sizes)
    truth = right.sum() / sizes.sum()
    assert ((ends[:, 0] <= truth + 1e-9) & (ends[:, 1] >= truth - 1e-9)).mean() >= 0.94


def test_an_interval_of_a_difference_covers_the_truth():
    rng, sizes, taken = np.random.default_rng(0), np.array([100, 200, 700]), np.array([13, 13, 14])
    held = np.array([[20, 40, 40], [20, 150, 30], [0, 700, 0]])
    counts = np.stack(
        [rng.multivariate_hypergeometric(row, n, size=2000) for row, n in zip(held, taken, strict=True)], axis=1
    )
    unaware = stratified_interval(counts, sizes, (-1.0, 0.0, 1.0))
    counts[:, 2] = held[2]  # models that answer alike are as good, seen or not
    ends = stratified_interval(counts, sizes, (-1.0, 0.0, 1.0))
    truth = (held[:, 2] - held[:, 0]).sum() / sizes.sum()
    for found in (unaware, ends):
        assert ((found[:, 0] <= truth + 1e-9) & (found[:, 1] >= truth - 1e-9)).mean() >= 0.94
    assert np.ptp(ends, axis=1).mean() < 0.8 * np.ptp(unaware, axis=1).mean()
