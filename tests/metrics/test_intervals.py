"""Intervals and tests against published and independent numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from acclimate.metrics.intervals import (
    holm,
    mcnemar_p,
    mean_ci95,
    paired_interval,
    signed_rank_p,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 1998, table I.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_equals_newcombes_table(successes, n, low, high):
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_interval_is_scipys_and_holds_the_proportion(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson_interval(successes, n)
    theirs = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert low <= successes / n + 1e-12
    assert high >= successes / n - 1e-12


@pytest.mark.parametrize(("mended", "broken"), [(0, 1), (5, 5), (12, 2), (40, 71)])
def test_mcnemar_is_a_fair_coin(mended, broken):
    n = mended + broken
    tail = sum(math.comb(n, i) for i in range(min(mended, broken) + 1)) / 2**n
    assert mcnemar_p(mended, broken) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar_p(mended, broken) == pytest.approx(stats.binomtest(mended, n, 0.5).pvalue)


def test_mcnemar_of_models_that_never_differ_is_one():
    assert mcnemar_p(0, 0) == 1.0


def test_paired_interval_by_hand():
    # (12 + 1, 2 + 1) of 50 + 2.
    gain, loss = 13 / 52, 3 / 52
    reach = 1.959964 * math.sqrt((gain + loss - (gain - loss) ** 2) / 52)
    assert paired_interval(12, 2, 50) == pytest.approx((gain - loss - reach, gain - loss + reach), abs=1e-6)


def test_paired_interval_covers_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(150, [0.2, 0.1, 0.7], size=4_000)
    ends = np.array([paired_interval(int(m), int(b), 150) for m, b, _ in counts])
    covered = ((ends[:, 0] <= 0.1) & (ends[:, 1] >= 0.1)).mean()
    assert 0.935 < covered < 0.965


def test_mean_interval_is_students():
    values = [0.7, 0.74, 0.69, 0.75, 0.72]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert mean_ci95(values) == pytest.approx((high - low) / 2)


def test_one_seed_has_no_interval():
    assert math.isnan(mean_ci95([0.7]))


def test_signed_rank_counts_the_ways_signs_can_fall():
    # Five gains and one loss of the smallest size: rank sums of 1 or less on the losing side come from 2 of the 64
    # ways to give six ranks signs (no loss at all, or the smallest alone), and as many on the other side.
    assert signed_rank_p([0.01, 0.02, 0.03, 0.04, 0.05, -0.005]) == pytest.approx(2 * 2 / 64)
    assert signed_rank_p([0.0, 0.0]) == 1.0


def test_holm_by_hand():
    # Sorted 0.01, 0.03, 0.04 times 3, 2, 1 is 0.03, 0.06, 0.04; the last may not undercut the one before.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(p_values):
    corrected = holm(p_values)
    for p, c in zip(p_values, corrected, strict=True):
        assert p <= c <= min(1.0, p * len(p_values)) or c == pytest.approx(p)
    by_p = [c for _, c in sorted(zip(p_values, corrected, strict=True))]
    assert by_p == sorted(by_p)
