"""Searching again with what was found, against the equation written out, and on a world whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.metrics.expansion import ROUNDS, expanded, nearest_in
from acclimate.metrics.retrieval import rank


@given(k=st.integers(1, 6), seed=st.integers(0, 99))
def test_it_is_the_equation(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    queries, gallery = rng.normal(size=(3, 4)), rng.normal(size=(6, 4))
    units = [v / np.linalg.norm(v) for v in gallery]
    found = expanded(queries, nearest_in(gallery), k)
    for query, drawn in zip(queries, found, strict=True):
        first = query / np.linalg.norm(query)
        q = first
        for _ in range(ROUNDS):
            cosines = [float(q @ v / np.linalg.norm(q)) for v in units]
            rows = sorted(range(6), key=lambda i: -cosines[i])[:k]
            weights = [max(cosines[i], 0) ** 3 for i in rows]
            total = sum(weights)
            q = first + (sum(w * units[i] for w, i in zip(weights, rows, strict=True)) / total if total > 0 else 0)
        np.testing.assert_allclose(drawn, q, atol=1e-9)


def test_a_query_without_anything_on_its_side_stays_where_it_is() -> None:
    gallery = np.array([[-1.0, 0.1], [-1.0, -0.1]])
    np.testing.assert_allclose(expanded(np.array([[2.0, 0.0]]), nearest_in(gallery), 2), [[1.0, 0.0]])


def test_all_items_are_taken_where_there_are_fewer() -> None:
    gallery = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert expanded(np.array([[1.0, 0.2]]), nearest_in(gallery), 50).shape == (1, 2)


@pytest.mark.parametrize("seed", range(3))
def test_a_class_that_lies_together_is_found_as_a_whole(seed: int) -> None:
    """Queries point past their class, whose items know each other."""
    rng = np.random.default_rng(seed)
    centres = np.eye(10)[:5]
    labels = np.repeat(np.arange(5), 30)
    gallery = centres[labels] + 0.2 * rng.normal(size=(150, 10))
    asked = np.arange(5).repeat(8)
    queries = centres[asked] + 0.5 * rng.normal(size=(40, 10))
    before = rank(queries, gallery, asked, labels).mean_average_precision()
    after = rank(expanded(queries, nearest_in(gallery), 20), gallery, asked, labels).mean_average_precision()
    assert after > before + 0.05
