"""Which texts are shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.errors import WorkError
from acclimate.runs.record import Run
from acclimate.runs.words import groups, rounded

CONFIDENCE = np.array([0.9, 0.6, 0.8, 0.7, 0.99])


def test_both_ends_of_confidence_right_and_wrong_apart() -> None:
    right = np.array([1, 0, 1, 1, 0])
    assert groups(CONFIDENCE, right, 2) == {
        "right certain": [0, 2],
        "right uncertain": [3],
        "wrong certain": [4],
        "wrong uncertain": [1],
    }


def test_without_answers_the_ends_alone() -> None:
    expected = {"certain": [4, 0], "uncertain": [1, 3]}
    assert groups(CONFIDENCE, None, 2) == groups(CONFIDENCE, np.full(5, -1), 2) == expected


def test_texts_without_a_label_are_neither_right_nor_wrong() -> None:
    assert groups(CONFIDENCE, np.array([-1, 1, -1, -1, -1]), 9) == {"right certain": [1]}


@given(st.lists(st.tuples(st.floats(0.5, 1), st.integers(-1, 1)), max_size=30), st.integers(1, 9))
def test_no_example_is_shown_twice(rows: list[tuple[float, int]], most: int) -> None:
    confidence, right = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=int)
    found = groups(confidence, right, most)
    shown = [row for part in found.values() for row in part]
    assert len(shown) == len(set(shown))
    assert all(0 < len(part) <= most for part in found.values())


def test_numbers_are_short() -> None:
    assert rounded(np.array([1 / 3, 1e-9 / 3, 0, 1], dtype=np.float32)) == [0.333333, 3.33333e-10, 0, 1]


def test_a_damaged_file_is_told(tmp_path) -> None:
    run = Run.create(tmp_path / "run", {})
    assert run.words is None
    run.words_path.write_text("{")
    with pytest.raises(WorkError, match=r"words\.json cannot be read"):
        _ = run.words
    run.words_path.write_text("{}")
    with pytest.raises(WorkError, match="classes, deletion, source, target missing"):
        _ = run.words
