"""What parts the known from the unknown, against loops and with numerical gradients."""

from __future__ import annotations

import math

import pytest
import torch

from acclimate.objectives.open_set import one_versus_all_entropy, one_versus_all_loss, unknown_loss
from acclimate.types import Examples


def drawn(b: int, k: int) -> torch.Tensor:
    return torch.randn(b, k, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_unknowns_loss_is_a_binary_cross_entropy_of_its_probability() -> None:
    z, t = drawn(5, 4), 0.3
    p = z.softmax(dim=1)[:, -1].tolist()
    expected = -sum(t * math.log(x) + (1 - t) * math.log(1 - x) for x in p) / 5
    assert float(unknown_loss(z, t)) == pytest.approx(expected)
    assert torch.autograd.gradcheck(lambda x: unknown_loss(x, t), z.requires_grad_())


def test_the_nearest_other_class_is_the_one_that_is_pushed_away() -> None:
    o, y = drawn(6, 3), torch.tensor([0, 1, 2, 0, 3, 1])
    weights = torch.arange(6, dtype=torch.float64)
    total = 0.0
    for i, label in enumerate(y.tolist()):
        s = o[i].sigmoid().tolist()
        others = max(-math.log(1 - p) for c, p in enumerate(s) if c != label)
        own = -math.log(s[label]) if label < 3 else 0.0
        total += float(weights[i]) * (own + others) / 2
    assert float(one_versus_all_loss(o, Examples(o, y, weights))) == pytest.approx(total / 6)
    assert torch.autograd.gradcheck(lambda x: one_versus_all_loss(x, Examples(x, y)), o.requires_grad_())


def test_the_entropy_of_yes_and_no_is_that_of_its_probabilities() -> None:
    o = drawn(4, 2)
    p = [x for row in o.sigmoid().tolist() for x in row]
    expected = -sum(x * math.log(x) + (1 - x) * math.log(1 - x) for x in p) / 8
    assert float(one_versus_all_entropy(o)) == pytest.approx(expected)
    assert torch.isfinite(one_versus_all_entropy(torch.tensor([[1e4, -1e4]])))
