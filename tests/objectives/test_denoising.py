"""The marginalised denoising auto-encoder, against explicit corruption and the paper's own formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.objectives.denoising import RIDGE, denoising_map, moments

RNG = np.random.default_rng(0)


def binary(n: int, d: int) -> np.ndarray:
    """Zeros and ones that hang together: each row repeats one of a few patterns, with noise."""
    patterns = RNG.random((4, d)) < 0.4
    return (patterns[RNG.integers(0, 4, n)] ^ (RNG.random((n, d)) < 0.1)).astype(np.float32)


def with_one(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)


def test_moments_are_sums_of_outer_products() -> None:
    x = RNG.normal(size=(2500, 5)).astype(np.float32)
    expected = sum(np.outer(row, row) for row in with_one(x))
    np.testing.assert_allclose(moments(x), expected, rtol=1e-5, atol=1e-3)


def test_moments_of_zeros_and_ones_are_exact() -> None:
    x = binary(3000, 7)
    np.testing.assert_array_equal(moments(x), with_one(x).T @ with_one(x))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_is_the_papers_formula(p: float) -> None:
    """Eqs. 3 to 5, entry by entry, and a system solved in place of an inverse."""
    x = binary(40, 6)
    s, d = with_one(x).T @ with_one(x), 6
    survival = [1 - p] * d + [1.0]
    q, target = np.zeros((d + 1, d + 1)), np.zeros((d, d + 1))
    for i in range(d + 1):
        for j in range(d + 1):
            q[i, j] = s[i, j] * survival[i] * (survival[j] if i != j else 1)
            if i < d:
                target[i, j] = s[i, j] * survival[j]
    expected = np.linalg.solve(q + RIDGE * np.eye(d + 1), target.T).T
    np.testing.assert_allclose(denoising_map(moments(x), p), expected, rtol=1e-6, atol=1e-6)


def test_is_what_least_squares_on_many_corrupted_copies_comes_to() -> None:
    x, p = binary(60, 5), 0.3
    copies = np.tile(x, (4000, 1))
    corrupted = with_one(copies * (RNG.random(copies.shape) >= p))
    fitted = np.linalg.lstsq(corrupted, copies, rcond=None)[0].T
    np.testing.assert_allclose(denoising_map(moments(x), p), fitted, atol=0.01)


def test_without_corruption_it_is_the_identity() -> None:
    w = denoising_map(moments(binary(200, 5)), 0.0)
    np.testing.assert_allclose(w, np.eye(5, 6), atol=1e-5)


def test_a_feature_that_never_occurs_stays_zero() -> None:
    x = binary(50, 5)
    x[:, 2] = 0
    w = denoising_map(moments(x), 0.5)
    np.testing.assert_allclose(w[2], 0, atol=1e-9)
    assert torch.isfinite(w).all()


def test_the_moments_stay_as_they_are() -> None:
    s = moments(binary(50, 5))
    before = s.clone()
    denoising_map(s, 0.5)
    assert torch.equal(s, before)
