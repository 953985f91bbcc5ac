"""Layers whose weights are computed, against what computed them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from acclimate.networks.linear import ComputedLinear


def regression(classes: list[int]) -> tuple[LogisticRegression, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.array(classes)[np.arange(60) % len(classes)]
    x = rng.normal(size=(60, 3)) + y[:, None]
    return LogisticRegression().fit(x, y), x


@pytest.mark.parametrize("classes", [[0, 1], [1, 3], [0, 2, 3]])
def test_confidence_is_the_regressions_probability(classes: list[int]) -> None:
    model, x = regression(classes)
    layer = ComputedLinear(3, 4).double()
    layer.set_scores(model.coef_, model.intercept_, model.classes_)
    probabilities = layer(torch.from_numpy(x)).softmax(dim=1).numpy()
    np.testing.assert_allclose(probabilities[:, classes], model.predict_proba(x), atol=1e-9)
    assert not probabilities[:, sorted({0, 1, 2, 3} - set(classes))].any()
