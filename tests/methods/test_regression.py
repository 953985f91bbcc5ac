"""Regression: what its methods compute, held against arithmetic of another kind, and a world with a known answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from acclimate import discovery
from acclimate.data.budget import LabelBudget
from acclimate.data.domain import Domain
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from acclimate.data.task import Task
from acclimate.errors import DataError, RequestError
from acclimate.methods.base import Method
from acclimate.metrics.regression import number_scores
from acclimate.objectives.regression import inverse_gram, subspace_distance
from acclimate.problems.planning import make_method
from worlds import quick_fit, same_weights, with_numbers

METHODS = [name for name, m in sorted(discovery.methods().items()) if m.fact("problem") == "regression"]


def drawn(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d)).clip(-0.3)).float()


def test_subspace_distance_is_that_of_numpys_principal_angles() -> None:
    source, target = drawn(4, 9, 0), drawn(4, 9, 1)
    one, other = (np.linalg.qr(side.numpy().T.astype(np.float64))[0] for side in (source, target))
    cosines = np.linalg.svd(one.T @ other, compute_uv=False)
    distance, mismatch = subspace_distance(source, target)
    assert float(distance) == pytest.approx(np.sqrt(1 - cosines**2).sum(), rel=1e-5)
    u_s, u_t = (np.linalg.svd(side.numpy().T.astype(np.float64), full_matrices=False)[0] for side in (source, target))
    p_s, _, p_t = np.linalg.svd(u_s.T @ u_t)
    assert float(mismatch) == pytest.approx(np.linalg.norm(abs(p_s) - abs(p_t.T)), rel=1e-5)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_inverse_gram_is_that_of_numpys_pseudo_inverse(share: float) -> None:
    """As the authors' code goes about it: by singular values of the whole Gram matrix."""
    source, target = drawn(6, 9, 0), drawn(6, 9, 1) * 2
    z = [np.column_stack([np.ones(6), side.numpy().astype(np.float64)]) for side in (source, target)]
    grams = [side.T @ side for side in z]
    values = [np.linalg.svd(gram, compute_uv=False) for gram in grams]
    sums = [np.cumsum(v) / v.sum() for v in values]
    k = max(np.flatnonzero(s <= max(share, s[1]))[-1] for s in sums)
    bounds = [np.sqrt(v[k - 1] * v[k]) / v[0] for v in values]
    one, other = (np.linalg.pinv(g, rcond=b, hermitian=True) for g, b in zip(grams, bounds, strict=True))
    cosines = (one * other).sum(axis=0) / (np.linalg.norm(one, axis=0) * np.linalg.norm(other, axis=0))
    angle, scale = inverse_gram(source, target, share)
    assert float(angle) == pytest.approx(np.abs(1 - cosines).mean(), rel=1e-4)
    assert float(scale) == pytest.approx(np.linalg.norm(values[0][:k] - values[1][:k]) / k, rel=1e-4)


def test_gradients_of_both_are_those_of_finite_differences() -> None:
    sides = tuple(drawn(3, 7, seed).double().requires_grad_() for seed in (0, 1))
    for distance in (lambda s, t: subspace_distance(s, t)[0], lambda s, t: inverse_gram(s, t, 0.9)[0]):
        assert torch.autograd.gradcheck(lambda s, t, of=distance: of(s, t).double(), sides, eps=1e-3, atol=1e-2)


@pytest.mark.parametrize("rows", [[0, 0, 1], [0] * 12])
def test_copies_in_a_batch_and_more_examples_than_features_break_nothing(rows: list[int]) -> None:
    source = drawn(12, 7, 0)[rows].requires_grad_()
    distance, mismatch = subspace_distance(source, drawn(len(rows), 7, 1))
    (distance + mismatch).backward()
    assert torch.isfinite(source.grad).all()


def bent(rng: np.random.Generator, n: int, centre: float) -> Domain:
    """y = sin 3x, which no line through all of it is right about, seen around one place."""
    x = rng.normal(centre, 0.5, (n, 1))
    return Domain(x.astype(np.float32), numbers=100 + 40 * np.sin(3 * x[:, 0]) + rng.normal(0, 2, n))


def a_bend() -> Task:
    rng = np.random.default_rng(0)
    return Task(bent(rng, 300, 0.0), bent(rng, 300, 1.0), target_test=bent(rng, 300, 1.0))


def error(method: Method, task: Task, **options: Any) -> float:
    assert task.target_test is not None
    assert task.hidden is not None
    fitted = quick_fit(method, task, **{**options, "steps": options.get("steps", 1)})
    return number_scores(fitted.outputs(task.target_test).logits[:, 0], task.hidden.numbers["target_test"])["mae"]


@pytest.mark.parametrize("name", ["regression-kmm", "regression-kliep"])
def test_weights_solve_covariate_shift_that_a_stiff_model_does_not(name: str) -> None:
    """Stiff: with a large penalty no function can be right everywhere, and weights say where it has to be."""
    task, options = a_bend(), {"penalty": 30.0}
    assert error(make_method(name, options), task) < error(make_method("kernel-ridge", options), task) - 1


def test_jdot_follows_a_target_that_is_moved() -> None:
    rng = np.random.default_rng(0)
    task = a_bend()
    source = bent(rng, 300, 0.0)

    def moved() -> Domain:
        side = bent(rng, 300, 0.0)
        return replace(side, inputs=side.array + np.float32(0.8))

    task = Task(source, moved(), target_test=moved())
    assert error(make_method("regression-jdot", {}), task) < 0.8 * error(make_method("kernel-ridge", {}), task)


