"""What methods of several sources compute, beside arithmetic of another kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from acclimate.methods.several_sources.m3sda import M3SDA
from acclimate.methods.several_sources.mfsan import MFSAN
from acclimate.methods.several_sources.source_combination import SourceCombination
from acclimate.networks.mlp import Mlp
from acclimate.types import UNLABELLED, Examples, SeveralBatch

BOTH = (0.75, 0.25)


def batch(seed: int = 0, b: int = 6, d: int = 3) -> SeveralBatch:
    generator = torch.Generator().manual_seed(seed)

    def examples() -> Examples:
        return Examples(torch.randn(b, d, generator=generator), torch.randint(2, (b,), generator=generator))

    return SeveralBatch((examples(), examples()), Examples(examples().x, torch.full((b,), UNLABELLED)), 0.5)


def networks(method: M3SDA | MFSAN | SourceCombination) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    nets = method.networks(Mlp(3, hidden=5, dropout=0.0), 2)
    for net in nets.values():
        net.eval()
    return nets


def numbers(nets: dict[str, nn.Module], x: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return nets["features"](x).double().numpy()


def linear(net: nn.Module, features: np.ndarray) -> np.ndarray:
    """Softmax of a linear layer, in NumPy."""
    weight, bias = (p.detach().double().numpy() for p in net.parameters())
    scores = np.exp(features @ weight.T + bias)
    return scores / scores.sum(axis=1, keepdims=True)


def entropy_of(answers: np.ndarray, labels: torch.Tensor) -> float:
    return float(-np.mean([np.log(row[y]) for row, y in zip(answers, labels.tolist(), strict=True)]))


def test_m3sda_has_the_losses_of_its_three_steps() -> None:
    method, seen = M3SDA(source_weights=BOTH, moment_weight=0.3, n=1), batch()
    nets = networks(method)
    sources, target = [numbers(nets, e.x) for e in seen.sources], numbers(nets, seen.target.x)
    pairs = [[*pair] for pair in nets["classifiers"]]
    labels = np.mean([sum(entropy_of(linear(c, f), e.y) for c in pair)
                      for pair, f, e in zip(pairs, sources, seen.sources, strict=True)])  # fmt: skip
    moments = 0.0
    for power in (1, 2):
        one, two, three = ((f**power).mean(axis=0) for f in (*sources, target))
        moments += (np.linalg.norm(one - three) + np.linalg.norm(two - three)) / 2 + np.linalg.norm(one - two)
    apart = np.mean([np.abs(linear(c, target) - linear(d, target)).mean() for c, d in pairs])
    losses = [float(update.loss.detach()) for update in method.updates(nets, seen)]  # nothing moves in between
    assert losses == pytest.approx([labels + 0.3 * moments, labels - apart, apart], rel=1e-5)


def test_mfsan_aligns_each_source_in_a_space_of_its_own() -> None:
    method, seen = MFSAN(source_weights=BOTH, width=4, mmd_weight=0.0, agreement_weight=2.0, ramp=0.0), batch()
    nets = networks(method)
    heads = list(zip(nets["spaces"], nets["classifiers"], strict=True))

    def answers(i: int, x: torch.Tensor) -> np.ndarray:
        with torch.no_grad():
            return linear(heads[i][1], heads[i][0](nets["features"](x)).double().numpy())

    labels = np.mean([entropy_of(answers(i, e.x), e.y) for i, e in enumerate(seen.sources)])
    (update,) = method.updates(nets, seen)
    assert float(update.loss.detach()) == pytest.approx(labels, rel=1e-5), "a ramp of 0 lets nothing but labels count"
    assert float(update.logs["disagreement"]) == pytest.approx(
        np.abs(answers(0, seen.target.x) - answers(1, seen.target.x)).mean(), rel=1e-5
    )
    mixed = 0.75 * answers(0, seen.target.x) + 0.25 * answers(1, seen.target.x)
    told = method.logits(nets, seen.target.x).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(told, mixed, rtol=1e-5)


def test_a_combination_asks_each_source_as_much_as_an_example_looks_like_it() -> None:
    method, seen = SourceCombination(source_weights=BOTH), batch()
    nets = networks(method)
    features = numbers(nets, seen.target.x)
    odds = linear(nets["origin"], features) * np.array(BOTH)
    odds /= odds.sum(axis=1, keepdims=True)
    mixed = sum(odds[:, [i]] * linear(c, features) for i, c in enumerate(nets["classifiers"]))
    told = method.logits(nets, seen.target.x).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(told, mixed, rtol=1e-5)
