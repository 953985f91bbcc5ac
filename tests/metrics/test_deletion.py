"""The deletion curve where the right one is known, and its parts against loops."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.ragged import Ragged
from acclimate.metrics.deletion import deletion_curve, ranks, without

STRONG, WEAK, FILLER = {0: 2, 1: 3}, {0: 4, 1: 5}, 6


def world(n: int = 60, length: int = 30) -> tuple[Ragged, np.ndarray]:
    """Texts of filler with one strong word of their class and a weak one of the other, at random places."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    rows = [rng.permutation([STRONG[y], WEAK[1 - y]] + [FILLER] * (length - 2)) for y in labels.tolist()]
    return Ragged.of(rows, np.int32), labels


def answer(rows: Ragged) -> np.ndarray:
    """Probabilities by the words that are there: 2 for the strong one, 1 for the weak one, in log-odds of 1."""
    value = {2: -2.0, 3: 2.0, 4: -1.0, 5: 1.0}
    odds = np.array([sum(value.get(int(word), 0.0) for word in row) for row in rows])
    p = 1 / (1 + np.exp(-odds))
    return np.stack([1 - p, p], axis=1)


def attention_to(rows: Ragged, *wanted: int) -> list[np.ndarray]:
    return [np.isin(row, wanted) / max(1, np.isin(row, wanted).sum()) for row in rows]


def test_deleting_the_word_that_decides_flips_the_answer_and_random_ones_do_not() -> None:
    rows, labels = world()
    curve = deletion_curve(rows, attention_to(rows, 2, 3), answer, labels)
    sure = 1 / (1 + np.exp(-1))  # 2 − 1
    flipped = 1 / (1 + np.exp(1))  # −1
    assert curve.deleted[:2] == [0, 1]
    assert curve.attended.confidence[:2] == pytest.approx([sure, flipped])
    assert curve.attended.unchanged[:2] == [1, 0]
    assert curve.attended.accuracy[:2] == [1, 0]
    assert curve.random.accuracy[0] == 1
    assert curve.random.accuracy[1] > 0.9
    assert curve.gap[1] > 10 * curve.gap_ci95[1] > 0
    assert curve.gap[0] == 0


def test_attention_to_filler_is_no_better_than_chance() -> None:
    rows, labels = world()
    curve = deletion_curve(rows, attention_to(rows, FILLER), answer, labels)
    assert all(gap <= reach + 1e-12 for gap, reach in zip(curve.gap, curve.gap_ci95, strict=True))


def test_texts_that_run_out_of_words_meet() -> None:
    rows, labels = world(8, length=4)
    curve = deletion_curve(rows, attention_to(rows, 2, 3), answer, labels, deleted=(0, 4, 9))
    assert curve.attended.confidence[1:] == curve.random.confidence[1:] == pytest.approx([0.5, 0.5])


def test_without_labels_there_is_no_accuracy_and_unknown_ones_do_not_count() -> None:
    rows, labels = world()
    weights = attention_to(rows, 2, 3)
    assert deletion_curve(rows, weights, answer).attended.accuracy is None
    assert deletion_curve(rows, weights, answer, np.full(60, -1)).random.accuracy is None
    some = np.where(np.arange(60) < 10, 1 - labels, -1)  # all of them wrong
    assert deletion_curve(rows, weights, answer, some).attended.accuracy[:2] == [0, 1]


def test_same_seed_same_curve_and_it_survives_json() -> None:
    rows, labels = world()
    weights = attention_to(rows, 2, 3)
    one, two, other = (deletion_curve(rows, weights, answer, labels, seed=seed) for seed in (0, 0, 1))
    assert one == two != other
    assert json.loads(json.dumps(one.as_json(), allow_nan=False)) == one.as_json()


def test_a_single_text_is_no_proof() -> None:
    rows, labels = world(1)
    curve = deletion_curve(rows, attention_to(rows, 2, 3), answer, labels)
    assert curve.gap_ci95[1] == 1


texts = st.lists(st.lists(st.integers(2, 9), max_size=7), min_size=1, max_size=6)


@given(texts, st.integers(0, 8), st.integers(0, 99))
def test_ranks_and_deletion_against_a_loop(lists: list[list[int]], k: int, seed: int) -> None:
    rows = Ragged.of([np.array(row) for row in lists], np.int32)
    keys = np.random.default_rng(seed).integers(0, 3, len(rows.values)).astype(float)  # with ties
    order = ranks(rows, keys)
    left = without(rows, order, k)
    for i, row in enumerate(lists):
        mine = slice(rows.offsets[i], rows.offsets[i + 1])
        places = sorted(range(len(row)), key=lambda j: (keys[mine][j], j))
        assert [places.index(j) for j in range(len(row))] == order[mine].tolist()
        assert left[i].tolist() == [word for j, word in enumerate(row) if j not in places[:k]]
