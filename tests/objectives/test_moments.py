from itertools import permutations

import numpy as np
import pytest
import torch

from acclimate.objectives.moments import coral, covariance, mean_distance, norm_step, spectral_penalty


def test_covariance_matches_numpy() -> None:
    x = np.random.default_rng(0).normal(size=(7, 4))
    assert np.allclose(covariance(torch.from_numpy(x)).numpy(), np.cov(x, rowvar=False))


def test_coral_matches_numpy_on_sides_of_different_size() -> None:
    rng = np.random.default_rng(1)
    s, t = rng.normal(size=(9, 3)), rng.normal(size=(5, 3)) * 2 + 1
    expected = ((np.cov(s, rowvar=False) - np.cov(t, rowvar=False)) ** 2).sum() / (4 * 9)
    assert coral(torch.from_numpy(s), torch.from_numpy(t)).item() == pytest.approx(expected)


def test_coral_ignores_a_shift_of_the_mean_and_is_zero_for_identical_sides() -> None:
    x = torch.randn(6, 4, dtype=torch.float64)
    assert coral(x, x + 10).item() == pytest.approx(0, abs=1e-20)


def test_coral_passes_gradcheck() -> None:
    inputs = tuple(torch.randn(n, 3, dtype=torch.float64, requires_grad=True) for n in (4, 6))
    assert torch.autograd.gradcheck(coral, inputs)


def test_mean_distance_is_the_mean_product_of_different_examples() -> None:
    rng = np.random.default_rng(2)
    s, t = rng.normal(size=(4, 3)), rng.normal(size=(6, 3)) + 1

    def within(x: np.ndarray) -> float:
        return float(np.mean([x[i] @ x[j] for i, j in permutations(range(len(x)), 2)]))

    expected = within(s) + within(t) - 2 * float((s @ t.T).mean())
    assert mean_distance(torch.from_numpy(s), torch.from_numpy(t)).item() == pytest.approx(expected)


def test_mean_distance_of_small_batches_of_one_distribution_is_zero_on_average() -> None:
    drawn = np.random.default_rng(4).normal(size=(4_000, 2, 3, 5))
    found = [mean_distance(*torch.from_numpy(pair)).item() for pair in drawn]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found)) < 0.3  # apart by 2 · 5 / 3 as they are


def test_mean_distance_of_single_examples_is_that_of_the_two() -> None:
    assert mean_distance(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item() == 4


def test_a_norm_step_lengthens_every_example_by_the_same() -> None:
    f = torch.tensor([[3.0, 4.0], [0.0, 0.1], [60.0, -80.0]], dtype=torch.float64, requires_grad=True)
    loss = norm_step(f, 0.5)
    assert loss.item() == pytest.approx(0.25)
    loss.backward()
    assert f.grad is not None
    unit = f.detach() / f.detach().norm(dim=1, keepdim=True)
    assert torch.allclose(f.grad, -2 * 0.5 / 3 * unit)  # descent moves along f, by 2 Δr / b


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
@pytest.mark.parametrize("largest", [1, 2, 9])
def test_the_spectral_penalty_is_that_of_numpys_singular_values(shape: tuple[int, int], largest: int) -> None:
    f = np.random.default_rng(3).normal(size=shape)
    expected = float((np.linalg.svd(f, compute_uv=False)[:largest] ** 2).sum())
    assert spectral_penalty(torch.from_numpy(f), largest).item() == pytest.approx(expected)


def test_the_spectral_penalty_passes_gradcheck_and_leaves_small_directions_alone() -> None:
    f = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(spectral_penalty, (f,))
    apart = torch.tensor([[3.0, 0.0], [0.0, 2.0]], requires_grad=True)
    spectral_penalty(apart).backward()
    assert apart.grad is not None
    assert apart.grad.tolist() == [pytest.approx([6.0, 0.0]), pytest.approx([0.0, 0.0])]


def test_features_that_are_all_zero_get_no_direction_and_break_nothing() -> None:
    f = torch.tensor([[0.0, 0.0], [0.0, 2.0]], requires_grad=True)
    norm_step(f, 1.0).backward()
    assert f.grad is not None
    assert f.grad.tolist() == [[0.0, 0.0], [0.0, -1.0]]
