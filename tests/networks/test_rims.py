"""Convolutions from and to an image of few channels are PyTorch's: values, gradients, and gradients of gradients."""

import pytest
import torch
from torch import Tensor, nn

from acclimate.networks.rims import FromImage, ToImage

PAIRS = [(FromImage, nn.Conv2d), (ToImage, nn.ConvTranspose2d)]


def made(kind: type[nn.Module], plain: type[nn.Module], channels: int) -> tuple[nn.Module, nn.Module, Tensor]:
    """The layer, PyTorch's with the same weights, and an input."""
    torch.manual_seed(0)
    sizes = (channels, 5) if kind is FromImage else (5, channels)
    own, other = kind(*sizes).double(), plain(*sizes, 4, 2, 1).double()
    other.load_state_dict(own.state_dict())
    size = (8, 12) if kind is FromImage else (4, 6)
    return own, other, torch.randn(3, sizes[0], *size, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("kind", "plain"), PAIRS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_pytorchs(
    kind: type[nn.Module], plain: type[nn.Module], channels: int, layout: torch.memory_format
) -> None:
    own, other, x = made(kind, plain, channels)
    own = own.to(memory_format=layout)  # type: ignore[call-overload]
    found = []
    for layer in (own, other):
        out = layer(x.contiguous(memory_format=layout))
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        found.append([out, *torch.autograd.grad((out * weights).sum(), [x, *layer.parameters()])])
    for one, two in zip(*found, strict=True):
        assert one.shape == two.shape
        assert torch.allclose(one, two, atol=1e-12)


@pytest.mark.parametrize(("kind", "plain"), PAIRS)
def test_gradients_of_gradients_are_pytorchs(kind: type[nn.Module], plain: type[nn.Module]) -> None:
    # What a gradient penalty asks for.
    own, other, x = made(kind, plain, 1)
    found = []
    for layer in (own, other):
        (steepness,) = torch.autograd.grad((layer(x) ** 3).sum(), x, create_graph=True)
        found.append(torch.autograd.grad((steepness**2).sum(), [x, layer.weight]))
    for one, two in zip(*found, strict=True):
        assert torch.allclose(one, two, rtol=1e-10)


@pytest.mark.parametrize(("kind", "plain"), PAIRS)
def test_half_precision_around_it_leaves_it_in_single(kind: type[nn.Module], plain: type[nn.Module]) -> None:
    own, _, x = made(kind, plain, 1)
    own = own.float()
    x = x.detach().float().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        out = own(x)
    assert torch.equal(out, own(x))
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == own.weight.grad.dtype == torch.float32
