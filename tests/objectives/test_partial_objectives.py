"""What lets classes count as much as the target seems to have of them, against loops."""

from __future__ import annotations

import math

import pytest
import torch

from acclimate.networks.class_weights import ClassWeights
from acclimate.objectives.adversarial import domain_loss, weighted_domain_loss
from acclimate.objectives.partial import complement_entropy, partial_domain_loss, weighted_domain_accuracy
from acclimate.types import Examples


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_with_equal_weights_the_domain_losses_are_the_plain_one() -> None:
    z, ones = drawn(8, 1), torch.ones(4, dtype=torch.float64)
    plain = float(domain_loss(z[:4], z[4:]))
    assert float(partial_domain_loss(z[:4], z[4:], ones)) == pytest.approx(plain)
    assert float(weighted_domain_loss(z[:4], z[4:], ones, ones)) == pytest.approx(plain)


def test_source_examples_count_as_their_weights_say() -> None:
    z, w = drawn(5), torch.tensor([0.0, 2.0, 1.0])
    terms = [float(w[i]) * math.log1p(math.exp(float(z[i]))) for i in range(3)]
    terms += [math.log1p(math.exp(-float(z[i]))) for i in (3, 4)]
    assert float(partial_domain_loss(z[:3], z[3:], w)) == pytest.approx(sum(terms) / 5)
    told = weighted_domain_accuracy(z[:3], z[3:], w)
    right = sum(float(w[i]) for i in range(3) if z[i] < 0) / 3 + sum(float(z[i] > 0) for i in (3, 4)) / 2
    assert float(told) == pytest.approx(right / 2)


def test_the_complement_entropy_is_that_of_a_loop_and_its_gradient_leaves_the_weights_alone() -> None:
    z, y, w = drawn(3, 4), torch.tensor([0, 2, 3]), torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    above = below = 0.0
    for i, label in enumerate(y.tolist()):
        p = z[i].softmax(dim=0).tolist()
        q = [p[c] / (1 - p[label]) for c in range(4) if c != label]
        counted = float(w[i]) * (1 - p[label])
        above += counted * sum(x * math.log(x) for x in q) / math.log(3)
        below += counted
    assert float(complement_entropy(z, y, w)) == pytest.approx(above / below, rel=1e-5)
    assert float(complement_entropy(torch.zeros(2, 2), torch.tensor([0, 1]), torch.ones(2))) == 0
    certain = torch.tensor([[1e4, 0.0, 0.0]], requires_grad=True)
    complement_entropy(certain, torch.tensor([0]), torch.ones(1)).backward()
    assert torch.isfinite(certain.grad).all()


def test_weights_of_classes_are_1_on_average_over_the_source() -> None:
    weights = ClassWeights(3)
    assert weights.weights.tolist() == [1, 1, 1]
    weights.counts.copy_(torch.tensor([10.0, 30.0, 60.0]))
    weights.set(torch.tensor([0.5, 0.5, 0.0]))
    labels = torch.tensor([0] * 10 + [1] * 30 + [2] * 60)
    assert float(weights.of(labels).mean()) == pytest.approx(1)
    assert float(weights.of(torch.tensor([2]))) == 0
    given = weights.weighed(Examples(labels[:1], labels[:1], torch.tensor([3.0]))).weights
    assert given is not None
    assert float(given) == pytest.approx(3 * float(weights.weights[0]))
    weights.set(torch.zeros(3))
    assert weights.weights.tolist() == [1, 1, 1], "nothing is answered that the source has"
