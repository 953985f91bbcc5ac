"""A linear map and stationary directions, against what they are defined by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from acclimate.objectives.moments_of_sides import chance, linear_monge, stationary_directions


@given(st.integers(1, 5), st.integers(0, 99))
def test_the_map_brings_mean_and_covariance_over_and_is_symmetric(d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, target = (rng.normal(size=(60, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d) for _ in range(2))
    a, b = linear_monge(source, target)
    moved = source @ a + b
    np.testing.assert_allclose(moved.mean(axis=0), target.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(a, a.T, atol=1e-6 * abs(a).max())
    np.testing.assert_allclose(np.cov(moved.T), np.cov(target.T), atol=1e-3 * np.cov(target.T).max())


def test_the_map_is_the_formula_with_another_square_root() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(50, 3)) * [1, 2, 3], rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3))
    own, other = np.cov(source.T), np.cov(target.T)
    root = sqrtm(own)
    expected = np.linalg.inv(root) @ sqrtm(root @ other @ root) @ np.linalg.inv(root)
    np.testing.assert_allclose(linear_monge(source, target)[0], expected.real, atol=1e-8)


def test_directions_are_ordered_by_what_moments_say_along_them() -> None:
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    source = rng.normal(size=(4000, 4)) @ turn
    target = (rng.normal(size=(4000, 4)) * [1, 1, 3, 1] + [0, 0, 0, 2]) @ turn
    values, directions = stationary_directions(source, target)
    assert (np.diff(values) >= 0).all()
    assert (values <= 10 * chance(4000, 4000, 4)).tolist() == [True, True, False, False]
    kept = directions[:, :2]
    np.testing.assert_allclose(np.abs(turn[2:] @ kept), 0, atol=0.1)
    np.testing.assert_allclose((source @ kept).mean(axis=0), (target @ kept).mean(axis=0), atol=0.1)


def test_chance_is_about_what_chance_gives() -> None:
    rng = np.random.default_rng(0)
    means = [stationary_directions(rng.normal(size=(300, 6)), rng.normal(size=(200, 6)))[0].mean() for _ in range(30)]
    assert np.mean(means) == pytest.approx(chance(300, 200, 6), rel=0.2)


def test_constant_features_are_in_no_direction() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(50, 2)), np.ones((50, 1))], axis=1)
    values, directions = stationary_directions(rows, rows + np.array([1, 0, 0]))
    assert directions.shape == (3, 2)
    assert np.isfinite(values).all()
