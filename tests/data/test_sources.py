"""Several sources as one domain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import acclimate as ac
from acclimate.data.domain import Domain
from acclimate.data.given_sources import join_sources
from acclimate.data.sources import by_origin
from acclimate.data.task import Task
from acclimate.errors import DataError
from acclimate.types import UNLABELLED


def shop(seed: int, n: int = 6, classes: tuple[str, ...] = ("no", "yes"), width: int = 3) -> Domain:
    rng = np.random.default_rng(seed)
    return Domain(rng.normal(size=(n, width)).astype(np.float32), np.arange(n) % 2, classes)


@given(st.lists(st.integers(2, 9), min_size=2, max_size=4), st.data())
def test_every_example_is_found_again_with_its_own_label_and_source(sizes: list[int], data: st.DataObject) -> None:
    parts = {f"shop {i}": shop(i, n, ("no", "yes") if i % 2 else ("yes", "no")) for i, n in enumerate(sizes)}
    joined = join_sources(parts)
    kept = data.draw(st.lists(st.booleans(), min_size=len(joined), max_size=len(joined)))
    some = joined.take(np.array(kept))
    assert joined.origin_names == tuple(parts)
    start = 0
    for part, found in zip(parts.values(), by_origin(some), strict=True):
        rows = np.flatnonzero(kept[start : start + len(part)])
        start += len(part)
        assert np.array_equal(found.inputs, part.inputs[rows])
        assert [found.classes[y] for y in found.labels] == [part.classes[y] for y in part.labels[rows]]


def test_what_is_set_aside_keeps_its_source() -> None:
    joined = join_sources({"a": shop(0, 40), "b": shop(1, 20)})
    task = Task(joined, shop(2)).with_source_test()
    assert task.source_test is not None
    assert len(task.source.origins) == len(task.source)
    assert len(task.source_test.origins) == len(task.source_test)
    assert sum(map(len, by_origin(task.source))) + sum(map(len, by_origin(task.source_test))) == 60


def test_examples_without_a_label_are_left_to_no_source() -> None:
    joined = join_sources({"a": shop(0), "b": shop(1)})
    one, two = by_origin(replace(joined, labels=np.where(np.arange(12) < 4, UNLABELLED, joined.labels)))
    assert (len(one), len(two)) == (2, 6)


@pytest.mark.parametrize("origins", [np.zeros(5, int), np.zeros(6), np.full(6, 2), np.full(6, -1)])
def test_places_that_are_none_are_refused(origins: np.ndarray) -> None:
    with pytest.raises(DataError, match="a place in origin_names each"):
        replace(shop(0), origins=origins, origin_names=("a", "b"))


def test_images_come_in_the_largest_size_and_in_colour_if_some_do() -> None:
    grey = Domain(np.full((2, 4, 4, 1), 7, np.uint8), np.array([0, 1]), ("a", "b"))
    colour = Domain(np.full((2, 8, 8, 3), 9, np.uint8), np.array([0, 1]), ("a", "b"))
    joined = join_sources({"grey": grey, "colour": colour})
    assert joined.array.shape == (4, 8, 8, 3)
    assert (joined.array[:2] == 7).all()
    assert (joined.array[2:] == 9).all()


def test_texts_and_pairs_and_tables_are_taken_as_fit_takes_them() -> None:
    texts = join_sources({"a": (["good", "bad"], [1, 0]), "b": (["poor", "fine"], [0, 1])})
    assert texts.kind == "text"
    assert texts.labels.tolist() == [1, 0, 0, 1]
    first = pl.DataFrame({"x": [0.0, 1.0], "y": [2.0, 3.0]})
    joined = join_sources({"a": (first, ["u", "v"]), "b": (first.select("y", "x") + 1, ["u", "v"])})
    assert joined.inputs.tolist() == [[0, 2], [1, 3], [1, 3], [2, 4]], "columns are matched by name"


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"a": shop(0)}, "must be two or more"),
        ({"a": shop(0), "b": shop(1).take(slice(0))}, "b must hold labelled examples"),
        ({"a": shop(0), "b": shop(1).unlabelled()}, "b must hold labelled examples"),
        ({"a": shop(0), "b": shop(0)}, "must hold different examples"),
        ({"a": shop(0), "b": shop(1, width=2)}, "3 and 2 features"),
        ({"a": shop(0), "b": shop(1, classes=("no", "perhaps"))}, "a alone has 'yes'; b alone has 'perhaps'"),
        ({"a": shop(0), "b": replace(shop(1), labels=np.zeros(6))}, "a alone has 'yes'"),
        ({"a": shop(0), "b": (["good", "bad"], ["no", "yes"])}, "must hold the same kind of input"),
        ({"a": shop(0), "b": np.zeros((2, 3))}, "b must come with labels"),
        ({"a": (pl.DataFrame({"x": [0.0, 1]}), [0, 1]), "b": (pl.DataFrame({"z": [0.0, 2]}), [0, 1])}, "called x"),
    ],
)
def test_what_does_not_fit_together_is_refused(sources: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        ac.join_sources(sources)
