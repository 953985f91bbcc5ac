"""Density ratios against other solvers, other people's implementations, and ratios that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.metrics.pairwise import rbf_kernel

from acclimate.objectives import density_ratio
from acclimate.objectives.density_ratio import (
    best_ratio,
    kernel_means,
    kliep,
    log_loss,
    matched_means,
    median_gamma,
    squared_error,
    ulsif,
)

GAMMA = 1 / (2 * 0.8**2)


def two_samples() -> tuple[np.ndarray, np.ndarray]:
    """40 source and 30 target examples in the plane."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 2)), rng.normal(size=(30, 2)) * 0.6 + [0.7, 0]


def kernels() -> tuple[np.ndarray, np.ndarray]:
    """Of both with all of the target as centres."""
    source, target = two_samples()
    return rbf_kernel(source, target, GAMMA), rbf_kernel(target, target, GAMMA)


def test_kliep_is_what_a_general_solver_finds() -> None:
    source, target = kernels()
    mean = source.mean(axis=0)
    found = minimize(
        lambda a: -np.log(target @ a).mean(),
        np.full(30, 1 / mean.sum()),
        jac=lambda a: -(target / (target @ a)[:, None]).mean(axis=0),
        method="SLSQP",
        bounds=[(0, None)] * 30,
        constraints={"type": "eq", "fun": lambda a: mean @ a - 1, "jac": lambda a: mean},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    alpha = kliep(source, target)
    assert (source @ alpha).mean() == pytest.approx(1)
    assert -np.log(target @ alpha).mean() == pytest.approx(found.fun, abs=1e-4)
    np.testing.assert_allclose(source @ alpha, source @ found.x, atol=0.03)


def test_skada_finds_no_likelier_ratio() -> None:
    skada = pytest.importorskip("skada", reason="skada is not installed; a general solver is asked above")
    source, target = two_samples()
    x, side = np.concatenate([source, target]), np.repeat([1, -1], [40, 30])
    theirs = skada.KLIEPReweightAdapter(gamma=GAMMA, n_centers=30, max_iter=50_000, tol=1e-9, random_state=0)
    theirs.fit(x, sample_domain=side)
    own, other = (rbf_kernel(part, theirs.centers_, gamma=GAMMA) for part in (source, target))
    alpha = kliep(own, other)
    assert np.log(other @ alpha).mean() >= np.log(other @ theirs.alpha_).mean()


@pytest.mark.parametrize(
    ("relative", "expected"),
    [
        (0.0, [2.713039, 3.618891, 0.843026, 2.251665, 0.459459]),
        (0.5, [1.316905, 1.723537, 0.549838, 1.153971, 0.228714]),
    ],
)
def test_ulsif_and_rulsif_are_those_of_densratio(relative: float, expected: list[float]) -> None:
    """Numbers of densratio 0.3.0, with σ = 0.8, λ = 0.1 and all of the target as centres."""
    source, target = kernels()
    found = source @ ulsif(source, target, 0.1, relative)
    np.testing.assert_allclose(found[:5], expected, atol=1e-5)
    theirs = pytest.importorskip("densratio.RuLSIF", reason="densratio is not installed; its numbers stand above")
    xs, xt = two_samples()
    ratio = theirs.RuLSIF(xt, xs, relative, [0.8], [0.1], 30, False).compute_density_ratio(xs)
    np.testing.assert_allclose(found, ratio, atol=1e-6)


def objective(gram: np.ndarray, to_target: np.ndarray, w: np.ndarray) -> float:
    """What KMM minimises, but for what does not depend on w."""
    return float(w @ gram @ w / len(w) ** 2 - 2 * w @ to_target / len(w))


@pytest.mark.parametrize(("bound", "slack"), [(1000.0, 0.84), (2.0, 0.1), (1000.0, 0.0)])
def test_kernel_means_are_what_a_general_solver_matches(bound: float, slack: float) -> None:
    source, target = two_samples()
    gram, to_target = rbf_kernel(source, gamma=0.5), rbf_kernel(source, target, 0.5).mean(axis=1)
    n = len(gram)
    found = minimize(
        lambda w: objective(gram, to_target, w),
        np.ones(n),
        jac=lambda w: 2 * gram @ w / n**2 - 2 * to_target / n,
        method="SLSQP",
        bounds=[(0, bound)] * n,
        constraints=[
            {"type": "ineq", "fun": lambda w: slack + 1 - w.mean() + 1e-12},
            {"type": "ineq", "fun": lambda w: w.mean() - 1 + slack + 1e-12},
        ],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    w = kernel_means(gram, to_target, bound, slack)
    assert 0 <= w.min() <= w.max() <= bound
    assert abs(w.mean() - 1) <= slack + 1e-6
    assert objective(gram, to_target, w) <= found.fun + 1e-5


def test_skada_matches_no_better() -> None:
    skada = pytest.importorskip("skada", reason="skada is not installed; a general solver is asked above")
    source, target = two_samples()
    x, side = np.concatenate([source, target]), np.repeat([1, -1], [40, 30])
    theirs = skada.KMMReweightAdapter(gamma=0.5, B=1000.0, tol=1e-9, max_iter=10_000, smooth_weights=False)
    weights = theirs.fit(x, sample_domain=side).compute_weights(x, sample_domain=side)[:40]
    gram, to_target = rbf_kernel(source, gamma=0.5), rbf_kernel(source, target, 0.5).mean(axis=1)
    own = kernel_means(gram, to_target, 1000.0, (np.sqrt(40) - 1) / np.sqrt(40))
    assert objective(gram, to_target, own) == pytest.approx(objective(gram, to_target, weights), abs=1e-5)


def by_kliep(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """With kernels on a hundred target examples."""
    return best_ratio(source, target, 100, [kliep], log_loss)


def by_ulsif(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Likewise."""
    return best_ratio(source, target, 100, [lambda a, b: ulsif(a, b, 0.01)], squared_error)


def by_means(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """In one part."""
    return matched_means(source, target, 1000.0)


@pytest.mark.parametrize("estimate", [by_kliep, by_ulsif, by_means])
def test_the_ratio_of_two_gaussians_is_found(estimate: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """N(½, ½²) to N(0, 1): the ratio is 2 exp(x²/2 − 2 (x − ½)²), and moves the mean of any f."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(800, 1)), rng.normal(0.5, 0.5, size=(800, 1))
    w = estimate(source, target)
    true = 2 * np.exp(source[:, 0] ** 2 / 2 - 2 * (source[:, 0] - 0.5) ** 2)
    assert w.min() >= 0
    assert np.corrcoef(w, true)[0, 1] > 0.95
    assert (w * source[:, 0]).sum() / w.sum() == pytest.approx(0.5, abs=0.06)


def test_a_source_in_parts_is_matched_as_one() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(900, 1)), rng.normal(0.5, 0.5, size=(500, 1))
    whole, parts = matched_means(source, target, 1000.0), matched_means(source, target, 1000.0, part=300)
    assert np.corrcoef(whole, parts)[0, 1] > 0.8
    assert (parts * source[:, 0]).sum() / parts.sum() == pytest.approx(0.5, abs=0.06)


@given(st.integers(2, 30), st.integers(1, 30), st.integers(1, 3), st.integers(0, 99))
def test_weights_are_finite_and_not_below_zero_whatever_the_sides(n: int, m: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-3, 4)
    source, target = rng.normal(size=(n, d)), np.round(rng.normal(size=(m, d)) * scale)
    gamma = median_gamma(target)
    own, other = (rbf_kernel(side, target, gamma) for side in (source, target))
    for w in (own @ kliep(own, other), own @ ulsif(own, other, 0.1), matched_means(source, target, 100.0)):
        assert np.isfinite(w).all()
        assert w.min() >= 0


def test_constant_rows_have_a_width() -> None:
    assert median_gamma(np.ones((5, 2))) == 1
    assert median_gamma(np.ones((1, 2))) == 1


def test_momentum_is_dropped_where_it_no_longer_points_downhill() -> None:
    """An ill-conditioned Gram matrix, on which plain momentum swings for thousands of rounds."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(120, 2)), rng.normal(0.5, 0.5, size=(60, 2))
    gram, to_target = rbf_kernel(source, gamma=0.05), rbf_kernel(source, target, 0.05).mean(axis=1)
    values = [
        objective(gram, to_target, kernel_means(gram, to_target, 1000.0, 0.9, rounds=r)) for r in (50, 200, 2000)
    ]
    assert values == sorted(values, reverse=True)
    assert density_ratio.kernel_means(gram, to_target, 1000.0, 0.9).max() < 1000
