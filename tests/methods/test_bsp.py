"""BSP: DANN's loss, and beside it what NumPy says of the singular values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.methods.classification.bsp import BSP
from acclimate.methods.classification.dann import DANN
from acclimate.networks.mlp import Mlp
from acclimate.types import Batch, Examples


@pytest.mark.parametrize("largest", [1, 2])
def test_it_is_danns_loss_and_the_squares_of_the_largest_singular_values(largest: int) -> None:
    method = BSP(penalty_weight=0.5, largest=largest)
    torch.manual_seed(0)
    nets = {name: net.double().eval() for name, net in method.networks(Mlp(4, hidden=5), 3).items()}
    source, target = torch.randn(8, 4, dtype=torch.float64), torch.randn(8, 4, dtype=torch.float64) + 1
    batch = Batch(Examples(source, torch.randint(0, 3, (8,))), Examples(target, torch.full((8,), -1)), progress=0.3)
    (ours,), (danns,) = method.updates(nets, batch), DANN().updates(nets, batch)
    penalty = 0.0
    for x in (source, target):
        features = nets["features"](x).detach().numpy()
        penalty += float((np.linalg.svd(features, compute_uv=False)[:largest] ** 2).sum())
    assert ours.loss.item() == pytest.approx(danns.loss.item() + 0.5 * penalty)
    assert ours.trains == danns.trains
    # The penalty is not reversed: descent shortens the features along their main direction.
    features = list(nets["features"].parameters())
    more = [a - b for a, b in zip(*(torch.autograd.grad(u.loss, features) for u in (ours, danns)), strict=True)]
    with torch.no_grad():
        for parameter, slope in zip(features, more, strict=True):
            parameter -= 1e-3 * slope
    after = sum(
        float((np.linalg.svd(nets["features"](x).detach().numpy(), compute_uv=False)[:largest] ** 2).sum())
        for x in (source, target)
    )
    assert after < penalty