def test_jdots_fixed_point_is_a_transport_and_a_ridge_by_hand() -> None:
    """One round by POT and scikit-learn, from the function of the source alone."""
    ot = pytest.importorskip("ot")
    rng = np.random.default_rng(1)
    task = Task(bent(rng, 40, 0.0), bent(rng, 40, 0.5))
    fitted = quick_fit(make_method("regression-jdot", {"penalty": 1.0, "rounds": 1}), task, steps=1)
    seen = fitted.plan.preprocess.of("source")
    x_s, x_t = (seen.batch(seen.fit(d).inputs, None).double().numpy() for d in (task.source, task.target))
    z = (task.source.numbers - task.source.numbers.mean()) / task.source.numbers.std()
    gamma = 1 / np.concatenate([x_s]).var()

    def ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Kernel ridge with an intercept outside the penalty, spanned by the source, answering the target."""
        values, vectors = np.linalg.eigh(kernel(x_s, x_s))
        kept = values > 1e-6 * values[-1]
        whiten = vectors[:, kept] / np.sqrt(values[kept])
        return Ridge(alpha=1.0).fit(kernel(x, x_s) @ whiten, y).predict(kernel(x_t, x_s) @ whiten)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.exp(-gamma * np.square(a - b.T))

    distance = ot.dist(x_s, x_t)
    cost = distance / distance.max() + np.square(z[:, None] - ridge(x_s, z)[None]) / np.ptp(z) ** 2
    expected = ridge(x_t, 40 * ot.emd([], [], cost).T @ z)
    got = fitted.outputs(task.target).logits[:, 0]
    np.testing.assert_allclose(got, task.source.numbers.mean() + task.source.numbers.std() * expected, rtol=1e-3)


def test_kernel_ridge_is_scikit_learns_where_all_rows_are_kept() -> None:
    rng = np.random.default_rng(2)
    task = Task(bent(rng, 60, 0.0), bent(rng, 60, 0.5))
    numbers = task.source.numbers
    fitted = quick_fit(make_method("kernel-ridge", {"penalty": 1.0}), task, steps=1)
    seen = fitted.plan.preprocess.of("source")
    x_s, x_t = (seen.batch(seen.fit(d).inputs, None).double().numpy() for d in (task.source, task.target))
    got = (fitted.outputs(task.target).logits[:, 0] - numbers.mean()) / numbers.std()
    model = KernelRidge(alpha=1.0, kernel="rbf", gamma=1 / x_s.var()).fit(
        x_s, (numbers - numbers.mean()) / numbers.std()
    )
    assert np.corrcoef(got, model.predict(x_t))[0, 1] > 0.99  # the intercept alone is ours


@pytest.mark.parametrize("name", METHODS)
def test_hidden_numbers_reach_nothing(name: str) -> None:
    task, method = with_numbers(shifted_blobs(40, num_classes=2)), make_method(name, {})
    assert task.hidden is not None
    turned = {role: numbers[::-1].copy() for role, numbers in task.hidden.numbers.items()}
    other = replace(task, hidden=replace(task.hidden, numbers=turned))
    assert task.target.numbers is None
    assert same_weights(*(quick_fit(method, t, steps=3) for t in (task, other)))


@pytest.mark.parametrize("name", METHODS)
def test_numbers_in_other_units_are_answered_in_those(name: str) -> None:
    """What is learnt is the same up to rounding, since numbers are learnt in units of their own deviation."""
    pounds = with_numbers(shifted_blobs(40, num_classes=2))
    pence = with_numbers(shifted_blobs(40, num_classes=2), scale=50.0 * 100, offset=-20.0 * 100)
    one, two = (quick_fit(make_method(name, {}), t, steps=3).outputs(t.target).logits[:, 0] for t in (pounds, pence))
    np.testing.assert_allclose(two, 100 * one, rtol=1e-3, atol=2.0)


def test_granted_numbers_are_the_true_ones_and_no_longer_scored() -> None:
    task = with_numbers(dimmed_bars(40))
    given = task.with_label_budget(LabelBudget.parse(5))
    assert task.hidden is not None
    assert given.hidden is not None
    known = given.target.labels == 0
    assert known.sum() == 5
    np.testing.assert_array_equal(given.target.numbers[known], task.hidden.numbers["target"][known])
    assert np.isnan(given.hidden.numbers["target"][known]).all()
    np.testing.assert_array_equal(given.hidden.numbers["target"][~known], task.hidden.numbers["target"][~known])


def test_what_cannot_be_learnt_is_refused_before_training() -> None:
    x = np.arange(24, dtype=np.float32).reshape(12, 2)
    with pytest.raises(DataError, match=r"must differ to be learnt; got 3 in all 12 examples"):
        Task(Domain(x, numbers=np.full(12, 3.0)), Domain(x))
    with pytest.raises(DataError, match=r"at least 10 examples .* got 4"):
        Task(Domain(x, numbers=[1, 2, 3, 4, *[np.nan] * 8]), Domain(x))
    with pytest.raises(DataError, match="12 finite numbers"):
        Domain(x, numbers=[np.inf, *range(11)])
    with pytest.raises(DataError, match="12 finite numbers"):
        Domain(x, numbers=range(11))
    numbers, classes = with_numbers(dimmed_bars(40)), dimmed_bars(40)
    with pytest.raises(RequestError, match="must be labelled with classes for the method 'dann'"):
        quick_fit(make_method("dann", {}), numbers)
    with pytest.raises(RequestError, match="must be labelled with numbers for the method 'rsd'"):
        quick_fit(make_method("rsd", {}), classes)
