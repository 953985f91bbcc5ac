import numpy as np
import pytest
import torch

from acclimate.networks.conditioning import Multilinear
from acclimate.objectives.conditioning import multilinear, randomised_multilinear


def test_every_feature_meets_every_class() -> None:
    rng = np.random.default_rng(0)
    f, g = rng.normal(size=(5, 3)), rng.dirichlet(np.ones(4), size=5)
    expected = np.stack([np.outer(b, a).ravel() for a, b in zip(f, g, strict=True)])
    assert np.allclose(multilinear(torch.from_numpy(f), torch.from_numpy(g)).numpy(), expected)


def test_random_sums_keep_inner_products_on_average() -> None:
    generator = torch.Generator().manual_seed(0)
    f, g = torch.randn(2, 6, generator=generator), torch.rand(2, 3, generator=generator)
    exact = multilinear(f, g)
    one, other = (torch.randn(n, 200_000, generator=generator) for n in (6, 3))
    near = randomised_multilinear(f, g, one, other)
    assert torch.allclose(near @ near.T, exact @ exact.T, rtol=0.05, atol=0.05)


def test_both_pass_gradcheck() -> None:
    f, g = (torch.randn(3, n, dtype=torch.float64, requires_grad=True) for n in (4, 2))
    one, other = (torch.randn(n, 5, dtype=torch.float64) for n in (4, 2))
    assert torch.autograd.gradcheck(multilinear, (f, g))
    assert torch.autograd.gradcheck(lambda a, b: randomised_multilinear(a, b, one, other), (f, g))


@pytest.mark.parametrize(("width", "outputs", "buffers"), [(4, 12, 0), (5, 7, 2)])
def test_the_width_decides_and_nothing_is_learnt(width: int, outputs: int, buffers: int) -> None:
    net = Multilinear(width, 3, most=12, size=7)
    assert net.outputs == outputs
    assert net(torch.randn(2, width), torch.rand(2, 3)).shape == (2, outputs)
    assert not list(net.parameters())
    assert len(net.state_dict()) == buffers  # so that a run that goes on, or predicts, has the same sums
