"""Losses of retrieval against their definitions, written as loops in double precision."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from acclimate.objectives.retrieval import batch_hard_triplet, multi_positive_nce, prototype_logits

SIZES = st.tuples(st.integers(1, 6), st.integers(1, 7), st.integers(2, 5), st.integers(0, 10**6))


def units(n: int, d: int, seed: int) -> Tensor:
    drawn = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return F.normalize(drawn)


def masks(b: int, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """What a query should find, what it should not; some pairs are neither."""
    kind = torch.randint(0, 3, (b, n), generator=torch.Generator().manual_seed(seed))
    return kind == 0, kind == 1


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def looped_triplet(q: Tensor, x: Tensor, positive: Tensor, negative: Tensor, margin: float) -> float:
    losses = []
    for i, query in enumerate(q.tolist()):
        distances = [1 - dot(query, item) for item in x.tolist()]
        right = [d for j, d in enumerate(distances) if positive[i, j]]
        wrong = [d for j, d in enumerate(distances) if negative[i, j]]
        if right and wrong:
            losses.append(max(0.0, margin + max(right) - min(wrong)))
    return sum(losses) / len(losses) if losses else 0.0


def looped_nce(q: Tensor, x: Tensor, positive: Tensor, temperature: float) -> float:
    losses = []
    for i, query in enumerate(q.tolist()):
        exps = [math.exp(dot(query, item) / temperature) for item in x.tolist()]
        right = [j for j in range(len(exps)) if positive[i, j]]
        if right:
            losses.append(-sum(math.log(exps[j] / sum(exps)) for j in right) / len(right))
    return sum(losses) / len(losses) if losses else 0.0


@given(SIZES, st.floats(0, 2))
def test_the_triplet_is_its_definition(sizes: tuple[int, int, int, int], margin: float) -> None:
    b, n, d, seed = sizes
    q, x, (positive, negative) = units(b, d, seed), units(n, d, seed + 1), masks(b, n, seed)
    expected = looped_triplet(q, x, positive, negative, margin)
    assert batch_hard_triplet(q, x, positive, negative, margin).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(SIZES, st.floats(0.05, 5))
def test_the_contrast_is_its_definition(sizes: tuple[int, int, int, int], temperature: float) -> None:
    b, n, d, seed = sizes
    q, x, (positive, _) = units(b, d, seed), units(n, d, seed + 1), masks(b, n, seed)
    expected = looped_nce(q, x, positive, temperature)
    assert multi_positive_nce(q, x, positive, temperature).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(SIZES, st.floats(0.1, 100))
def test_prototype_logits_are_scaled_cosines_whatever_the_lengths(
    sizes: tuple[int, int, int, int], scale: float
) -> None:
    b, k, d, seed = sizes
    v, w = (torch.randn(m, d, generator=torch.Generator().manual_seed(seed)).double() for m in (b, k))
    found = prototype_logits(v, w, scale)
    for i, row in enumerate(v.tolist()):
        for j, prototype in enumerate(w.tolist()):
            cosine = dot(row, prototype) / math.sqrt(dot(row, row) * dot(prototype, prototype))
            assert found[i, j].item() == pytest.approx(scale * cosine, rel=1e-9, abs=1e-9)
    assert torch.allclose(found, prototype_logits(3 * v, 0.01 * w, scale))
    assert torch.allclose(2 * found, prototype_logits(v, w, 2 * scale))


def test_a_gradient_is_the_slope() -> None:
    q, x = units(4, 3, 0).requires_grad_(), units(6, 3, 1).requires_grad_()
    positive, negative = masks(4, 6, 2)
    positive[0], negative[1] = False, False  # queries that are left out
    assert torch.autograd.gradcheck(lambda a, b: batch_hard_triplet(a, b, positive, negative, 0.5), (q, x))
    assert torch.autograd.gradcheck(lambda a, b: multi_positive_nce(a, b, positive, 0.3), (q, x))
    assert torch.autograd.gradcheck(lambda a, b: prototype_logits(a, b, 7.0), (q, x))


def test_queries_without_either_count_for_nothing_and_leave_no_nan() -> None:
    q, x = units(3, 4, 0).requires_grad_(), units(5, 4, 1).requires_grad_()
    none, every = torch.zeros(3, 5, dtype=torch.bool), torch.ones(3, 5, dtype=torch.bool)
    for positive, negative in ((none, every), (every, none), (none, none)):
        loss = batch_hard_triplet(q, x, positive, negative, 0.2)
        assert loss.item() == 0
        for gradient in torch.autograd.grad(loss, (q, x)):
            assert not gradient.any()  # NaN is true
    loss = multi_positive_nce(q, x, none, 0.1)
    assert loss.item() == 0
    assert not any(gradient.any() for gradient in torch.autograd.grad(loss, (q, x)))
    # The mean is over those that count.
    positive, negative = none.clone(), none.clone()
    positive[1, 0] = negative[1, 1:] = True
    alone = batch_hard_triplet(q[1:2], x, positive[1:2], negative[1:2], 0.9)
    assert alone.item() > 0
    assert batch_hard_triplet(q, x, positive, negative, 0.9).item() == pytest.approx(alone.item())
    alone = multi_positive_nce(q[1:2], x, positive[1:2], 0.1)
    assert multi_positive_nce(q, x, positive, 0.1).item() == pytest.approx(alone.item())


def test_where_all_are_equal_the_margin_and_the_logarithm_of_how_many_are_left() -> None:
    q, x = units(1, 4, 0).expand(3, 4), units(1, 4, 0).expand(6, 4)
    positive = torch.zeros(3, 6, dtype=torch.bool)
    positive[:, :2] = True
    assert batch_hard_triplet(q, x, positive, ~positive, 0.3).item() == pytest.approx(0.3)
    assert multi_positive_nce(q, x, positive, 0.1).item() == pytest.approx(math.log(6))


def test_one_query_by_hand() -> None:
    q = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]], dtype=torch.float64)
    positive, negative = torch.tensor([[True, True, False, False]]), torch.tensor([[False, False, True, True]])
    # The farthest positive is at 1, the nearest negative at 0.4.
    assert batch_hard_triplet(q, x, positive, negative, 0.2).item() == pytest.approx(0.8)
    total = math.e + 1 + math.exp(-1) + math.exp(0.6)
    expected = -(math.log(math.e / total) + math.log(1 / total)) / 2
    assert multi_positive_nce(q, x, positive, 1.0).item() == pytest.approx(expected)


@pytest.mark.parametrize("temperature", [0.001, 0.01])
def test_a_low_temperature_overflows_nothing(temperature: float) -> None:
    q, x = units(3, 4, 0).float().requires_grad_(), units(5, 4, 1).float()
    loss = multi_positive_nce(q, x, torch.ones(3, 5, dtype=torch.bool), temperature)
    assert loss.isfinite()
    assert torch.autograd.grad(loss, q)[0].isfinite().all()
