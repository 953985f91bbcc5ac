import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from acclimate.objectives.adversarial import (
    domain_accuracy,
    domain_loss,
    reverse_gradient,
    weighted_domain_loss,
)


def test_reversal_is_the_identity_forwards_and_minus_lambda_backwards() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    out = reverse_gradient(x, 0.3)
    assert torch.equal(out, x)
    (out * torch.tensor([5.0, 7.0])).sum().backward()
    assert torch.allclose(x.grad, torch.tensor([-1.5, -2.1]))


def test_reversal_leaves_the_incoming_gradient_alone() -> None:
    upstream = torch.ones(3)
    y = torch.ones(3, requires_grad=True)
    reverse_gradient(y, 2.0).backward(upstream)
    assert torch.equal(upstream, torch.ones(3))


@given(st.floats(0, 10))
def test_a_game_of_two_players_descends_and_ascends(weight: float) -> None:
    # E(f, d) = f · d: the discriminator d descends on it, the features f ascend with factor λ.
    f = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    d = torch.tensor(-1.3, dtype=torch.float64, requires_grad=True)
    (reverse_gradient(f, weight) * d).backward()
    assert math.isclose(f.grad.item(), 1.3 * weight)
    assert math.isclose(d.grad.item(), 0.7)


def test_domain_loss_is_the_mean_over_all_examples() -> None:
    source, target = [0.2, -1.0, 3.0], [0.5, -0.25]
    expected = [-math.log(1 - 1 / (1 + math.exp(-z))) for z in source]
    expected += [-math.log(1 / (1 + math.exp(-z))) for z in target]
    found = domain_loss(torch.tensor(source)[:, None], torch.tensor(target)[:, None])
    assert found.item() == pytest.approx(sum(expected) / 5, rel=1e-6)


def test_domain_loss_equals_two_way_softmax() -> None:
    # The paper: one logit or a two-way softmax are equivalent.
    source, target = torch.randn(4, 1, dtype=torch.float64), torch.randn(6, 1, dtype=torch.float64)
    logits = torch.cat([source, target])
    two_way = torch.cat([torch.zeros_like(logits), logits], dim=1)
    labels = torch.tensor([0] * 4 + [1] * 6)
    assert domain_loss(source, target).item() == pytest.approx(F.cross_entropy(two_way, labels).item())


def test_domain_loss_passes_gradcheck() -> None:
    inputs = tuple(torch.randn(n, 1, dtype=torch.float64, requires_grad=True) for n in (3, 5))
    assert torch.autograd.gradcheck(domain_loss, inputs)


def test_domain_loss_is_finite_for_extreme_logits() -> None:
    assert domain_loss(torch.tensor([1e4]), torch.tensor([-1e4])).item() == pytest.approx(1e4)


def test_domain_accuracy_weighs_both_sides_equally() -> None:
    # 3 of 4 source, 0 of 1 target.
    found = domain_accuracy(torch.tensor([-1.0, -2.0, -0.5, 1.0]), torch.tensor([-1.0]))
    assert found.item() == pytest.approx(0.375)


def test_the_weighted_loss_is_a_weighted_mean_on_either_side_and_halves_both() -> None:
    source, target, w, v = [0.2, -1.0, 3.0], [0.5, -0.25], [1.0, 0.5, 2.0], [3.0, 0.0]
    of_source = sum(a * math.log(1 + math.exp(z)) for z, a in zip(source, w, strict=True)) / 3.5
    of_target = math.log(1 + math.exp(-0.5))
    found = weighted_domain_loss(*map(torch.tensor, (source, target, w, v)))
    assert found.item() == pytest.approx((of_source + of_target) / 2, rel=1e-6)


def test_equal_weights_on_sides_of_equal_size_change_nothing() -> None:
    source, target = torch.randn(4, 1, dtype=torch.float64), torch.randn(4, 1, dtype=torch.float64)
    weights = torch.full((4,), 1.7, dtype=torch.float64)
    found = weighted_domain_loss(source, target, weights, weights)
    assert found.item() == pytest.approx(domain_loss(source, target).item())


def test_the_weighted_loss_passes_gradcheck() -> None:
    inputs = tuple(torch.randn(n, 1, dtype=torch.float64, requires_grad=True) for n in (3, 5))
    weights = tuple(torch.rand(n, dtype=torch.float64) + 0.1 for n in (3, 5))
    assert torch.autograd.gradcheck(lambda s, t: weighted_domain_loss(s, t, *weights), inputs)
