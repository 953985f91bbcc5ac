from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight

from acclimate.data.weights import balanced_weights


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=40))
def test_weights_are_scikit_learns_and_nothing_without_a_label(labels: list[int]) -> None:
    y = np.array(labels)
    weights, known = balanced_weights(y), y != -1
    assert weights.dtype == np.float32
    assert (weights[~known] == 0).all()
    if known.any():
        assert weights[known] == pytest.approx(compute_sample_weight("balanced", y[known]), rel=1e-6)


def test_every_class_weighs_the_same_in_all() -> None:
    y = np.array([0] * 9 + [2])
    weights = balanced_weights(y)
    assert weights[y == 0].sum() == pytest.approx(5)
    assert weights[y == 2].sum() == pytest.approx(5)
    assert weights.mean() == pytest.approx(1)
