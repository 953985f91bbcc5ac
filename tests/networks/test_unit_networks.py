"""UNIT's networks against the authors' layers, counted and composed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acclimate.networks.batch_norm import batch_norm_layers
from acclimate.networks.registry import architecture
from acclimate.networks.unit import Coordinates, CriticTrunk, Unit

SMALL = Unit(3, maps=2, critic_maps=3)


def learnt(*modules: nn.Module) -> int:
    return sum(p.numel() for m in modules for p in m.parameters() if p.requires_grad)


@pytest.mark.parametrize("coordinates", [False, True])
def test_shapes(coordinates: bool) -> None:
    arch = Unit(3, maps=2, critic_maps=3, coordinates=coordinates)
    x = torch.randn(4, 3, 32, 32)
    first = arch.encoder_input()(x)
    assert first.shape == (4, 2, 16, 16)
    code = arch.latent()(arch.encoder()(first))
    assert code.shape == (4, 2, arch.code) == (4, 2, 16)
    shared = arch.decoder()(code[:, 0])
    assert shared.shape == (4, 4, 16, 16)
    made = arch.decoder_output()(shared)
    assert made.shape == x.shape
    assert made.abs().max() <= 1
    assert arch.critic_input()(x).shape == (4, 3, 16, 16)
    features = arch.critic_trunk()(arch.critic_input()(x))
    assert features.shape == (4, arch.width) == (4, 96)
    assert arch.verdict()(features).shape == (4, 1)


def test_serves_as_a_classifiers_network() -> None:
    arch = architecture("unit", 1)
    assert arch.input_size == 32
    assert arch.normalisation == "half"
    features = arch.features()(torch.randn(2, 1, 32, 32))
    assert features.shape == (2, arch.width) == (2, 2048)
    assert arch.classifier(10)(features).shape == (2, 10)


def test_sizes_are_the_authors() -> None:
    # Every convolution of the generator has one bias for each map, after the batch norm; the code has 768 numbers.
    arch = Unit(1)
    assert arch.code == 768
    assert learnt(arch.encoder_input()) == 25 * 96 + 96
    assert learnt(arch.encoder()) == (25 * 96 * 192 + 192) + (64 * 192 * 384 + 384) + (384 * 768 + 768)
    assert learnt(arch.latent()) == 2 * (768 * 768 + 768)
    assert learnt(arch.decoder()) == 16 * (768 * 768 + 768 * 384 + 384 * 192) + 768 + 384 + 192
    assert learnt(arch.decoder_output()) == 16 * 192 * 96 + 96 + (96 * 1 + 1)
    assert learnt(arch.critic_input()) == 25 * 64 + 64
    assert learnt(arch.critic_trunk()) == 25 * (64 * 128 + 128 * 256 + 256 * 512) + 128 + 256 + 512
    assert learnt(arch.classifier(10)) == 4 * 512 * 10 + 10
    assert learnt(Unit(3, coordinates=True).encoder_input()) == 25 * 5 * 96 + 96


def test_coordinates_are_rows_and_columns_from_minus_one_up_to_one() -> None:
    x = torch.randn(2, 1, 32, 32)
    seen = Coordinates()(x)
    assert torch.equal(seen[:, :1], x)
    for b in range(2):
        for i in range(0, 32, 5):
            for j in range(0, 32, 5):
                assert seen[b, 1, i, j].item() == (i - 16) / 16
                assert seen[b, 2, i, j].item() == (j - 16) / 16
    assert seen[:, 1:].min() == -1
    assert seen[:, 1:].max() < 1


def test_a_generators_layer_is_convolution_standardisation_bias_and_a_small_slope() -> None:
    torch.manual_seed(0)
    layer = SMALL.encoder_input()
    x = torch.randn(5, 3, 32, 32)
    h = F.conv2d(x, layer[0].weight, None, stride=2, padding=2)
    mean, variance = h.mean(dim=(0, 2, 3), keepdim=True), h.var(dim=(0, 2, 3), keepdim=True, correction=0)
    h = (h - mean) / (variance + 1e-5).sqrt() + layer[1].bias[:, None, None]
    assert torch.allclose(layer(x), torch.where(h > 0, h, 0.01 * h), atol=1e-5)


def test_norms_do_not_learn_a_scale() -> None:
    nets = {"e": SMALL.encoder(), "i": SMALL.encoder_input(), "d": SMALL.decoder(), "o": SMALL.decoder_output()}
    layers = batch_norm_layers(nets)
    assert len(layers) == 1 + 3 + 3 + 1
    assert all(not layer.weight.requires_grad and (layer.weight == 1).all() for layer in layers)
    assert all(layer.bias.requires_grad for layer in layers)
    assert not batch_norm_layers({"critic": SMALL.features()})


def test_the_critics_stage_is_the_authors_convolution_relu_and_pooling() -> None:
    stage, x = SMALL.critic_input(), torch.randn(2, 3, 32, 32)
    expected = F.max_pool2d(F.relu(F.conv2d(x, stage[0].weight, stage[0].bias, padding=2)), 2)
    assert torch.allclose(stage(x), expected, atol=1e-6)


def test_the_trunk_drops_before_each_stage_and_at_the_end_unless_it_is_to_be_plain() -> None:
    trunk, first = CriticTrunk(2), torch.rand(3, 2, 16, 16)
    assert [d.p for d in trunk.dropouts] == [0.1, 0.3, 0.5, 0.5]
    torch.manual_seed(1)
    found = trunk(first)
    torch.manual_seed(1)
    h = F.dropout(first, 0.1)
    h = F.dropout(trunk.stages[0](h), 0.3)
    h = F.dropout(trunk.stages[1](h), 0.5)
    h = F.dropout(trunk.stages[2](h), 0.5)
    assert torch.equal(found, h.flatten(1))
    plain = trunk(first, True)
    assert torch.equal(plain, trunk(first, True))
    assert torch.equal(plain, trunk.eval()(first))


def test_weights_start_as_the_authors() -> None:
    torch.manual_seed(0)
    arch = Unit(1, maps=16)
    generator = [arch.encoder_input(), arch.encoder(), arch.decoder(), arch.decoder_output(), arch.latent()]
    for net in generator:
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and layer.weight.numel() > 300:
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.15)
    latent = generator[-1]
    assert latent.mean.bias.std().item() == pytest.approx(0.002, rel=0.25)
    for layer in batch_norm_layers({"encoder": generator[1]}):
        assert 0 < layer.bias.abs().max() < 0.01
    for net in (arch.features(), arch.classifier(10), arch.verdict()):
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                fans = layer.weight[0].numel() + layer.weight[:, 0].numel()
                bound = math.sqrt(2) * math.sqrt(6 / fans)
                assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.02)
                assert (layer.bias == 0.1).all()
