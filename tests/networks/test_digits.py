from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acclimate.errors import UnknownNameError
from acclimate.networks.batch_norm import batch_norm_layers, estimate_statistics
from acclimate.networks.mobilenet import NORMS, WEIGHTS
from acclimate.networks.registry import ARCHITECTURES, architecture, default_name

DIGITS = sorted(name for name in ARCHITECTURES if name.startswith(("dann", "mcd")))


@pytest.mark.parametrize("name", DIGITS)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(name: str, channels: int) -> None:
    arch = architecture(name, channels)
    x = torch.randn(2, channels, arch.input_size, arch.input_size)
    features = arch.features()(x)
    assert features.shape == (2, arch.width)
    assert arch.classifier(7)(features).shape == (2, 7)
    assert arch.discriminator()(features).shape == (2, 1)
    assert arch.discriminator(9)(torch.randn(2, 9)).shape == (2, 1)


def parameters(*modules: nn.Module) -> int:
    return sum(p.numel() for m in modules for p in m.parameters())


def dense(*widths: int, norm: bool = False) -> int:
    """Weights and biases of fully connected layers, with batch norm after all but the last."""
    norms = 2 * sum(widths[1:-1]) if norm else 0
    return sum(a * b + b for a, b in itertools.pairwise(widths)) + norms


def conv(*shapes: tuple[int, int, int], norm: bool = False) -> int:
    return sum(i * o * k * k + o + (2 * o if norm else 0) for i, o, k in shapes)


@pytest.mark.parametrize(
    ("name", "features", "classifier", "discriminator"),
    [
        ("dann-mnist", conv((3, 32, 5), (32, 48, 5)), dense(768, 100, 100, 10), dense(768, 100, 1)),
        (
            "dann-svhn",
            conv((3, 64, 5), (64, 64, 5), (64, 128, 5)),
            dense(8192, 3072, 2048, 10),
            dense(8192, 1024, 1024, 1),
        ),
        (
            "dann-gtsrb",
            conv((3, 96, 5), (96, 144, 3), (144, 256, 5)),
            dense(6400, 512, 10),
            dense(6400, 1024, 1024, 1),
        ),
        (
            "mcd-svhn",
            conv((3, 64, 5), (64, 64, 5), (64, 128, 5), norm=True) + dense(8192, 3072) + 2 * 3072,
            dense(3072, 2048, 10, norm=True),
            dense(3072, 1024, 1024, 1),
        ),
        (
            "mcd-usps",
            conv((3, 32, 5), (32, 48, 5), norm=True),
            dense(768, 100, 100, 10, norm=True),
            dense(768, 100, 1),
        ),
        (
            "mcd-signs",
            conv((3, 96, 5), (96, 144, 3), (144, 256, 5), norm=True),
            dense(6400, 512, 10, norm=True),
            dense(6400, 1024, 1024, 1),
        ),
    ],
)
def test_sizes_are_the_papers(name: str, features: int, classifier: int, discriminator: int) -> None:
    arch = architecture(name, 3)
    assert parameters(arch.features()) == features
    assert parameters(arch.classifier(10)) == classifier
    assert parameters(arch.discriminator()) == discriminator


@pytest.mark.parametrize("name", DIGITS)
def test_names_tell_about_batch_norm(name: str) -> None:
    arch = architecture(name, 1)
    layers = batch_norm_layers({"f": arch.features(), "c": arch.classifier(3)})
    expected = name.endswith("-bn") or (name.startswith("mcd") and not name.endswith("-plain"))
    assert bool(layers) == expected


@pytest.mark.parametrize("pool", [(2, None, 0), (3, 2, 1)])
def test_pooling_before_the_relu_changes_no_value_and_no_gradient(pool: tuple[int, int | None, int]) -> None:
    x = torch.randn(3, 4, 9, 9, dtype=torch.float64, requires_grad=True)
    paper = F.max_pool2d(F.relu(x), *pool)
    ours = F.relu(F.max_pool2d(x, *pool))
    assert torch.equal(paper, ours)
    upstream = torch.randn_like(paper)
    (a,), (b,) = (torch.autograd.grad(y, x, upstream) for y in (paper, ours))
    assert torch.equal(a, b)


def test_defaults_follow_the_size_of_the_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    assert [default_name(side) for side in (0, 8, 28, 32, 224)] == [
        "mlp", "tiny", "mcd-usps", "mcd-svhn", "mobilenetv2-scratch",
    ]  # fmt: skip
    (tmp_path / "encoders").mkdir()
    for name in (WEIGHTS, NORMS):
        (tmp_path / "encoders" / name).touch()
    assert default_name(224) == "mobilenetv2"


def test_unknown_networks_are_suggested() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'dann-mnist'"):
        architecture("dan-mnist", 1)


def test_estimated_statistics_are_those_of_the_data() -> None:
    layer = nn.BatchNorm1d(3)
    net = nn.Sequential(layer, nn.Dropout(0.5))
    data = torch.randn(40, 3) * 2 + 5
    net.train()
    net(torch.zeros(8, 3))
    estimate_statistics({"net": net}, (net(batch) for batch in data.split(20)))
    batches = data.split(20)
    assert torch.allclose(layer.running_mean, data.mean(0), atol=1e-6)
    expected = torch.stack([b.var(0) for b in batches]).mean(0)
    assert torch.allclose(layer.running_var, expected, atol=1e-5)
    assert not net.training
    assert layer.momentum == 0.1
