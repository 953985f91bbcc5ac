"""Columns one by one: SciPy's tests, values worked out by hand, units told from shifts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from acclimate.selection.columns import (
    Choices,
    ColumnShift,
    Numbers,
    benjamini_hochberg,
    compared,
    kolmogorov_smirnov,
    scale_factor,
    share_p,
)
from acclimate.selection.diagnosis_page import _values


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 999), st.booleans())
def test_kolmogorov_and_smirnovs_distance_is_scipys(n: int, m: int, seed: int, repeat: bool) -> None:
    rng = np.random.default_rng(seed)
    one, two = (np.sort(rng.integers(5, size=k) if repeat else rng.normal(size=k)) for k in (n, m))
    distance, p = kolmogorov_smirnov(one, two)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about SciPy's p-value, which is not what is compared
        assert distance == pytest.approx(stats.ks_2samp(one, two).statistic)
    assert p == pytest.approx(stats.kstwobign.sf(distance * np.sqrt(n * m / (n + m))))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrected_p_values_written_out(p: list[float]) -> None:
    k, order = len(p), np.sort(p)
    for one, q in zip(p, benjamini_hochberg(np.array(p)), strict=True):
        assert q == pytest.approx(min([order[j] * k / (j + 1) for j in range(k) if order[j] >= one] + [1.0]))


def test_shares_are_tested_as_by_a_table_of_four() -> None:
    expected = stats.chi2_contingency([[30, 70], [15, 85]], correction=False).pvalue
    assert share_p(np.array([30]), 100, np.array([15]), 100)[0] == pytest.approx(expected)
    assert share_p(np.array([0, 100]), 100, np.array([0, 50]), 50).tolist() == [1, 1]


@pytest.mark.parametrize("factor", [1000, 0.001, 25.4])
def test_another_unit_is_told_with_its_factor(factor: float) -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(20, 5, 300), factor * rng.normal(20, 5, 200)
    assert scale_factor(one, two) == pytest.approx(factor, rel=0.1)


def test_what_is_larger_or_wider_alone_is_no_other_unit() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(20, 1, 300)
    assert scale_factor(x, x + 1000) is None  # of another place
    assert scale_factor(x, 20 + 50 * (x - 20)) is None  # of another width
    assert scale_factor(x, 2 * x) is None
    assert scale_factor(x, np.zeros(10)) is None
    assert scale_factor(x, np.array([])) is None


def test_a_choice_is_told_by_the_value_whose_share_changes_most() -> None:
    column = Choices("colour", ("red", "blue"), np.array([0] * 30 + [1] * 70), np.array([0] * 80 + [1] * 20))
    (found,) = compared([column])
    assert (found.told, found.source, found.target, found.distance) == (
        "share of “red”",
        0.3,
        0.8,
        pytest.approx(0.5),
    )
    assert found.p == pytest.approx(stats.chi2_contingency([[30, 70], [80, 20]], correction=False).pvalue)


def test_values_that_the_source_lacks_are_told() -> None:
    column = Choices("colour", ("red",), np.zeros(50, int), np.array([0] * 20 + [-2] * 30))
    (found,) = compared([column])
    assert (found.told, found.source, found.target) == ("share of values that the source lacks", 0, 0.6)


def test_missing_values_count_where_the_others_are_alike() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=200), rng.normal(size=200)
    two[:100] = np.nan
    found = compared([Numbers("a", one, two), Numbers("b", one, one), Numbers("c", one, np.full(200, np.nan))])
    assert [c.missing_target for c in found] == [0.5, 0, 1]
    assert [c.q < 1e-6 for c in found] == [True, False, True]
    assert found[2].target is None


def test_among_many_columns_alike_hardly_ever_one_is_called_different() -> None:
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        columns = [Numbers(str(i), rng.normal(size=100), rng.normal(size=80)) for i in range(30)]
        alarms += min(c.q for c in compared(columns)) <= 0.05
    assert alarms <= 6


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        (1_000_150.0, 1_000_434.5, ("1,000,150", "1,000,434")),
        (0.12345678, 0.12345699, ("0.1234568", "0.123457")),
        (3.0, 3.0, ("3", "3")),
        (None, 2.0, ("–", "2")),
        (float("1e300"), -2.5, ("1e+300", "-2.5")),
    ],
)
def test_numbers_that_differ_are_shown_as_different(
    source: float | None, target: float | None, told: tuple[str, str]
) -> None:
    shift = ColumnShift("x", "numbers", 1.0, 0.0, 0.0, "median", source, target)
    assert _values(shift) == told
