"""Fowlkes-Mallows: against counting pairs, and that names do not matter."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from acclimate.metrics.grouping import fowlkes_mallows, grouping_scores
from acclimate.types import Outputs

few = arrays(np.int64, st.shared(st.integers(2, 12), key="n"), elements=st.integers(0, 3))


def by_pairs(predicted: np.ndarray, labels: np.ndarray) -> float:
    pairs = list(itertools.combinations(range(len(labels)), 2))
    together = [(predicted[i] == predicted[j], labels[i] == labels[j]) for i, j in pairs]
    tp = sum(a and b for a, b in together)
    answered, true = sum(a for a, _ in together), sum(b for _, b in together)
    return tp / math.sqrt(answered * true) if tp else 0.0


@given(few, few)
def test_counts_pairs_and_knows_no_names(predicted: np.ndarray, labels: np.ndarray) -> None:
    score = fowlkes_mallows(predicted, labels)
    assert score == pytest.approx(by_pairs(predicted, labels))
    assert fowlkes_mallows((predicted + 1) % 4, labels) == pytest.approx(score)


def test_examples_without_a_label_do_not_count() -> None:
    predicted, labels = np.array([0, 0, 1, 1]), np.array([2, 2, 3, -1])
    assert fowlkes_mallows(predicted, labels) == 1.0
    assert math.isnan(fowlkes_mallows(predicted, np.full(4, -1)))


def test_scores_are_by_role_where_labels_are_known() -> None:
    seen = Outputs(np.eye(2, dtype=np.float32)[[0, 0, 1]], np.zeros((3, 0), np.float32))
    scores = grouping_scores({"target": seen, "target_test": seen}, {"target_test": np.array([1, 1, 0])})
    assert scores == {"target_test_fowlkes_mallows": 1.0}
