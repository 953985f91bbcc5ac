"""ADDA: one model until the turn, two afterwards, and the game between them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acclimate.methods.classification.adda import ADDA
from acclimate.networks.mlp import Mlp
from acclimate.types import Batch, Examples

N = 8


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {name: net.double().eval() for name, net in ADDA().networks(Mlp(4, hidden=5), 3).items()}


def a_batch(progress: float) -> Batch:
    generator = torch.Generator().manual_seed(1)
    source, target = (torch.randn(N, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    labels = torch.randint(0, 3, (N,), generator=generator)
    return Batch(Examples(source, labels), Examples(target, torch.full((N,), -1)), progress)


def test_until_the_turn_both_sides_are_the_source_model() -> None:
    nets, method, batch = networks(), ADDA(turn=0.5), a_batch(0.4)
    assert not torch.equal(method.embed(nets, batch.source.x, "source"), method.embed(nets, batch.source.x, "target"))
    (update,) = method.updates(nets, batch)
    assert update.trains == ("features", "classifier")
    assert torch.equal(method.embed(nets, batch.source.x, "source"), method.embed(nets, batch.source.x, "target"))


def test_after_it_the_discriminator_and_the_targets_features_play_with_inverted_labels() -> None:
    nets, batch = networks(), a_batch(0.5)
    told, mistaken = ADDA(turn=0.5).updates(nets, batch)
    source, target = nets["source_features"](batch.source.x), nets["features"](batch.target.x)
    scores = torch.cat([nets["discriminator"](source), nets["discriminator"](target)])[:, 0]
    domains = torch.cat([torch.zeros(N), torch.ones(N)]).double()
    assert told.loss.item() == pytest.approx(F.binary_cross_entropy_with_logits(scores, domains).item())
    inverted = F.binary_cross_entropy_with_logits(scores[N:], torch.zeros(N).double())
    assert mistaken.loss.item() == pytest.approx(inverted.item())
    assert (told.trains, mistaken.trains) == (("discriminator",), ("features",))
    wanted = torch.autograd.grad(inverted, list(nets["features"].parameters()))
    found = torch.autograd.grad(mistaken.loss, list(nets["features"].parameters()))
    assert all(torch.allclose(a, b) for a, b in zip(wanted, found, strict=True))
