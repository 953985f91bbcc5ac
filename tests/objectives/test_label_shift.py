"""Proportions that are known, found again; distances by another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize

from acclimate.objectives.label_shift import (
    class_bias,
    effective_size,
    likely_of_samples,
    likely_proportions,
    regularised_weights,
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


@given(n=st.integers(2, 30), k=st.integers(2, 5), seed=st.integers(0, 99))
def test_samples_side_by_side_are_each_found_as_alone(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    posteriors, priors, starts = (rng.dirichlet(np.full(k, a), size) for a, size in ((0.3, n), (5.0, 4), (5.0, 4)))
    drawn = rng.integers(n, size=(4, n))
    counts = np.array([np.bincount(rows, minlength=n) for rows in drawn])
    alone = [
        likely_proportions(prior, posteriors[rows], start, rounds=100)
        for prior, rows, start in zip(priors, drawn, starts, strict=True)
    ]
    np.testing.assert_allclose(likely_of_samples(priors, posteriors, counts, starts), alone, atol=1e-9)


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


EM, BBSE = [0.3396, 0.6251, 2.4451], [0.3602, 0.5036, 2.5382]


def of_a_model(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posteriors and labels of 200 source examples, and posteriors of 150 of a target with other proportions."""
    rng = np.random.default_rng(seed)
    labels, theirs = rng.choice(3, 200, p=[0.5, 0.3, 0.2]), rng.choice(3, 150, p=[0.1, 0.2, 0.7])

    def posteriors(of: np.ndarray) -> np.ndarray:
        logits = 2.0 * np.eye(3)[of] + rng.normal(size=(len(of), 3)) + np.log([0.5, 0.3, 0.2])
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    return posteriors(labels), labels, posteriors(theirs)


def test_em_and_bbse_are_those_of_abstention() -> None:
    """Numbers of abstention 0.1.3.1: its EM with priors from labels, and hard BBSE, whose shares lie inside here."""
    own, labels, target = of_a_model(0)
    mistakes = np.zeros((3, 3))
    np.add.at(mistakes, (labels, own.argmax(axis=1)), 1)
    answers = np.bincount(target.argmax(axis=1), minlength=3)
    prior = np.bincount(labels) / len(labels)
    likely, confused = likely_proportions(prior, target), target_proportions(mistakes, answers)
    np.testing.assert_allclose(likely / prior, EM, atol=2e-3)
    np.testing.assert_allclose(confused / prior, BBSE, atol=1e-3)
    theirs = pytest.importorskip(
        "abstention.label_shift", reason="abstention is not installed; its numbers stand here"
    )
    em = theirs.EMImbalanceAdapter(estimate_priors_from_valid_labels=True, max_iterations=1000)
    known = {"valid_labels": np.eye(3)[labels], "valid_posterior_probs": own, "tofit_initial_posterior_probs": target}
    np.testing.assert_allclose(likely / prior, em(**known).multipliers, atol=2e-3)
    np.testing.assert_allclose(confused / prior, theirs.BBSEImbalanceAdapter()(**known).multipliers, atol=1e-3)


@pytest.mark.parametrize("regularisation", [1e-3, 0.01, 0.1, 3.0])
def test_regularised_weights_are_what_a_general_solver_finds(regularisation: float) -> None:
    own, labels, target = of_a_model(1)
    joint = np.zeros((3, 3))
    np.add.at(joint, (labels, own.argmax(axis=1)), 1)
    answers = np.bincount(target.argmax(axis=1), minlength=3)
    n, limit = 200, np.log(2 * 3 / 0.05)
    weight = regularisation * 3 * (2 * limit / (3 * n) + np.sqrt(2 * limit / n))

    def loss(theta: np.ndarray) -> float:
        misfit = joint.T / n @ (theta + 1) - answers / answers.sum()
        return float(np.sqrt(misfit @ misfit + 1e-16) + weight * np.sqrt(theta @ theta + 1e-16))

    starts = np.random.default_rng(0).normal(scale=0.3, size=(5, 3))
    best = min(minimize(loss, s, method="SLSQP", bounds=[(-1, None)] * 3, tol=1e-12).fun for s in starts)
    assert loss(regularised_weights(joint, answers, regularisation) - 1) <= best + 1e-5


def test_weights_stay_at_one_where_nothing_is_known() -> None:
    assert regularised_weights(np.array([[3, 2], [2, 3]]), np.array([4, 6]), 1.0) == pytest.approx([1, 1])
