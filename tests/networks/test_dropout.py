"""Dropout of one half: half of the numbers, each by itself, whatever the shape and its place in memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.networks.dropout import HalfDropout


@given(shape=st.lists(st.integers(0, 9), min_size=1, max_size=4), seed=st.integers(0, 2**32), last=st.booleans())
def test_numbers_are_doubled_or_dropped_and_so_are_their_gradients(shape: list[int], seed: int, last: bool) -> None:
    torch.manual_seed(seed)
    x = torch.rand(shape) + 1
    if last and x.ndim == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    out = HalfDropout()(x)
    assert out.shape == x.shape
    assert (((out == 0) | (out == 2 * x)).all()).item()
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(gradient, out.detach() / x.detach())


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x.transpose(0, 1), lambda x: x[:, ::2]])
def test_any_layout_in_memory_is_taken(view: object) -> None:
    x = view(torch.ones(64, 128))  # type: ignore[operator]
    out = HalfDropout()(x)
    assert out.unique().tolist() == [0, 2]
    assert out.mean().item() == pytest.approx(1, abs=0.1)


def test_half_are_kept_and_neighbours_know_nothing_of_each_other() -> None:
    torch.manual_seed(0)
    kept = HalfDropout()(torch.ones(10_000, 64)) - 1  # ±1
    # Means of 640,000 draws deviate by 1/800, of 10,000 by 1/100; bounds are five deviations.
    assert abs(kept.mean()) < 5 / 800
    assert kept.mean(dim=0).abs().max() < 5 / 100
    products = kept.T @ kept / len(kept)
    assert (products - torch.eye(64)).abs().max() < 5 / 100
    assert abs((kept[1:] * kept[:-1]).mean()) < 5 / 800


def test_the_seed_decides() -> None:
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(HalfDropout()(torch.ones(100)))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_nothing_is_dropped_outside_training_and_half_precision_stays() -> None:
    x = torch.randn(3, 4, dtype=torch.bfloat16)
    assert HalfDropout().eval()(x) is x
    assert HalfDropout()(x).dtype == torch.bfloat16
