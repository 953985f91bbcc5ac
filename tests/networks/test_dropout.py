"""Dropout by bits: the share that p says, each number by itself, whatever the shape and its place in memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.networks.dropout import BitDropout


@given(
    shape=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    last=st.booleans(),
    p=st.sampled_from([0.0, 0.1, 0.25, 0.375, 0.5, 0.75, 1.0]),
)
def test_numbers_are_scaled_or_dropped_and_so_are_their_gradients(
    shape: list[int], seed: int, last: bool, p: float
) -> None:
    torch.manual_seed(seed)
    x = torch.rand(shape) + 1
    if last and x.ndim == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    out = BitDropout(p)(x)
    assert out.shape == x.shape
    assert ((out == 0) | torch.isclose(out * (1 - p), x)).all()
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert torch.allclose(gradient, out.detach() / x.detach())


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x.transpose(0, 1), lambda x: x[:, ::2]])
def test_any_layout_in_memory_is_taken(view: object) -> None:
    x = view(torch.ones(64, 128))  # type: ignore[operator]
    out = BitDropout()(x)
    assert out.unique().tolist() == [0, 2]
    assert out.mean().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("p", [0.5, 0.25, 0.75, 3 / 16, 15 / 16])
def test_as_many_are_dropped_as_asked_and_neighbours_know_nothing_of_each_other(p: float) -> None:
    torch.manual_seed(0)
    kept = (BitDropout(p)(torch.ones(10_000, 64)) > 0).float()
    kept = (kept - (1 - p)) / (p * (1 - p)) ** 0.5  # mean 0, variance 1
    # Means of 640,000 draws deviate by 1/800, of 10,000 by 1/100; bounds are five deviations.
    assert abs(kept.mean()) < 5 / 800
    assert kept.mean(dim=0).abs().max() < 5 / 100
    products = kept.T @ kept / len(kept)
    products.fill_diagonal_(0)
    assert products.abs().max() < 5 / 100
    assert abs((kept[1:] * kept[:-1]).mean()) < 5 / 800


def test_the_seed_decides() -> None:
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(BitDropout()(torch.ones(100)))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_nothing_is_dropped_outside_training_and_half_precision_stays() -> None:
    x = torch.randn(3, 4, dtype=torch.bfloat16)
    assert BitDropout().eval()(x) is x
    assert BitDropout()(x).dtype == torch.bfloat16
