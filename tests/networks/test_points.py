"""Convolutions to and from a single pixel are PyTorch's, values and gradients."""

import pytest
import torch
from torch import nn

from acclimate.networks.points import FromPoint, ToPoint


@pytest.mark.parametrize(("kind", "plain", "size"), [(ToPoint, nn.Conv2d, 2), (FromPoint, nn.ConvTranspose2d, 1)])
@pytest.mark.parametrize("b", [1, 3])
def test_values_and_gradients_are_pytorchs(kind: type[nn.Module], plain: type[nn.Module], size: int, b: int) -> None:
    torch.manual_seed(0)
    own = kind(3, 5).double()
    other = plain(3, 5, 4, 2, 1).double()
    other.load_state_dict(own.state_dict())
    grads = []
    for layer in (own, other):
        torch.manual_seed(1)
        x = torch.randn(b, 3, size, size, dtype=torch.float64, requires_grad=True)
        out = layer(x)
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        grads.append([out, *torch.autograd.grad((out * weights).sum(), [x, *layer.parameters()])])
    for one, two in zip(*grads, strict=True):
        assert one.shape == two.shape
        assert torch.allclose(one, two, atol=1e-12)


def test_the_same_seed_draws_the_same_weights() -> None:
    torch.manual_seed(4)
    own = ToPoint(2, 3).weight
    torch.manual_seed(4)
    assert torch.equal(own, nn.Conv2d(2, 3, 4, 2, 1).weight)


@pytest.mark.parametrize("kind", [ToPoint, FromPoint])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_lie_in_memory_as_weights_do(kind: type[nn.Module], layout: torch.memory_format) -> None:
    # Else every step would turn one into the other.
    layer = kind(3, 5).to(memory_format=layout)  # type: ignore[call-overload]
    size = 2 if kind is ToPoint else 1
    layer(torch.randn(4, 3, size, size)).sum().backward()
    assert layer.weight.grad.stride() == layer.weight.stride()
