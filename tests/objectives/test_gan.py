"""The game of critic and generator against its definitions, by loops and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.objectives.gan import GanLoss, critic_loss, feature_matching, generator_loss, gradient_penalty

KINDS: tuple[GanLoss, ...] = ("bce", "least-squares", "hinge")


def scores(n: int, seed: int) -> Tensor:
    return torch.randn(n, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


def looped_critic(kind: GanLoss, real: list[float], fake: list[float], wanted: list[float]) -> float:
    if kind == "least-squares":
        on_real, on_fake = [(r - 1) ** 2 for r in real], [f**2 for f in fake]
    elif kind == "hinge":
        on_real, on_fake = [max(0, 1 - r) for r in real], [max(0, 1 + f) for f in fake]
    else:
        on_real = [
            -t * math.log(sigmoid(r)) - (1 - t) * math.log(1 - sigmoid(r)) for r, t in zip(real, wanted, strict=True)
        ]
        on_fake = [-math.log(1 - sigmoid(f)) for f in fake]
    return sum(on_real) / len(real) + sum(on_fake) / len(fake)


def looped_generator(kind: GanLoss, fake: list[float]) -> float:
    each = {
        "bce": lambda f: -math.log(sigmoid(f)),
        "least-squares": lambda f: (f - 1) ** 2,
        "hinge": lambda f: -f,
    }[kind]
    return sum(each(f) for f in fake) / len(fake)


@pytest.mark.parametrize("kind", KINDS)
def test_both_players_losses_are_the_definitions_written_as_loops(kind: GanLoss) -> None:
    real, fake = scores(5, 0), scores(8, 1)  # means of their own, whatever the sizes
    r, f = real.flatten().tolist(), fake.flatten().tolist()
    assert critic_loss(real, fake, kind).item() == pytest.approx(looped_critic(kind, r, f, [1.0] * 5), rel=1e-12)
    assert generator_loss(fake, kind).item() == pytest.approx(looped_generator(kind, f), rel=1e-12)


def test_smoothed_labels_are_one_draw_for_each_real_image_and_none_for_made_ones() -> None:
    real, fake = scores(6, 0), scores(6, 1)
    torch.manual_seed(3)
    found = critic_loss(real, fake, "bce", 0.1).item()
    torch.manual_seed(3)
    wanted = [1 - 0.1 * u for u in torch.rand(6, dtype=torch.float64).tolist()]
    assert all(0.9 < t <= 1 for t in wanted)
    expected = looped_critic("bce", real.flatten().tolist(), fake.flatten().tolist(), wanted)
    assert found == pytest.approx(expected, rel=1e-12)


@given(st.floats(0, 0.99), st.floats(-8, 8), st.integers(0, 1000))
def test_smoothed_labels_lie_between_one_less_smoothing_and_one(smoothing: float, score: float, seed: int) -> None:
    # The label t can be read off the loss, which is linear in it: softplus(r) − t r.
    real, nothing = (torch.tensor([[value]], dtype=torch.float64) for value in (score, -1e9))
    torch.manual_seed(seed)
    found = critic_loss(real, nothing, "bce", smoothing).item()
    ends = [F.softplus(real).item() - t * score for t in (1 - smoothing, 1.0)]
    assert min(ends) - 1e-9 <= found <= max(ends) + 1e-9


def test_without_smoothing_nothing_is_drawn() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for kind in KINDS:
        critic_loss(scores(3, 0), scores(3, 1), kind, 0.0)
        generator_loss(scores(3, 1), kind)
    assert torch.equal(before, torch.get_rng_state())


def test_known_values() -> None:
    zero, one = torch.zeros(4, 1), torch.ones(4, 1)
    assert critic_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(zero).item() == pytest.approx(math.log(2))
    assert critic_loss(one, zero, "least-squares").item() == 0
    assert critic_loss(zero, one, "least-squares").item() == 2
    assert generator_loss(one, "least-squares").item() == 0
    assert critic_loss(one, -one, "hinge").item() == 0  # margins reached: nothing to learn
    assert critic_loss(3 * one, -3 * one, "hinge").item() == 0
    assert critic_loss(zero, zero, "hinge").item() == 2
    assert generator_loss(3 * one, "hinge").item() == -3


def test_scores_of_any_size_have_finite_losses_and_the_generator_learns_from_a_sure_critic() -> None:
    for value in (1e4, -1e4):
        fake = torch.full((2, 1), value, requires_grad=True)
        assert math.isfinite(critic_loss(fake, fake).item())
        assert math.isfinite(generator_loss(fake).item())
    sure = torch.full((1, 1), -50.0, requires_grad=True)  # certain that it is made
    (gradient,) = torch.autograd.grad(generator_loss(sure), sure)
    assert gradient.item() == pytest.approx(-1)  # the saturating form would have none left


@pytest.mark.parametrize("kind", KINDS)
def test_the_players_want_opposite_scores(kind: GanLoss) -> None:
    real, fake = (torch.zeros(3, 1, requires_grad=True) for _ in range(2))
    on_real, on_fake = torch.autograd.grad(critic_loss(real, fake + 0.1, kind), (real, fake))
    (wanted,) = torch.autograd.grad(generator_loss(fake, kind), fake)
    assert (on_real < 0).all()
    assert (on_fake > 0).all()
    assert (wanted < 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind: GanLoss) -> None:
    real, fake = scores(4, 0).requires_grad_(), scores(4, 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda r, f: critic_loss(r, f, kind), (real, fake))
    assert torch.autograd.gradcheck(lambda f: generator_loss(f, kind), (fake,))


def test_penalty_of_a_linear_critic_is_half_the_square_of_its_weights() -> None:
    weights = torch.tensor([3.0, -4.0]).double()
    images = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    assert gradient_penalty(images @ weights, images).item() == pytest.approx(12.5)
    assert gradient_penalty((images @ weights)[:, None], images).item() == pytest.approx(12.5)


def test_penalty_of_a_small_critic_and_its_gradient_are_those_worked_out_by_hand() -> None:
    # r(x) = v·tanh(W x):  ∂r/∂x = Wᵀ (v ∘ (1 − tanh²)),  penalty = mean ½ ‖∂r/∂x‖².
    torch.manual_seed(0)
    w, v = torch.randn(3, 2, dtype=torch.float64, requires_grad=True), torch.randn(3, dtype=torch.float64)
    images = torch.randn(4, 2, dtype=torch.float64)

    def by_hand() -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for x in images:
            slope = w.T @ (v * (1 - torch.tanh(w @ x) ** 2))
            total = total + 0.5 * (slope @ slope)
        return total / 4

    x = images.clone().requires_grad_()
    found = gradient_penalty(torch.tanh(x @ w.T) @ v, x)
    assert found.item() == pytest.approx(by_hand().item(), rel=1e-12)
    ours, expected = (torch.autograd.grad(loss, w)[0] for loss in (found, by_hand()))
    assert torch.allclose(ours, expected)


def test_penalty_is_of_each_image_by_itself_and_sees_all_its_pixels() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(1, 3, 3).double(), nn.Softplus(), nn.Flatten(), nn.Linear(12, 1).double())
    images = torch.randn(3, 1, 4, 4, dtype=torch.float64)

    def penalty(x: Tensor) -> float:
        x = x.clone().requires_grad_()
        return gradient_penalty(critic(x), x).item()

    assert penalty(images) == pytest.approx(sum(penalty(image[None]) for image in images) / 3, rel=1e-12)


def test_features_are_matched_by_squares_summed_over_features() -> None:
    real, fake = (torch.randn(3, 2, 2, 2, dtype=torch.float64) for _ in range(2))
    total = sum((a - b) ** 2 for a, b in zip(real.flatten().tolist(), fake.flatten().tolist(), strict=True))
    assert feature_matching(real, fake).item() == pytest.approx(total / 3, rel=1e-12)
    assert torch.autograd.gradcheck(feature_matching, (real.requires_grad_(), fake.requires_grad_()))
