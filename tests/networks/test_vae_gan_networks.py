"""The VAE-GAN's networks against the published sizes, counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from acclimate.networks.batch_norm import batch_norm_layers
from acclimate.networks.registry import architecture
from acclimate.networks.vae_gan import SharedLatent, VaeGan

SMALL = VaeGan(1, maps=2)


def parameters(*modules: nn.Module) -> int:
    return sum(p.numel() for m in modules for p in m.parameters())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("spectral", [False, True])
def test_shapes(channels: int, spectral: bool) -> None:
    arch = VaeGan(channels, maps=2, spectral=spectral)
    x = torch.randn(3, channels, 32, 32)
    assert arch.width == 32
    code = arch.latent()(arch.encoder()(x))
    assert code.shape == (3, 2, 32)
    made = arch.decoder()(code[:, 0])
    assert made.shape == x.shape
    assert made.abs().max() <= 1
    assert arch.critic(7)(x).shape == (3, 8)


def test_serves_as_a_classifiers_network() -> None:
    arch = architecture("vae-gan", 3)
    assert arch.input_size == 32
    assert arch.normalisation == "half"  # [−1, 1], as tanh makes them
    features = arch.features()(torch.randn(2, 3, 32, 32))
    assert features.shape == (2, arch.width) == (2, 512)
    assert arch.classifier(10)(features).shape == (2, 10)
    assert arch.discriminator()(features).shape == (2, 1)


def test_sizes_are_the_published_networks() -> None:
    # 4×4 kernels with biases, 32-64-128-256-512 maps; batch norm adds two numbers for each map.
    weights = 16 * (1 * 32 + 32 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    arch = VaeGan(1)
    assert parameters(arch.encoder()) == weights + (32 + 64 + 128 + 256 + 512) * 3 == 2_788_768
    assert parameters(arch.decoder()) == weights + (256 + 128 + 64 + 32) * 3 + 1 == 2_787_233
    assert parameters(arch.latent()) == 2 * (512 * 512 + 512) == 525_312
    heads = (512 + 1) + (512 * 10 + 10)
    assert parameters(arch.critic(10)) == weights + (32 + 64 + 128 + 256 + 512) + heads == 2_792_427


def test_slopes_norms_and_dropout_are_where_the_authors_have_them() -> None:
    encoder, decoder, critic = SMALL.encoder(), SMALL.decoder(), SMALL.critic(10)

    def slopes(net: nn.Module) -> list[float]:
        return [m.negative_slope for m in net.modules() if isinstance(m, nn.LeakyReLU)]

    assert slopes(encoder) == [0.2] * 5
    assert slopes(decoder) == [0.01] * 4
    assert slopes(critic) == [0.2] * 5
    assert [len(batch_norm_layers({"": net})) for net in (encoder, decoder, critic)] == [5, 4, 0]
    assert [m.p for m in critic.modules() if isinstance(m, nn.Dropout)] == [0.5] * 5
    assert not any(isinstance(m, nn.Dropout) for net in (encoder, decoder) for m in net.modules())
    assert isinstance(decoder[-1], nn.Tanh)


def test_codes_start_near_the_priors_mean_with_a_deviation_near_ln_2() -> None:
    torch.manual_seed(0)
    latent = SharedLatent(512)
    mean, deviation = latent(torch.randn(64, 512)).unbind(dim=1)
    # |μ| is of the order 0.002 √513 ≈ 0.045, and so is what softplus is taken of.
    assert mean.std().item() == pytest.approx(0.002 * 513**0.5, rel=0.1)
    assert (deviation - torch.log(torch.tensor(2.0))).abs().max() < 0.2
    for parameter in latent.parameters():
        assert parameter.std().item() == pytest.approx(0.002, rel=0.15)


def test_mean_and_deviation_are_two_linear_layers_and_a_softplus() -> None:
    latent = SharedLatent(3).double()
    encoded = torch.randn(4, 3, dtype=torch.float64)
    found = latent(encoded)
    for i in range(4):
        mean = latent.mean.weight @ encoded[i] + latent.mean.bias
        raw = latent.deviation.weight @ encoded[i] + latent.deviation.bias
        assert torch.allclose(found[i, 0], mean)
        assert torch.allclose(found[i, 1], torch.log(1 + torch.exp(raw)))


def test_deviations_stay_positive_numbers_in_half_precision() -> None:
    latent = SharedLatent(4)
    with torch.no_grad():
        latent.deviation.weight.zero_()
        latent.deviation.bias.fill_(-30.0)
    with torch.autocast("cpu", torch.bfloat16):
        deviation = latent(torch.randn(2, 4))[:, 1]
    assert deviation.dtype == torch.float32
    assert (deviation > 0).all()
    assert torch.isfinite(deviation.log()).all()


def test_spectral_bounds_every_singular_value_of_the_critic() -> None:
    torch.manual_seed(0)
    critic = VaeGan(1, maps=4, spectral=True).critic(10)
    layers = [m for m in critic.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 6
    with torch.no_grad():
        for layer in layers:  # as if training had blown the weights up
            layer.parametrizations.weight.original.mul_(50)
        for _ in range(200):
            critic(torch.randn(2, 1, 32, 32))  # each pass in training mode improves the estimate by one step
        for layer in layers:
            largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item()
            assert largest == pytest.approx(1, abs=0.02)


def test_without_spectral_weights_are_their_own() -> None:
    critic = VaeGan(1, maps=2).critic(10)
    assert not any(hasattr(m, "parametrizations") for m in critic.modules())


def test_every_call_makes_new_weights() -> None:
    one, two = SMALL.encoder(), SMALL.encoder()
    assert not torch.equal(one[0].weight, two[0].weight)
