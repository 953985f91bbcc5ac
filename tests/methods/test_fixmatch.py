"""FixMatch: nothing is taught before the ramp or without confidence; what is taught is the slight view's answer."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acclimate.data.views import slightly, strongly
from acclimate.methods.classification.fixmatch import FixMatch
from acclimate.types import Batch, Examples, Passes

X = torch.tensor([[4.0, 0.0], [0.0, 4.0], [0.1, 0.0]])
NETS: dict[str, nn.Module] = {"features": nn.Identity(), "classifier": nn.Identity()}


def a_batch(progress: float) -> Batch:
    return Batch(
        Examples(X.clone().requires_grad_(), torch.tensor([0, 1, 1])), Examples(X, torch.tensor([-1] * 3)), progress
    )


def test_the_strong_view_learns_the_certain_answers_to_the_slight_one() -> None:
    torch.manual_seed(3)
    (update,) = FixMatch(weight=2.0, threshold=0.9, ramp=1e3).updates(NETS, a_batch(1.0))
    torch.manual_seed(3)
    q = slightly(X).softmax(dim=1)
    strong = strongly(X)
    own = sum(F.cross_entropy(strong[i], q[i].argmax()).item() for i in range(3) if q[i].max() >= 0.9) / 3
    assert own > 0
    expected = F.cross_entropy(X, torch.tensor([0, 1, 1])).item() + 2 * own
    assert update.loss.item() == pytest.approx(expected, rel=1e-5)


def test_at_the_start_there_is_the_source_alone() -> None:
    (update,) = FixMatch(threshold=0.0).updates(NETS, a_batch(0.0))
    assert update.loss.item() == pytest.approx(F.cross_entropy(X, torch.tensor([0, 1, 1])).item())


def test_pseudo_labels_are_the_answers_and_those_kept_the_certain_ones() -> None:
    passes = Passes(lambda: iter(()), lambda: iter([a_batch(0.0).target]))
    found = FixMatch(threshold=0.9).pseudo_labels(NETS, passes)
    assert found is not None
    assert found.labels.tolist() == [0, 1, 0]
    assert found.kept.tolist() == [True, True, False]
