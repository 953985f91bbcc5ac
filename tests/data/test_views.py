"""Views of a batch: of its shape and kind, drawn by the global generator, strong ones further than slight ones."""

from __future__ import annotations

import pytest
import torch

from acclimate.data.views import slightly, strongly

IMAGES = torch.zeros(6, 1, 16, 16)
IMAGES[:, :, 4:12, 7:9] = 1.0
FEATURES, WORDS = torch.ones(50, 40), torch.arange(2, 42).expand(50, 40)


@pytest.mark.parametrize("x", [IMAGES, FEATURES, WORDS], ids=["images", "features", "words"])
def test_views_keep_shape_and_kind_and_follow_the_seed(x: torch.Tensor) -> None:
    far = []
    for view in (slightly, strongly):
        torch.manual_seed(0)
        one = view(x)
        torch.manual_seed(0)
        assert torch.equal(one, view(x))
        assert not torch.equal(one, view(x))
        assert (one.shape, one.dtype) == (x.shape, x.dtype)
        far.append(float((one - x).float().square().mean()))
    assert 0 < far[0] < far[1]


def test_what_is_left_out_is_no_word_and_what_is_left_of_features_keeps_their_mean() -> None:
    torch.manual_seed(0)
    words, features = strongly(WORDS), strongly(FEATURES)
    assert set((words - WORDS)[words != 0].tolist()) == {0}
    assert float((words == 0).float().mean()) == pytest.approx(0.3, abs=0.03)
    assert float(features.mean()) == pytest.approx(1.0, abs=0.05)
