from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.transport import cheapest_matching, joint_transport


@given(st.integers(1, 5), st.integers(0, 1000))
def test_no_other_matching_is_cheaper(b: int, seed: int) -> None:
    cost = torch.randn(b, b, generator=torch.Generator().manual_seed(seed))
    found = cost[torch.arange(b), cheapest_matching(cost)].sum().item()
    assert found == pytest.approx(
        min(float(cost[range(b), order].sum()) for order in map(list, permutations(range(b))))
    )


def test_it_is_the_transport_that_pot_finds() -> None:
    ot = pytest.importorskip("ot")
    cost = np.random.default_rng(0).random((12, 12))
    uniform = np.full(12, 1 / 12)
    matched = cost[np.arange(12), cheapest_matching(torch.from_numpy(cost)).numpy()].mean()
    assert matched == pytest.approx(ot.emd2(uniform, uniform, cost), abs=1e-9)


def arguments(b: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    s, t = (torch.randn(b, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    z = torch.randn(b, 4, generator=generator, dtype=torch.float64)
    return s, t, torch.randint(0, 4, (b,), generator=generator), z


def test_the_joint_cost_matches_loops_over_pairs_and_matchings() -> None:
    s, t, y, z = (x.numpy() for x in arguments())
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    cost = [
        [0.5 * ((a - b) ** 2).sum() - 0.25 * np.log(q[c]) for b, q in zip(t, p, strict=True)]
        for a, c in zip(s, y, strict=True)
    ]
    cheapest = min(sum(cost[i][j] for i, j in enumerate(order)) for order in permutations(range(5)))
    a, b, c, d = arguments()
    assert joint_transport((a, b), c, d, 0.5, 0.25).item() == pytest.approx(cheapest / 5)


def test_labels_decide_where_distances_do_not() -> None:
    s, t = torch.zeros(2, 1), torch.zeros(2, 1, requires_grad=True)
    logits = torch.tensor([[0.0, 3.0], [3.0, 0.0]], requires_grad=True)
    cost = joint_transport((s, t), torch.tensor([0, 1]), logits, 1.0, 1.0)
    assert cost.item() == pytest.approx(np.log(1 + np.exp(-3)), rel=1e-5)
    cost.backward()
    assert logits.grad is not None
    assert (logits.grad[0, 1] < 0) & (logits.grad[1, 0] < 0)  # each grows more certain of its partner's label


def test_passes_gradcheck_where_the_matching_stays() -> None:
    s, t, y, z = (x.requires_grad_(x.is_floating_point()) for x in arguments())
    assert torch.autograd.gradcheck(lambda a, b, c: joint_transport((a, b), y, c, 0.5, 0.25), (s, t, z))
