"""Scores of known classes and the unknown, against loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from acclimate.metrics.open_set import h_difference_interval, open_scores_of, open_set_scores
from acclimate.types import UNLABELLED, Outputs

K = 4
ANSWERS = hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, K - 1))


@given(ANSWERS, st.data())
def test_scores_are_those_of_a_loop(predicted: np.ndarray, data: st.DataObject) -> None:
    labels = data.draw(hnp.arrays(np.int64, len(predicted), elements=st.integers(UNLABELLED, K - 1)))
    found = open_set_scores(predicted, labels, K)
    recall = {c: (predicted[labels == c] == c).mean() for c in range(K) if (labels == c).any()}
    known = [share for c, share in recall.items() if c < K - 1]
    if not known or K - 1 not in recall:
        assert found == {}
        return
    own, unknown = float(np.mean(known)), float(recall[K - 1])
    expected = 0.0 if own + unknown == 0 else 2 * own * unknown / (own + unknown)
    assert np.allclose([found["os_star"], found["unk"], found["h_score"]], [own, unknown, expected])


def test_whoever_calls_everything_or_nothing_unknown_gets_nothing() -> None:
    labels = np.array([0, 1, 2, 2])
    assert open_set_scores(np.full(4, 2), labels, 3)["h_score"] == 0
    assert open_set_scores(np.array([0, 1, 0, 1]), labels, 3)["h_score"] == 0


def test_scores_are_told_by_role_where_labels_are() -> None:
    logits = np.eye(3, dtype=np.float32)
    seen = {"target": Outputs(logits, logits), "target_test": Outputs(logits, logits)}
    scores = open_scores_of(seen, {"target": np.arange(3)})
    assert scores == {"target_os_star": 1.0, "target_unk": 1.0, "target_h_score": 1.0}


def test_the_interval_of_a_difference_holds_what_it_is_of_and_is_none_between_equals() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    before = rng.random(300) < 0.6
    after = before | (rng.random(300) < 0.5)
    low, high = h_difference_interval(np.stack([before, after]), labels)
    assert 0 < low < high < 0.4
    assert h_difference_interval(np.stack([before, before]), labels) == (0.0, 0.0)
    assert h_difference_interval(np.stack([after, before]), labels)[1] < 0
