import numpy as np
import pytest
import torch

from acclimate.objectives.moments import coral, covariance


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
