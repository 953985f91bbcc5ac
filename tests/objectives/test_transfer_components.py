"""Transfer components against a direct solution of the paper's eigenvalue problem."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eig

from acclimate.objectives.transfer_components import mean_difference, transfer_components

RNG = np.random.default_rng(0)


def directly(x: np.ndarray, m: np.ndarray, p: int, penalty: float) -> np.ndarray:
    """W by (K M K + λ I)⁻¹ K H K with no symmetry, no coordinates and no rank, as the paper writes it."""
    k, n = x @ x.T, len(x)
    h = np.eye(n) - np.ones((n, n)) / n
    m = m / np.linalg.norm(m)
    values, vectors = eig(np.linalg.solve(k @ m @ k + penalty * np.eye(n), k @ h @ k))
    leading = np.real(vectors[:, np.argsort(-np.real(values))[:p]])
    return x.T @ (leading / np.linalg.norm(leading, axis=0))


@pytest.mark.parametrize(("n", "m", "d"), [(14, 9, 6), (5, 6, 30)], ids=["tall", "wide"])
def test_equals_the_eigenvectors_of_the_paper(n: int, m: int, d: int) -> None:
    x = RNG.normal(size=(n + m, d)) * np.linspace(0.3, 2, d) + np.r_[np.zeros(n), np.ones(m)][:, None]
    e = np.r_[np.full(n, 1 / n), np.full(m, -1 / m)]
    c = np.r_[np.full(2, 1 / 2), np.zeros(n - 2), np.zeros(m - 3), np.full(3, -1 / 3)]
    w = transfer_components(x, [e, c], 4, 0.7)
    expected = directly(x, np.outer(e, e) + np.outer(c, c), 4, 0.7)
    expected *= np.sign((w * expected).sum(axis=0))
    np.testing.assert_allclose(w, expected, atol=1e-7)


def test_moves_the_means_together_and_keeps_the_variance() -> None:
    x = RNG.normal(size=(40, 5))
    x[20:, 0] += 50  # the largest direction of all, and nothing but the difference of the domains
    sides = np.arange(40) < 20
    w = transfer_components(x, [mean_difference(sides[:20], sides[:20])], 1, 1e-3)
    z = (x @ w)[:, 0]
    assert abs(z[:20].mean() - z[20:].mean()) < 0.01 * z.std()


def test_the_difference_of_means_is_one_and_of_nothing_counts_as_zero() -> None:
    x = RNG.normal(size=(7, 2))
    source, target = np.array([True, False, True]), np.array([False, True, True, False])
    np.testing.assert_allclose(
        mean_difference(source, target) @ x, x[[0, 2]].mean(axis=0) - x[[4, 5]].mean(axis=0), atol=1e-12
    )
    np.testing.assert_allclose(mean_difference(source, ~target & False) @ x, x[[0, 2]].mean(axis=0), atol=1e-12)


def test_has_no_more_components_than_there_are_directions() -> None:
    x = np.outer(np.arange(6.0), [1, 2, 3])
    assert transfer_components(x, [np.r_[np.full(3, 1 / 3), np.full(3, -1 / 3)]], 5, 1.0).shape == (3, 1)
