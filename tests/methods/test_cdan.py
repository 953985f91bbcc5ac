"""CDAN: who sees what, who is moved where, and what certain predictions count for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.classification.cdan import CDAN, CDANE
from acclimate.methods.classification.dann import DANN
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.conditioning import Multilinear
from acclimate.networks.mlp import Mlp
from acclimate.objectives.entropy import certainty
from acclimate.training.gradients import backward
from acclimate.types import Batch, Examples

N, K = 8, 3


def networks(method: Stepwise[Batch]) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    nets = method.networks(Mlp(4, hidden=5), K)
    return {name: net.double().eval() for name, net in nets.items()}


def a_batch(progress: float = 1.0) -> Batch:
    generator = torch.Generator().manual_seed(1)
    source, target = (2 * torch.randn(N, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    labels = torch.randint(0, K, (N,), generator=generator)
    return Batch(Examples(source, labels), Examples(target + 1, torch.full((N,), -1)), progress)


def by_hand(nets: dict[str, nn.Module], batch: Batch, listens: bool) -> tuple[Tensor, Tensor]:
    """L_y and L_d, with outer products written out and one binary cross-entropy for each example."""
    source_loss, losses = torch.zeros((), dtype=torch.float64), []
    for x, domain in ((batch.source.x, 0.0), (batch.target.x, 1.0)):
        f = nets["features"](x)
        logits = nets["classifier"](f)
        g = logits.detach().softmax(dim=1)
        seen = torch.stack([torch.outer(g[i], f[i]).flatten() for i in range(N)])
        each = F.binary_cross_entropy_with_logits(
            nets["discriminator"](seen)[:, 0], torch.full((N,), domain, dtype=torch.float64), reduction="none"
        )
        weights = certainty(g) if listens else torch.ones(N, dtype=torch.float64)
        losses.append((weights * each).sum() / weights.sum())
        if domain == 0:
            source_loss = F.cross_entropy(logits, batch.source.y)
    return source_loss, sum(losses) / 2


@pytest.mark.parametrize(("method", "listens"), [(CDAN(), False), (CDANE(), True)])
def test_one_step_descends_for_the_discriminator_and_ascends_for_the_features(
    method: Stepwise[Batch], listens: bool
) -> None:
    method = method.model_copy(update={"ramp": 1e3, "max_reversal": 0.5})
    nets, batch = networks(method), a_batch()
    (update,) = method.updates(nets, batch)
    backward(update, nets)
    found = {name: [p.grad.clone() for p in nets[name].parameters()] for name in update.trains}
    labels, domains = by_hand(nets, batch, listens)
    assert update.loss.item() == pytest.approx((labels + domains).item())
    wanted = {
        "features": labels - 0.5 * domains,
        "classifier": labels,  # no gradient reaches it through the predictions
        "discriminator": domains,
    }
    assert set(wanted) == set(update.trains)
    for name, loss in wanted.items():
        expected = torch.autograd.grad(loss, list(nets[name].parameters()), retain_graph=True)
        assert all(torch.allclose(a, b) for a, b in zip(found[name], expected, strict=True)), name


def test_what_the_features_alone_hide_the_discriminator_sees() -> None:
    # Both sides have the same features, but a source example is called 0 where the target's is called 1.
    features = torch.cat([torch.eye(2), torch.eye(2)])
    predictions = torch.cat([torch.eye(2), torch.eye(2).flip(0)])
    domains = torch.tensor([0.0, 0.0, 1.0, 1.0])
    seen = Multilinear(2, 2)(features, predictions)
    one_more = torch.cat([seen, torch.ones(4, 1)], dim=1)
    solved = torch.linalg.lstsq(one_more, domains[:, None]).solution
    assert torch.allclose((one_more @ solved)[:, 0], domains, atol=1e-5)
    assert torch.equal(features[:2], features[2:])


def test_wide_features_meet_classes_in_random_sums() -> None:
    wide = CDAN().networks(Mlp(4, hidden=2048), K)
    assert wide["conditioning"].outputs == 1024
    assert wide["discriminator"][0].in_features == 1024
    assert CDAN().networks(Mlp(4, hidden=5), K)["discriminator"][0].in_features == 15
    assert DANN().networks(Mlp(4, hidden=5), K)["discriminator"][0].in_features == 5
