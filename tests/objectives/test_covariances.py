"""Recolouring: what has one covariance gets the other's."""

from __future__ import annotations

import numpy as np
from scipy.linalg import sqrtm

from acclimate.objectives.covariances import recoloured

RNG = np.random.default_rng(0)


def test_moved_rows_have_the_targets_covariance() -> None:
    source, target = (RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4)) for _ in range(2))
    moved = source @ recoloured(source, target, 1e-12)
    np.testing.assert_allclose(np.cov(moved.T), np.cov(target.T), atol=1e-6)


def test_is_the_papers_four_lines() -> None:
    source, target = RNG.normal(size=(5, 7)), RNG.normal(size=(6, 7)) * np.arange(7)
    c_s, c_t = np.cov(source.T) + np.eye(7), np.cov(target.T) + np.eye(7)
    expected = np.real(np.linalg.inv(sqrtm(c_s)) @ sqrtm(c_t))
    np.testing.assert_allclose(recoloured(source, target, 1.0), expected, atol=1e-8)


def test_one_feature_is_a_matrix_too() -> None:
    source, target = RNG.normal(size=(30, 1)), 3 * RNG.normal(size=(30, 1))
    np.testing.assert_allclose(recoloured(source, target, 1e-12), target.std() / source.std(), rtol=1e-9)
