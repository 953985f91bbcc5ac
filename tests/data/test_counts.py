"""Which features are taken for counts of words."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.data.counts import holds_counts
from acclimate.data.domain import Domain
from acclimate.data.schema import Column, TableSchema


def counts(n: int = 40, d: int = 200) -> np.ndarray:
    drawn = np.random.default_rng(0).poisson(0.05, (n, d)).astype(np.float32)
    drawn[:, 0] = 1
    return drawn


def test_counts_of_words_are() -> None:
    assert holds_counts(Domain(counts()))
    assert holds_counts(Domain(np.minimum(counts(), 1))), "which words there are, not how often"


def changed(value: float) -> np.ndarray:
    array = counts()
    array[33, 7] = value
    return array


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(counts(d=99), id="few columns"),
        pytest.param(changed(0.5), id="a fraction"),
        pytest.param(changed(-1), id="a negative number"),
        pytest.param(np.vstack([counts(), np.zeros((1, 200), np.float32)]), id="a row of zeros"),
        pytest.param(
            counts() + np.eye(40, 200, dtype=np.float32)[:, ::-1] @ np.ones((200, 200), np.float32), id="dense"
        ),
        pytest.param(np.eye(150, dtype=np.float32)[np.arange(40)], id="a category, spelt out"),
        pytest.param(np.zeros((0, 200), np.float32), id="nothing"),
        pytest.param(np.zeros((4, 28, 28, 1), np.uint8), id="images"),
    ],
)
def test_others_are_not(array: np.ndarray) -> None:
    assert not holds_counts(Domain(array))


def test_categories_of_a_table_are_not() -> None:
    numbers = tuple(Column(name=str(i), kind="numeric") for i in range(198))
    category = Column(name="town", kind="categorical", categories=("a", "b"))
    assert holds_counts(Domain(counts(), schema=TableSchema(columns=(*numbers, *numbers[:2]))))
    assert not holds_counts(Domain(counts(), schema=TableSchema(columns=(*numbers, category))))


def test_a_fraction_far_down_is_seen() -> None:
    array = np.tile(counts(), (110, 1))
    array[-1, -1] = 0.5
    assert not holds_counts(Domain(array))
