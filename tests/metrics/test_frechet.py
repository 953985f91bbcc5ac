"""Fréchet distance: against SciPy's matrix square root, and in cases with a known answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from acclimate.metrics.frechet import frechet_distance


@given(st.integers(2, 5), st.integers(8, 30), st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_agrees_with_the_matrix_square_root(d: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)), rng.normal(1, 2, size=(n + 3, d))
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6, abs=1e-6)


def test_known_answers() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(50, 4))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + np.array([3.0, 0, 4, 0])) == pytest.approx(25)
    centred = a - a.mean(0)
    # Twice as wide: tr Σ + 4 tr Σ − 2 · 2 tr Σ = tr Σ.
    assert frechet_distance(centred, 2 * centred) == pytest.approx(np.trace(np.cov(a, rowvar=False)))


def test_one_feature_and_features_that_never_vary() -> None:
    a = np.array([[0.0], [2.0], [4.0]])
    assert frechet_distance(a, a + 1) == pytest.approx(1)
    flat = np.zeros((5, 3), np.float32)
    assert frechet_distance(flat, flat + 2) == pytest.approx(12)
