"""Tests of two samples: uniform p-values where there is no difference, small ones where there is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from acclimate.selection.two_sample import kernel_distance, told_apart


def sides(n: int, m: int) -> np.ndarray:
    return np.arange(n + m) >= n


def test_scores_are_those_of_a_discriminant_fitted_without_the_example() -> None:
    rng = np.random.default_rng(0)
    x, side = rng.normal(size=(40, 3)), sides(25, 15)
    x[side] += 0.5
    features = np.concatenate([x, (x - x.mean(axis=0)) ** 2], axis=1)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    y, d = side - side.mean(), features.shape[1]
    scores = told_apart(x, side, rng).scores
    for i in range(40):
        phi, own = np.delete(features, i, axis=0), np.delete(y, i)
        beta = np.linalg.solve(phi.T @ phi + d * np.eye(d), phi.T @ own)
        assert scores[i] == pytest.approx(features[i] @ beta, abs=1e-4)


@pytest.mark.parametrize(("n", "m", "d"), [(60, 30, 2), (100, 100, 20), (150, 40, 1)])
def test_without_a_difference_p_values_are_uniform(n: int, m: int, d: int) -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n + m, d)).astype(np.float32)
        found.append([told_apart(x, sides(n, m), rng).p, kernel_distance(x, sides(n, m), rng)[1]])
    for p in np.array(found).T:
        assert stats.kstest(p, "uniform").pvalue > 1e-3
        assert (p <= 0.05).sum() <= 8  # of 60, where 3 are to be expected


def test_columns_of_no_width_or_one_value_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    found = told_apart(np.ones((60, 2)), sides(30, 30), rng)
    assert (found.accuracy, found.p) == (0.5, 1.0)
    assert kernel_distance(np.ones((60, 2)), sides(30, 30), rng) == (pytest.approx(0, abs=1e-6), 1.0)


@pytest.mark.parametrize("kind", ["mean", "spread"])
def test_a_shift_of_mean_or_of_spread_alone_is_seen(kind: str) -> None:
    rng = np.random.default_rng(0)
    x, side = rng.normal(size=(300, 5)), sides(200, 100)
    x[side, 0] = x[side, 0] + 1 if kind == "mean" else 3 * x[side, 0]
    found = told_apart(x, side, rng)
    assert found.p == 0.001
    assert found.accuracy > max(found.visible, 0.6)


def test_kernels_see_what_lies_in_no_column_alone() -> None:
    """Each coordinate is normal on both sides; their product has one sign in the target."""
    rng = np.random.default_rng(0)
    x, side = rng.normal(size=(600, 2)), sides(300, 300)
    x[side, 1] = np.abs(x[side, 1]) * np.sign(x[side, 0])
    assert kernel_distance(x, side, rng)[1] == 0.001


def test_the_kernels_distance_is_its_double_sum() -> None:
    rng = np.random.default_rng(1)
    x, side = rng.normal(size=(30, 3)), sides(18, 12)
    x[side] += 0.4
    squared = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    kernel = np.exp(-squared / np.median(squared[np.triu_indices(30, 1)]))
    own, other = kernel[~side][:, ~side].mean(), kernel[side][:, side].mean()
    assert kernel_distance(x, side, rng)[0] == pytest.approx(
        own + other - 2 * kernel[~side][:, side].mean(), abs=1e-5
    )


def test_the_classifiers_p_value_is_the_same_for_the_same_draw() -> None:
    x = np.random.default_rng(0).normal(size=(80, 4))
    one, two = (told_apart(x, sides(50, 30), np.random.default_rng(7)) for _ in range(2))
    assert (one.p, one.accuracy, one.visible) == (two.p, two.accuracy, two.visible)
