import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.kernels import multi_kernel_mmd

FACTORS = (0.5, 1.0, 2.0)


def looped(s: np.ndarray, t: np.ndarray) -> float:
    pooled = np.concatenate([s, t])
    distances = [((a - b) ** 2).sum() for a, b in itertools.permutations(pooled, 2)]
    bandwidth = np.mean(distances)

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([np.exp(-((a - b) ** 2).sum() / (f * bandwidth)) for f in FACTORS]))

    within_s = np.mean([k(a, b) for a in s for b in s])
    within_t = np.mean([k(a, b) for a in t for b in t])
    across = np.mean([k(a, b) for a in s for b in t])
    return float(within_s + within_t - 2 * across)


def test_matches_double_loops() -> None:
    rng = np.random.default_rng(0)
    s, t = rng.normal(size=(4, 3)), rng.normal(size=(6, 3)) + 1
    found = multi_kernel_mmd(torch.from_numpy(s), torch.from_numpy(t), FACTORS)
    assert found.item() == pytest.approx(looped(s, t), rel=1e-9)


@given(st.integers(0, 10_000))
def test_is_never_negative_and_symmetric(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    s, t = (torch.randn(n, 2, generator=generator, dtype=torch.float64) for n in (3, 5))
    found = multi_kernel_mmd(s, t, FACTORS)
    assert found >= -1e-12
    assert torch.isclose(found, multi_kernel_mmd(t, s, FACTORS))


def test_is_zero_for_identical_sides_even_where_all_points_coincide() -> None:
    x = torch.randn(4, 3, dtype=torch.float64)
    assert multi_kernel_mmd(x, x, FACTORS).item() == pytest.approx(0, abs=1e-12)
    ones = torch.ones(3, 2, dtype=torch.float64)
    assert multi_kernel_mmd(ones, ones, FACTORS).item() == 0


def test_grows_with_the_shift() -> None:
    x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    values = [multi_kernel_mmd(x, x + shift, FACTORS).item() for shift in (0.0, 0.5, 1.0, 2.0)]
    assert values == sorted(values)
    assert values[-1] > values[0] + 0.1


def test_gradient_is_that_of_a_fixed_bandwidth() -> None:
    # γ is a constant of the gradient, so finite differences are taken with γ held: scale-free data make them agree.
    s = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    t = torch.randn(4, 2, dtype=torch.float64)
    with torch.no_grad():
        pooled = torch.cat([s, t])
        bandwidth = torch.cdist(pooled, pooled).square().sum() / (7 * 6)

    def fixed(x: torch.Tensor) -> torch.Tensor:
        pooled = torch.cat([x, t])
        kernel = torch.stack(
            [torch.exp(-torch.cdist(pooled, pooled).square() / (f * bandwidth)) for f in FACTORS]
        ).mean(0)
        return kernel[:3, :3].mean() + kernel[3:, 3:].mean() - 2 * kernel[:3, 3:].mean()

    ours = torch.autograd.grad(multi_kernel_mmd(s, t, FACTORS), s)[0]
    step = 1e-6
    for i, j in itertools.product(range(3), range(2)):
        moved = s.detach().clone()
        moved[i, j] += step
        up = fixed(moved)
        moved[i, j] -= 2 * step
        assert ours[i, j].item() == pytest.approx(((up - fixed(moved)) / (2 * step)).item(), abs=1e-7)
