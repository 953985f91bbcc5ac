"""Two passes at the price of one, against two calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.networks.digits import DannMnist, McdSigns, McdSvhn, McdUsps
from acclimate.networks.two_passes import two_passes
from acclimate.training.precision import train_in_bf16

CPU = torch.device("cpu")


class Opaque(nn.Module):
    """A network that does not show what it does."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(self.layers(x), training=self.training)


def two_calls(net: nn.Module, x: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    with torch.no_grad():
        return net(x), lambda: net(x)


def outcome(
    passes: Callable[[nn.Module, Tensor], tuple[Tensor, Callable[[], Tensor]]],
    make: Callable[[], nn.Module],
    dtype: torch.dtype,
    bf16: bool,
) -> dict[str, Tensor]:
    """Everything that two passes leave behind, with random numbers drawn before, between and after."""
    torch.manual_seed(0)
    net = make().to(dtype)
    if bf16:
        train_in_bf16(net, CPU)
    side = {"McdUsps": 28, "DannMnist": 28, "McdSigns": 40}.get(make.__qualname__.split(".")[0], 32)
    x = torch.randn(6, 3, side, side, dtype=dtype)
    first, again = passes(net, x)
    found = {"between": torch.rand(3)}
    second = again()
    weights = torch.randn(second.shape, dtype=second.dtype)
    parameters = dict(net.named_parameters())
    gradients = torch.autograd.grad((second * weights).sum(), list(parameters.values()))
    found |= {"first": first, "second": second, "after": torch.rand(3), **net.state_dict()}
    return found | {f"gradient of {k}": g for k, g in zip(parameters, gradients, strict=True)}


def chain_ending_in_maps_dropped() -> nn.Module:
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)), nn.MaxPool2d(30), nn.Dropout2d()
    )


def dropout_in_the_middle() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(3072, 5))


def statistics_that_are_averaged() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 5), nn.BatchNorm1d(5, momentum=None))


def statistics_that_are_frozen() -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3072, 5), nn.BatchNorm1d(5))
    net[2].eval()
    return net


def opaque() -> nn.Module:
    return Opaque(nn.Flatten(), nn.Linear(3072, 5), nn.BatchNorm1d(5))


def a_layer_used_twice() -> nn.Module:
    norm = nn.BatchNorm1d(6)
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 6), norm, nn.ReLU(), nn.Linear(6, 6), norm)


def one_layer() -> nn.Module:
    return nn.Conv2d(3, 4, 3)


ONCE = [
    McdSvhn(3).features,
    McdUsps(3).features,
    McdSigns(3).features,
    DannMnist(3).features,
    chain_ending_in_maps_dropped,
]
TWICE = [
    dropout_in_the_middle,
    statistics_that_are_averaged,
    statistics_that_are_frozen,
    opaque,
    a_layer_used_twice,
    one_layer,
]


@pytest.mark.parametrize(("dtype", "bf16"), [(torch.float64, False), (torch.float32, False), (torch.float32, True)])
@pytest.mark.parametrize("make", [*ONCE, *TWICE], ids=lambda make: make.__qualname__)
def test_leaves_what_two_calls_leave_bit_for_bit(
    make: Callable[[], nn.Module], dtype: torch.dtype, bf16: bool
) -> None:
    expected = outcome(two_calls, make, dtype, bf16)
    found = outcome(two_passes, make, dtype, bf16)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name
    assert not found["first"].requires_grad


@pytest.mark.parametrize(("make", "calls"), [*((m, 1) for m in ONCE[-1:]), *((m, 2) for m in TWICE)])
def test_runs_once_where_that_is_the_same_and_twice_elsewhere(make: Callable[[], nn.Module], calls: int) -> None:
    net, count = make(), []
    handle = net.register_forward_hook(lambda *_: count.append(1))
    x = torch.randn(6, 3, 32, 32)
    two_passes(net, x)[1]()
    assert len(count) == calls
    handle.remove()
    assert not any(m._forward_hooks for m in net.modules())


def test_both_passes_draw_a_mask_of_their_own() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(50, 50), nn.Dropout())
    first, again = two_passes(net, torch.randn(4, 50))
    second = again()
    both = (first != 0) & (second != 0)
    assert not torch.equal(first != 0, second != 0)
    assert torch.equal(first[both], second[both])


def test_a_network_in_eval_mode_moves_no_statistics() -> None:
    net = nn.Sequential(nn.Linear(5, 5), nn.BatchNorm1d(5), nn.Dropout()).eval()
    first, again = two_passes(net, torch.randn(4, 5))
    assert torch.equal(first, again())
    assert net[1].num_batches_tracked == 0


def test_a_compiled_network_is_called_twice() -> None:
    # Hooks that come and go would make it compile again in every step.
    net, x = nn.Sequential(nn.Linear(5, 5), nn.ReLU()), torch.randn(4, 5)
    net.compile(backend="eager")
    count: list[int] = []
    net._compiled_call_impl = lambda *args: (count.append(1), nn.Sequential.forward(net, *args))[1]  # type: ignore
    two_passes(net, x)[1]()
    assert len(count) == 2
