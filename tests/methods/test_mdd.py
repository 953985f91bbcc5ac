"""MDD: one step plays for three, each with its own loss."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from acclimate.methods.classification.mdd import MDD
from acclimate.networks.mlp import Mlp
from acclimate.training.gradients import backward
from acclimate.types import Batch, Examples


def test_features_classifier_and_adversary_each_follow_their_own_loss() -> None:
    method = MDD(margin=3.0, ramp=1e3, max_reversal=0.2)
    torch.manual_seed(0)
    nets = {name: net.double().eval() for name, net in method.networks(Mlp(4, hidden=5), 3).items()}
    source, target = torch.randn(8, 4, dtype=torch.float64), torch.randn(8, 4, dtype=torch.float64) + 1
    labels = torch.randint(0, 3, (8,))
    batch = Batch(Examples(source, labels), Examples(target, torch.full((8,), -1)), progress=1.0)
    (update,) = method.updates(nets, batch)
    backward(update, nets)
    found = {name: [p.grad.clone() for p in nets[name].parameters()] for name in update.trains}

    f_s, f_t = nets["features"](source), nets["features"](target)
    label_loss = F.cross_entropy(nets["classifier"](f_s), labels)
    answers = [nets["classifier"](f).argmax(dim=1) for f in (f_s, f_t)]
    agreed = F.cross_entropy(nets["adversary"](f_s), answers[0])
    share = nets["adversary"](f_t).softmax(dim=1).gather(1, answers[1][:, None])
    disparity = 3.0 * agreed - (1 - share).log().mean()
    assert update.loss.item() == pytest.approx((label_loss + disparity).item())
    wanted = {"features": label_loss - 0.2 * disparity, "classifier": label_loss, "adversary": disparity}
    assert set(update.trains) == set(wanted)
    for name, loss in wanted.items():
        expected = torch.autograd.grad(loss, list(nets[name].parameters()), retain_graph=True)
        assert all(torch.allclose(a, b) for a, b in zip(found[name], expected, strict=True)), name
