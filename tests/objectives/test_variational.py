"""The auto-encoder's terms against torch's own distributions and against loops."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from acclimate.objectives.variational import Reconstruction, kl_to_standard_normal, reconstruction_loss, sampled

means = st.floats(-30, 30)
deviations = st.floats(1e-4, 30)


def normals(b: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(b, d, generator=generator, dtype=torch.float64) * 2
    return mean, torch.rand(b, d, generator=generator, dtype=torch.float64) * 3 + 0.05


def test_divergence_is_torchs_own_summed_over_numbers_and_averaged_over_examples() -> None:
    mean, deviation = normals(5, 7)
    expected = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(dim=1).mean()
    assert kl_to_standard_normal(mean, deviation).item() == pytest.approx(expected.item(), rel=1e-12)


def test_divergence_is_the_equation_written_as_loops_for_codes_of_any_shape() -> None:
    mean, deviation = normals(4, 6)
    total = 0.0
    for i in range(4):
        for j in range(6):
            m, s = mean[i, j].item(), deviation[i, j].item()
            total += 0.5 * (m * m + s * s - math.log(s * s) - 1)
    for shape in ((4, 6), (4, 6, 1, 1), (4, 2, 3)):
        found = kl_to_standard_normal(mean.reshape(shape), deviation.reshape(shape))
        assert found.item() == pytest.approx(total / 4, rel=1e-12)


def test_divergence_is_the_expected_difference_of_log_densities() -> None:
    # What the formula stands for, by drawing: E[ln q(z) − ln p(z)].
    torch.manual_seed(0)
    mean, deviation = torch.tensor([[0.7, -1.2]]).double(), torch.tensor([[0.4, 1.6]]).double()
    z = sampled(mean.expand(400_000, 2), deviation.expand(400_000, 2))
    drawn = (Normal(mean, deviation).log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(dim=1)
    assert kl_to_standard_normal(mean, deviation).item() == pytest.approx(drawn.mean().item(), abs=0.01)


@given(means, deviations)
def test_divergence_is_positive_but_at_the_prior(mean: float, deviation: float) -> None:
    code = (torch.tensor([[value]], dtype=torch.float64) for value in (mean, deviation))
    found = kl_to_standard_normal(*code).item()
    assert found >= -1e-12
    if abs(mean) > 1e-4 or abs(deviation - 1) > 1e-4:
        assert found > 0


def test_divergence_of_the_prior_is_nothing() -> None:
    assert kl_to_standard_normal(torch.zeros(3, 2), torch.ones(3, 2)).item() == 0


def test_a_deviation_of_zero_is_dear_but_a_number() -> None:
    mean, deviation = torch.zeros(2, 3), torch.zeros(2, 3, requires_grad=True)
    loss = kl_to_standard_normal(mean, deviation)
    loss.backward()
    assert 100 < loss.item() < math.inf
    assert deviation.grad is not None
    assert torch.isfinite(deviation.grad).all()


def test_gradients() -> None:
    mean, deviation = (v.requires_grad_() for v in normals(3, 4))
    assert torch.autograd.gradcheck(kl_to_standard_normal, (mean, deviation))
    made, x = (v.clone() for v in normals(3, 4, 1))
    for kind in ("smooth-l1", "l1", "l2"):  # no two numbers are equal or 1 apart, where the first two have a kink
        assert torch.autograd.gradcheck(lambda m, k=kind: reconstruction_loss(m, x, k), made.requires_grad_())


def error(kind: Reconstruction, e: float) -> float:
    if kind == "l2":
        return e * e
    return abs(e) if kind == "l1" else 0.5 * e * e if abs(e) < 1 else abs(e) - 0.5


@pytest.mark.parametrize("kind", ["smooth-l1", "l1", "l2"])
def test_distances_are_summed_over_pixels_and_averaged_over_images(kind: Reconstruction) -> None:
    generator = torch.Generator().manual_seed(0)
    made, x = (torch.randn(3, 2, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    total = sum(error(kind, e) for e in (made - x).flatten().tolist())
    assert reconstruction_loss(made, x, kind).item() == pytest.approx(total / 3, rel=1e-12)


def test_distance_is_smooth_l1_unless_another_is_named() -> None:
    made, x = torch.tensor([[0.5, 3.0]]), torch.zeros(1, 2)
    assert reconstruction_loss(made, x).item() == pytest.approx(0.125 + 2.5)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 100))
def test_smooth_l1_lies_below_both_others(b: int, d: int, seed: int) -> None:
    made, x = normals(b, d, seed)
    smooth, absolute, squared = (reconstruction_loss(made, x, kind).item() for kind in ("smooth-l1", "l1", "l2"))
    assert 0 <= smooth <= min(absolute, squared) + 1e-12
    assert reconstruction_loss(x, x, "l1").item() == 0


def test_a_draw_is_the_mean_and_so_many_deviations_of_one_draw_of_noise() -> None:
    mean, deviation = normals(3, 5)
    torch.manual_seed(7)
    z = sampled(mean, deviation)
    torch.manual_seed(7)
    noise = torch.randn(3, 5, dtype=torch.float64)
    assert torch.equal(z, mean + deviation * noise)


def test_gradients_pass_through_a_draw() -> None:
    mean, deviation = (v.requires_grad_() for v in normals(2, 3))
    torch.manual_seed(1)
    z = sampled(mean, deviation)
    by_mean, by_deviation = torch.autograd.grad(z.sum(), (mean, deviation))
    assert torch.equal(by_mean, torch.ones_like(mean))
    assert torch.allclose(by_deviation, ((z - mean) / deviation).detach())


def test_draws_have_the_mean_and_the_deviation() -> None:
    torch.manual_seed(0)
    z = sampled(torch.full((200_000,), 2.0), torch.full((200_000,), 0.5))
    assert z.mean().item() == pytest.approx(2, abs=0.01)
    assert z.std().item() == pytest.approx(0.5, abs=0.01)
