"""The plain auto-encoders against their losses, and that nothing is shared."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from acclimate.methods.translation.vae import VAE
from acclimate.networks.vae_gan import VaeGan
from acclimate.training.gradients import backward
from acclimate.types import Batch, Examples, Update

B, K = 5, 3


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {name: net.double() for name, net in VAE(maps=2).networks(VaeGan(1), K).items()}


def a_batch(labelled: int = 0, target_scale: float = 1.0) -> Batch:
    generator = torch.Generator().manual_seed(1)

    def images(n: int) -> Tensor:
        return torch.rand(n, 1, 32, 32, generator=generator, dtype=torch.float64) * 2 - 1

    source = Examples(images(B), torch.randint(0, K, (B,), generator=generator))
    target = Examples(images(B) * target_scale, torch.full((B,), -1))
    given = Examples(images(labelled), torch.randint(0, K, (labelled,), generator=generator)) if labelled else None
    return Batch(source, target, 0.0, given, 0.1)


def one_update(nets: dict[str, Any], batch: Batch, **options: Any) -> Update:
    torch.manual_seed(5)
    (update,) = VAE(maps=2, **options).updates(nets, batch)
    return update


def cross_entropy(logits: Tensor, labels: Tensor) -> float:
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    return sum(math.log(sum(math.exp(v) for v in row)) - row[y] for row, y in rows) / len(labels)


@pytest.mark.parametrize("labelled", [0, 3])
def test_the_loss_is_its_terms_added_up(labelled: int) -> None:
    nets, batch = networks(), a_batch(labelled)
    update = one_update(nets, batch, kl=0.5, reconstruction=2.0)
    torch.manual_seed(5)
    expected = 0.0
    codes = {}
    for side in ("source", "target"):
        x = getattr(batch, side).x
        codes[side] = nets[f"{side}_latent"](nets[f"{side}_features"](x)).unbind(1)
    for side, (mean, deviation) in codes.items():
        x = getattr(batch, side).x
        made = nets[f"{side}_decoder"](mean + deviation * torch.randn_like(mean))
        pairs = zip(mean.flatten().tolist(), deviation.flatten().tolist(), strict=True)
        expected += 0.5 * sum(0.5 * (m * m + s * s - math.log(s * s) - 1) for m, s in pairs) / B
        expected += 2.0 * sum(abs(v) for v in (made - x).flatten().tolist()) / B
    expected += cross_entropy(nets["classifier"](codes["source"][0]), batch.source.y)
    if batch.labelled_target is not None:
        code = nets["target_latent"](nets["target_features"](batch.labelled_target.x))[:, 0]
        expected += cross_entropy(nets["classifier"](code), batch.labelled_target.y)
    assert update.loss.item() == pytest.approx(expected, rel=1e-9)
    assert set(update.trains) == set(nets)


def gradients(nets: dict[str, Any], update: Update) -> dict[str, list[Tensor]]:
    backward(update, nets)
    return {name: [p.grad.clone() for p in net.parameters()] for name, net in nets.items()}


def test_a_sides_networks_learn_nothing_from_the_other() -> None:
    nets = networks()
    one, other = (gradients(nets, one_update(nets, a_batch(target_scale=s))) for s in (1.0, 0.3))
    for name in nets:
        same = all(torch.equal(a, b) for a, b in zip(one[name], other[name], strict=True))
        assert same == (not name.startswith("target")), name


def test_labels_move_the_classifier_alone() -> None:
    nets, batch = networks(), a_batch(3)
    one = gradients(nets, one_update(nets, batch))
    shifted = Batch(Examples(batch.source.x, (batch.source.y + 1) % K), batch.target, 0.0, batch.labelled_target)
    other = gradients(nets, one_update(nets, shifted))
    for name in nets:
        same = all(torch.equal(a, b) for a, b in zip(one[name], other[name], strict=True))
        assert same == (name != "classifier"), name
    without = gradients(nets, one_update(nets, a_batch()))
    assert not all(torch.equal(a, b) for a, b in zip(one["classifier"], without["classifier"], strict=True))


def test_codes_means_are_embedded_classified_and_decoded() -> None:
    method, nets = VAE(maps=2), networks()
    for net in nets.values():
        net.eval()
    x = a_batch().target.x
    for side in ("source", "target"):
        code = method.embed(nets, x, side)  # type: ignore[arg-type]
        assert torch.equal(code, nets[f"{side}_latent"](nets[f"{side}_features"](x))[:, 0])
        assert torch.equal(method.logits(nets, x, side), nets["classifier"](code))  # type: ignore[arg-type]
        assert torch.equal(method.decode(nets, code, side), nets[f"{side}_decoder"](code))  # type: ignore[arg-type]
        found = method.monitor(nets, x, side)  # type: ignore[arg-type]
        distance = (nets[f"{side}_decoder"](code) - x).abs().sum() / B
        assert found["reconstruction"].item() == pytest.approx(distance.item())


def test_the_recipe_is_that_of_the_loss_curves() -> None:
    assert VAE.recipe == {"steps": 100_000, "batch_size": 128, "optimizer": "adam", "lr": 1e-4, "momentum": 0.5}
    assert (VAE().kl, VAE().reconstruction, VAE().distance, VAE().maps) == (1, 1, "l1", 32)
