"""Proportions that are known, found again; distances by another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from acclimate.objectives.label_shift import (
    class_bias,
    effective_size,
    likely_proportions,
    target_proportions,
    weighted_distance,
)


def test_proportions_worked_out_by_hand() -> None:
    """Of A 80 of 100 are called A, of B 10 of 20. With 30 % of A, 0.3 · 0.8 + 0.7 · 0.5 = 59 % are called A."""
    confusion = np.array([[80, 20], [10, 10]])
    assert target_proportions(confusion, np.array([590, 410])) == pytest.approx([0.3, 0.7])


@given(st.integers(2, 6), st.integers(0, 999))
def test_answers_of_known_proportions_give_them_back(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rates = 0.7 * np.eye(k) + 0.3 * rng.dirichlet(np.ones(k), size=k)
    proportions = rng.dirichlet(np.ones(k))
    found = target_proportions(rates * rng.integers(10, 1000, (k, 1)), proportions @ rates)
    assert found == pytest.approx(proportions, abs=1e-4)


def test_answers_that_no_proportions_give_are_met_as_nearly_as_can_be() -> None:
    """Half of A is called B, so that A cannot be more than half of the answers."""
    found = target_proportions(np.array([[50, 50], [0, 100]]), np.array([100, 0]))
    assert found == pytest.approx([1, 0], abs=1e-6)


def test_a_class_without_examples_counts_as_it_is_answered() -> None:
    assert target_proportions(np.array([[10, 0], [0, 0]]), np.array([3, 1])) == pytest.approx([0.75, 0.25])


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 999))
def test_the_distance_is_kolmogorovs_of_the_weighted_sample_written_out(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, 12, n).astype(float), rng.integers(3, 15, m).astype(float)
    weights = rng.integers(0, 4, n)
    weights[0] += 1
    expected = stats.ks_2samp(np.repeat(source, weights), target).statistic
    assert weighted_distance(source, weights.astype(float), target) == pytest.approx(expected)


def test_the_effective_size() -> None:
    assert effective_size(np.ones(7)) == 7
    assert effective_size(np.array([1.0, 0, 0])) == 1
    assert effective_size(np.array([2.0, 1.0])) == pytest.approx(9 / 5)


def blobs(rng: np.random.Generator, shares: list[float], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of two normal classes, two deviations apart, and P(class | x) in a source with half of each."""
    labels = rng.choice(2, n, p=shares)
    x = rng.normal(2.0 * labels)
    one = 1 / (1 + np.exp(2.0 - 2.0 * x))
    return np.stack([1 - one, one], axis=1), labels


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
def test_the_likeliest_proportions_are_near_the_true_ones(share: float) -> None:
    posteriors, _ = blobs(np.random.default_rng(0), [1 - share, share], 20_000)
    assert likely_proportions(np.array([0.5, 0.5]), posteriors)[1] == pytest.approx(share, abs=0.02)


def test_the_likeliest_proportions_are_where_a_search_finds_them() -> None:
    posteriors, _ = blobs(np.random.default_rng(1), [0.7, 0.3], 300)
    grid = np.linspace(0.001, 0.999, 999)
    likelihood = [np.log(2 * (posteriors @ [1 - share, share])).sum() for share in grid]
    found = likely_proportions(np.array([0.5, 0.5]), posteriors)
    assert found[1] == pytest.approx(grid[np.argmax(likelihood)], abs=2e-3)
    again = likely_proportions(np.array([0.5, 0.5]), posteriors, np.array([0.05, 0.95]))
    assert again == pytest.approx(found, abs=2e-3)


def test_a_class_that_nothing_speaks_for_gets_no_share() -> None:
    posteriors = np.tile([0.99, 0.01], (500, 1))
    assert likely_proportions(np.array([0.5, 0.5]), posteriors) == pytest.approx([1, 0], abs=1e-3)


def test_temperature_and_bias_undo_what_was_done_to_logits() -> None:
    posteriors, labels = blobs(np.random.default_rng(0), [0.5, 0.5], 20_000)
    logits = 3 * np.log(posteriors) + [4.0, 0.0]
    temperature, bias = class_bias(logits, labels)
    assert temperature == pytest.approx(3, rel=0.05)
    assert bias[1] - bias[0] == pytest.approx(4 / 3, abs=0.1)


def test_calibrated_shares_are_the_labels() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 500, p=[0.6, 0.3, 0.1])
    logits = 2 * rng.normal(size=(500, 3)) + np.eye(3)[labels]
    temperature, bias = class_bias(logits, labels)
    scores = np.exp(logits / temperature + bias)
    shares = (scores / scores.sum(axis=1, keepdims=True)).mean(axis=0)
    assert shares == pytest.approx(np.bincount(labels) / 500, abs=2e-3)
