"""Watching what reaches batch-norm layers, against NumPy on all of it at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from acclimate.networks.batch_norm import averaging_layers, batch_statistics, distance, watched


def test_statistics_of_batches_join_to_those_of_the_whole() -> None:
    """Small variances around large means, where adding up squares in float32 would see none."""
    net = nn.Sequential(nn.BatchNorm2d(3)).eval()
    x = torch.randn(50, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 0.01 + 100
    with watched({"features": net}) as seen:
        for batch in x.split([7, 20, 23]):
            net(batch)
    found, values = seen["features.0"], x.double().numpy().transpose(1, 0, 2, 3).reshape(3, -1)
    assert found.n == 50 * 16
    np.testing.assert_allclose(found.mean, values.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.variance, values.var(axis=1), rtol=1e-2)
    with torch.no_grad():
        net(x)
    assert found.n == 50 * 16, "no longer watched"


def test_distance_is_in_standard_deviations() -> None:
    layer = nn.BatchNorm1d(4, eps=0.0).eval()
    layer.running_mean.fill_(1.0)  # type: ignore[union-attr,operator]
    layer.running_var.fill_(4.0)  # type: ignore[union-attr,operator]
    values = torch.randn(4000, 4, generator=torch.Generator().manual_seed(0))
    values = (values - values.mean(dim=0)) / values.std(dim=0, correction=0)
    for moved, stretched, expected in (
        (0.0, 1.0, 0.0),
        (3.0, 1.0, 1.5),
        (0.0, 0.5, np.log(2)),
        (0.0, 2.0, np.log(2)),
    ):
        with watched({"net": nn.Sequential(layer)}) as seen:
            layer(values * 2 * stretched + 1 + moved)
        assert distance(layer, seen["net.0"]) == pytest.approx(expected, abs=1e-4)


def test_batch_statistics_are_those_of_training_and_leave_no_trace() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Dropout(0.5))
    x = torch.randn(32, 3) + 2
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with torch.no_grad():
        net.eval()
        with batch_statistics({"net": net}):
            own = net(x)
            assert not averaging_layers({"net": net})
        mixed = net(x)
        hidden = net[0](x)
        expected = (hidden - hidden.mean(dim=0)) / (hidden.var(dim=0, correction=0) + net[1].eps).sqrt()
    assert torch.allclose(own, expected, atol=1e-5)
    assert not torch.allclose(own, mixed, atol=1e-2)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert list(averaging_layers({"net": net})) == ["net.1"]
