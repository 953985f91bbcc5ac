"""Maps to class means and the metric of classes, against general solvers and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from acclimate.objectives.class_means import class_means, ridge_map, within_scatter, within_whitening


@given(ridge=st.floats(0.1, 10), seed=st.integers(0, 50))
def test_the_map_is_where_a_search_finds_the_least(ridge: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y, start = rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), rng.normal(size=(2, 2))

    def loss(flat: np.ndarray) -> float:
        w = flat.reshape(2, 2)
        return float(np.square(x @ w - y).sum() / 6 + ridge * np.square(w - start).sum())

    found = minimize(loss, np.zeros(4), tol=1e-12).x.reshape(2, 2)
    np.testing.assert_allclose(ridge_map(x, y, start, ridge), found, atol=1e-4)


def test_a_strong_ridge_leaves_the_map_where_it_starts() -> None:
    rng = np.random.default_rng(0)
    x, y, start = rng.normal(size=(9, 3)), rng.normal(size=(9, 4)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(ridge_map(x, y, start, 1e9), start, atol=1e-6)


def test_after_whitening_classes_are_round() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=4_000)
    x = 10 * rng.normal(size=(4, 3))[labels] + rng.normal(size=(4_000, 3)) @ rng.normal(size=(3, 3))
    metric = within_whitening([within_scatter(x, labels)], 1e-9)
    np.testing.assert_allclose(within_scatter(x @ metric, labels), np.eye(3), atol=1e-6)


def test_fully_shrunk_it_is_one_number() -> None:
    metric = within_whitening([np.diag([3.0, 1.0]), np.diag([1.0, 3.0])], 1.0)
    np.testing.assert_allclose(metric, np.eye(2) / np.sqrt(2))


def test_scatter_is_the_covariance_within_classes_written_out() -> None:
    x, labels = np.array([[1.0], [3.0], [10.0], [16.0]]), np.array([0, 0, 2, 2])
    means = class_means(x, labels, 3)
    assert means[[0, 2], 0].tolist() == [2.0, 13.0]
    assert np.isnan(means[1]).all()
    assert within_scatter(x, labels) == pytest.approx(np.array([[(1 + 1 + 9 + 9) / 4]]))
