import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.kernels import joint_mmd, local_mmd, multi_kernel_mmd

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


def gaussians(points: np.ndarray) -> np.ndarray:
    """The kernel that `looped` uses, as a matrix."""
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    bandwidth = squares.sum() / (len(points) * (len(points) - 1))
    return np.mean([np.exp(-squares / (f * bandwidth)) for f in FACTORS], axis=0)


def probabilities(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    return rng.dirichlet(np.ones(k), size=n)


def test_joint_mmd_matches_loops_over_pairs() -> None:
    rng = np.random.default_rng(0)
    f, p = rng.normal(size=(9, 3)), probabilities(rng, 9, 4)
    kernel = gaussians(f) * np.exp(-((p[:, None] - p[None]) ** 2).sum(axis=2) / 1.68)
    signs = np.where(np.arange(9) < 4, 1 / 4, -1 / 5)
    expected = sum(signs[i] * signs[j] * kernel[i, j] for i in range(9) for j in range(9))
    halves = [(torch.from_numpy(x[:4]), torch.from_numpy(x[4:])) for x in (f, p)]
    assert joint_mmd(halves[0], halves[1], FACTORS).item() == pytest.approx(expected, rel=1e-9)


def test_joint_mmd_sees_what_neither_marginal_shows() -> None:
    features = torch.tensor([[0.0], [0.0], [5.0], [5.0]], dtype=torch.float64)
    one, other = torch.eye(2, dtype=torch.float64)
    agreeing, crossed = torch.stack([one, one, other, other]), torch.stack([other, other, one, one])
    assert multi_kernel_mmd(features, features, FACTORS).item() == pytest.approx(0, abs=1e-12)
    assert multi_kernel_mmd(agreeing, crossed, FACTORS).item() == pytest.approx(0, abs=1e-12)
    assert joint_mmd((features, features), (agreeing, crossed), FACTORS) > 0.1
    assert joint_mmd((features, features), (agreeing, agreeing), FACTORS).item() == pytest.approx(0, abs=1e-12)


def test_local_mmd_matches_loops_over_classes() -> None:
    rng = np.random.default_rng(1)
    s, t, y = rng.normal(size=(5, 3)), rng.normal(size=(6, 3)) + 1, np.array([0, 0, 1, 3, 1])
    p = probabilities(rng, 6, 4)
    p[:, 3] = 0  # no target example's first answer
    p /= p.sum(axis=1, keepdims=True)
    kernel, shared, total = gaussians(np.concatenate([s, t])), 0, 0.0
    for c in range(4):
        if (y == c).any() and (p.argmax(axis=1) == c).any():
            shared += 1
            w = np.concatenate([(y == c) / (y == c).sum(), -p[:, c] / p[:, c].sum()])
            total += sum(w[i] * w[j] * kernel[i, j] for i in range(11) for j in range(11))
    assert 0 < shared < 4
    found = local_mmd(*map(torch.from_numpy, (s, t, y, p)), FACTORS)
    assert found.item() == pytest.approx(total / shared, rel=1e-9)


def test_local_mmd_is_nothing_without_a_shared_class_and_moves_no_prediction() -> None:
    s, t = (torch.randn(3, 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    p = torch.tensor([[0.0, 1.0]] * 3, dtype=torch.float64, requires_grad=True)
    none = local_mmd(s, t, torch.zeros(3, dtype=torch.long), p, FACTORS)
    assert none.item() == 0
    some = local_mmd(s, t, torch.ones(3, dtype=torch.long), p, FACTORS)
    assert some > 0
    some.backward()
    assert p.grad is None
    assert t.grad is not None
    assert t.grad.abs().sum() > 0


def test_joint_and_local_gradients_draw_the_target_to_the_source() -> None:
    s = torch.zeros(4, 1, dtype=torch.float64)
    t = torch.full((4, 1), 2.0, dtype=torch.float64, requires_grad=True)
    p = torch.eye(2, dtype=torch.float64)[[0, 0, 1, 1]]
    for loss in (joint_mmd((s, t), (p, p), FACTORS), local_mmd(s, t, p.argmax(dim=1), p, FACTORS)):
        (gradient,) = torch.autograd.grad(loss, t)
        assert (gradient > 0).all()
