from __future__ import annotations

import pytest
import torch

from acclimate.networks.tiny import Tiny


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_size(channels: int) -> None:
    tiny = Tiny(channels)
    features, classifier = tiny.features(), tiny.classifier(10)
    out = features(torch.randn(2, channels, 8, 8))
    assert out.shape == (2, tiny.width)
    assert classifier(out).shape == (2, 10)
    assert tiny.discriminator()(out).shape == (2, 1)
    weights = sum(p.numel() for module in (features, classifier) for p in module.parameters())
    assert weights == 57_930 + (channels - 1) * 24 * 9


def test_every_call_makes_fresh_weights() -> None:
    first, second = (next(Tiny(1).features().parameters()) for _ in range(2))
    assert not torch.equal(first, second)
