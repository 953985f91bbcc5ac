"""Computing again what is not kept, against keeping it: the same to the last bit, in less memory."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from acclimate.errors import WorkError
from acclimate.networks.digits import DannGtsrb, DannMnist, McdSvhn, McdUsps
from acclimate.networks.dropout import BitDropout
from acclimate.networks.mobilenet import MobileNet, MobileNetV2, _relu6
from acclimate.networks.recompute import keep_activations, recompute_activations, recomputes
from acclimate.networks.tiny import Tiny
from acclimate.networks.two_passes import two_passes
from acclimate.networks.unit import Unit
from acclimate.networks.vae_gan import VaeGan
from acclimate.training.precision import train_in_bf16, train_in_fp32


class Residual(nn.Module):
    """As torchvision's: a list inside a block, and a sum written in place."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.conv(x))
        out += self.shortcut(x)
        return F.relu(out, inplace=True)


class Resnet(nn.Module):
    """A user's own: stages in lists, a head without one, and arguments by name."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.stages = nn.ModuleList([nn.Sequential(Residual(8, 8), Residual(8, 12)), Residual(12, 12)])
        self.drop = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return self.drop(x).mean(dim=(2, 3))


def leaky_first() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Sequential(nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(4, 5, 3)), nn.Flatten()
    )


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mcd-usps": (McdUsps(1).features, (4, 1, 28, 28)),
    "its classifier": (lambda: McdUsps(1).classifier(5), (4, 768)),
    "dann-mnist-bn": (DannMnist(1, batch_norm=True).features, (4, 1, 28, 28)),
    "mcd-svhn": (McdSvhn(3).features, (2, 3, 32, 32)),
    "dann-gtsrb-bn": (DannGtsrb(3, batch_norm=True).features, (2, 3, 40, 40)),
    "tiny": (Tiny(1).features, (4, 1, 8, 8)),
    "mobilenetv2": (MobileNet(3, pretrained=False).features, (2, 3, 64, 64)),
    "encoder": (VaeGan(3, maps=4).encoder, (4, 3, 32, 32)),
    "decoder": (VaeGan(3, maps=4).decoder, (4, 64)),
    "critic": (lambda: VaeGan(3, maps=4, spectral=True).critic(3), (4, 3, 32, 32)),
    "unit's critic": (Unit(3, critic_maps=4).features, (4, 3, 32, 32)),
    "unit's decoder": (Unit(3, maps=4).decoder, (4, 32)),
    "resnet": (Resnet, (3, 3, 12, 12)),
    "a list that begins in place": (leaky_first, (2, 3, 8, 8)),
    "drops bits": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), BitDropout(0.5), nn.Conv2d(4, 4, 3), nn.Dropout2d()),
        (3, 3, 8, 8),
    ),
    "a power iteration": (
        lambda: nn.Sequential(spectral_norm(nn.Linear(6, 5)), nn.ReLU(), spectral_norm(nn.Linear(5, 4))),
        (3, 6),
    ),
}


def outcome(make: Callable[[], nn.Module], shape: tuple[int, ...], again: bool, bf16: bool) -> dict[str, Tensor]:
    """All that two steps on two inputs each leave behind, random numbers drawn before, between and after included."""
    torch.manual_seed(0)
    net = make()
    if again:
        recompute_activations(net)
        assert any(map(recomputes, net.modules()))
    if bf16:
        train_in_bf16(net, torch.device("cpu"))
    found: dict[str, Tensor] = {}
    parameters = {name: p for name, p in net.named_parameters() if p.requires_grad}
    for step in range(2):
        one, two = net(torch.randn(shape)), net(torch.randn(shape))
        found[f"between {step}"] = torch.rand(3)
        loss = (one * torch.randn(one.shape)).sum() + (one * two).square().mean()
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        found |= {f"out {step}": one, f"after {step}": torch.rand(3)}
        found |= {f"gradient of {k} {step}": g for k, g in zip(parameters, gradients, strict=True) if g is not None}
        with torch.no_grad():
            for parameter, gradient in zip(parameters.values(), gradients, strict=True):
                parameter -= 0.01 * (0 if gradient is None else gradient)
    return found | {name: value.clone() for name, value in net.state_dict().items()}


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_everything_is_the_same_to_the_last_bit(name: str, bf16: bool) -> None:
    kept, again = (outcome(*NETWORKS[name], again, bf16) for again in (False, True))
    assert kept.keys() == again.keys()
    different = [key for key in kept if not torch.equal(kept[key], again[key])]
    assert not different


def test_a_gradient_of_a_gradient_is_the_same() -> None:
    def penalty(again: bool) -> list[Tensor]:
        torch.manual_seed(1)
        net = nn.Sequential(
            spectral_norm(nn.Linear(4, 6)), nn.Tanh(), nn.Dropout(0.3), spectral_norm(nn.Linear(6, 6)), nn.Tanh(),
            nn.Linear(6, 1),
        )  # fmt: skip
        if again:
            recompute_activations(net)
        x = torch.randn(5, 4, requires_grad=True)
        (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        return [*torch.autograd.grad(slope.square().sum(), [p for p in net.parameters() if p.ndim == 2]), slope]

    assert all(torch.equal(a, b) for a, b in zip(penalty(False), penalty(True), strict=True))


def saved(net: nn.Module, x: Tensor) -> int:
    """Bytes that the backward pass finds kept."""
    found: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        found[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = net(x)
    assert out.requires_grad
    parameters = {p.untyped_storage().data_ptr() for p in net.parameters()}
    return sum(t.untyped_storage().nbytes() for key, t in found.items() if key not in parameters)


def peak(net: nn.Module, x: Tensor) -> int:
    """Bytes of tensors that are there at once while one step is computed, at most."""
    from acclimate.running.memory import _InUse

    with _InUse(torch.device("cpu")) as in_use:
        net(x).sum().backward()
    return max(in_use.line)


@pytest.mark.parametrize(("name", "most"), [("mobilenetv2", 0.65), ("resnet", 0.75)])
def test_less_is_held(name: str, most: float) -> None:
    make, (_, *shape) = NETWORKS[name]
    x = torch.randn(16, *shape)
    net = make()
    whole = peak(net, x)
    recompute_activations(net)
    assert peak(net, x) < most * whole


def test_eval_mode_and_passes_without_a_graph_are_the_networks_own() -> None:
    net = MobileNetV2()
    recompute_activations(net)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert not net(x).requires_grad
    net.eval()
    assert saved(net, x) > 0


def test_undone_it_can_be_copied_pickled_and_is_the_class_s_own() -> None:
    net = MobileNet(3, pretrained=False).features()
    recompute_activations(net)
    train_in_bf16(net, torch.device("cpu"))
    keep_activations(net)
    train_in_fp32(net)
    assert not any("forward" in module.__dict__ for module in net.modules())
    pickle.loads(pickle.dumps(copy.deepcopy(net)))


def test_a_block_that_writes_into_its_input_is_told_instead_of_learning_something_else() -> None:
    class Greedy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(F.leaky_relu(x, 0.2, inplace=True))

    net = nn.Sequential(nn.Linear(3, 4), Greedy(), Greedy())
    recompute_activations(net)
    with pytest.raises(WorkError, match=r"writes into its input in place.*--set activations=keep"):
        net(torch.randn(2, 3)).sum().backward()


def test_two_passes_are_two_calls_so_that_nothing_is_kept() -> None:
    net = McdUsps(1).features()
    recompute_activations(net)
    x = torch.randn(3, 1, 28, 28)
    before = net[1].num_batches_tracked.clone()
    _, again = two_passes(net, x)
    again()
    assert net[1].num_batches_tracked == before + 2
    assert all(not layer._forward_hooks for layer in net)


def test_relu6_in_place_is_the_same_and_keeps_a_third_less() -> None:
    x = torch.randn(4, 6, 5, 5) * 5
    norm = nn.BatchNorm2d(6)
    weights = torch.randn_like(x)
    plain, own = (f(norm(x)) for f in (F.relu6, _relu6))
    assert torch.equal(plain, own)
    gradients = [torch.autograd.grad((out * weights).sum(), norm.parameters()) for out in (plain, own)]
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    layer = nn.Conv2d(6, 6, 1)
    before = saved(nn.Sequential(norm, nn.ReLU6(), layer), x)
    after = saved(Chain(norm, layer), x)
    assert after < 0.75 * before
    y = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda y: _relu6(5 * y).square(), y)


class Chain(nn.Module):
    def __init__(self, norm: nn.Module, layer: nn.Module) -> None:
        super().__init__()
        self.norm, self.layer = norm, layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(_relu6(self.norm(x)))
