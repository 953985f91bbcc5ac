"""Missing values and numbers of any size, through preprocessing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess, Sides, notes_on, read_preprocess
from acclimate.data.readers import from_arrays, read_table
from acclimate.errors import DataError

NAN = np.nan
FILLED = "missing values were filled with the source's median or most frequent value"


def domain(rows: list[list[float]], name: str) -> Domain:
    return Domain(np.array(rows, dtype=np.float32), name=name)


def seen(preprocess: Preprocess, made: Domain) -> np.ndarray:
    return preprocess.batch(preprocess.fit(made).inputs, None).numpy()


def test_a_median_of_the_source_stands_for_what_is_missing_and_a_mark_beside_it() -> None:
    source, target = domain([[1, 5], [3, 6], [NAN, 70]], "source"), domain([[NAN, NAN], [9, 8]], "target")
    made = Preprocess.of_features([source, target], normalisation="none")
    assert (made.width, made.channels, made.gaps.marked) == (2, 3, (0,))
    np.testing.assert_array_equal(seen(made, source), [[1, 5, 0], [3, 6, 0], [2, 70, 1]])
    np.testing.assert_array_equal(seen(made, target), [[2, 6, 1], [9, 8, 0]])
    assert made.notes(source, target) == [
        f"source: {FILLED}: feature 0 in 1 of 3 rows.",
        f"target: {FILLED}: feature 0 in 1, feature 1 in 1 of 2 rows.",
    ]


def test_what_was_complete_in_training_may_be_missing_later() -> None:
    source = domain([[1, 5], [3, 6], [8, 70]], "source")
    made = read_preprocess(Preprocess.of_features([source, source]).model_dump(mode="json"))
    later = domain([[NAN, 5], [3, NAN], [NAN, NAN]], "data")
    filled = domain([[3, 5], [3, 6], [3, 6]], "data")
    np.testing.assert_array_equal(seen(made, later), seen(made, filled))
    assert "feature 0 in 2, feature 1 in 2 of 3 rows" in made.notes(later)[0]


def test_marks_are_not_scaled() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    rows[7, 1] = NAN
    made = Preprocess.of_features([Domain(rows), Domain(rows)])
    assert sorted(set(seen(made, Domain(rows))[:, 2])) == [0, 1]


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_column_that_a_side_lacks_altogether_is_left_out_and_named(side: str) -> None:
    whole, lacking = domain([[1, 5], [3, 6]], "a"), domain([[1, NAN], [3, NAN]], "b")
    pair = [whole, lacking] if side == "target" else [lacking, whole]
    made = Preprocess.of_features(pair, normalisation="none")
    assert (made.width, made.channels) == (2, 1)
    np.testing.assert_array_equal(seen(made, whole), [[1], [3]])
    assert made.notes(*pair) == ["b: LEFT OUT on both sides, as there is no value at all here: feature 1."]
    with pytest.raises(DataError, match="a and b must have a column that has values on both sides"):
        Preprocess.of_features([whole, domain([[NAN, NAN]], "b")])


def test_texts_are_filled_with_the_most_frequent_and_marked_once(tmp_path: Path) -> None:
    pl.DataFrame({"c": ["y", "x", None, "x", "z"], "n": [1, 2, 3, 4, 5]}).write_csv(tmp_path / "a.csv")
    source = read_table(tmp_path / "a.csv")
    made = Preprocess.of_features([source, source], normalisation="none")
    np.testing.assert_array_equal(seen(made, source)[:, [0, 1, 2, 4]][[0, 2]], [[0, 1, 0, 0], [1, 0, 0, 1]])
    assert "'c' in 1 of 5 rows" in made.notes(source)[0]


def test_missing_values_are_refused_on_request_all_columns_at_once(tmp_path: Path) -> None:
    pl.DataFrame({"c": ["y", None], "n": [None, 2], "m": [1, 2]}).write_csv(tmp_path / "a.csv")
    source = replace(read_table(tmp_path / "a.csv"), name="source")
    with pytest.raises(DataError, match=r"none for 'c' in 1 rows, 'n' in 1 rows of source") as caught:
        Preprocess.of_features([source], refuse_missing=True)
    assert "'m'" not in str(caught.value)


def test_a_run_of_before_refuses_numbers_that_are_missing_and_takes_texts_for_zeros(tmp_path: Path) -> None:
    source = from_arrays({"n": [1.0, 2], "c": ["x", "y"]})
    now = Preprocess.of_features([source, source])
    before = read_preprocess({name: value for name, value in now.model_dump(mode="json").items() if name != "gaps"})
    assert "gaps" not in before.model_dump(mode="json")
    later = replace(source, inputs=np.array([[1, NAN, NAN], [2, 0, 1]], dtype=np.float32), name="data")
    np.testing.assert_array_equal(seen(before, later)[0], seen(before, domain([[1, 0, 0]], "data"))[0])
    with pytest.raises(DataError, match="data must have a value in every cell; got none for 'n' in 2 rows of data"):
        before.fit(replace(source, inputs=np.array([[NAN, 1, 0], [NAN, 0, 1]], dtype=np.float32), name="data"))


def test_each_side_of_different_features_fills_its_own() -> None:
    one, two = domain([[1, NAN], [3, 4]], "source"), domain([[1, 2, 3], [NAN, 5, 6]], "target")
    sides = Sides(source=Preprocess.of_features([one]), target=Preprocess.of_features([two]))
    told = notes_on(sides, {"source": one, "target": two})
    assert [note.partition(":")[0] for note in told] == ["source", "target"]


@pytest.mark.parametrize("normalisation", ["rows", "log-rows"])
def test_rows_are_scaled_after_they_are_filled(normalisation: str) -> None:
    one = domain([[3, NAN], [3, 4], [0, NAN]], "source")
    made = Preprocess.of_features([one], normalisation=normalisation)
    np.testing.assert_allclose(np.linalg.norm(seen(made, one), axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("size", [1e-37, 1e-30, 1e-12, 1e-8, 1.0, 1e12, 1e30, 3e38])
def test_numbers_of_any_size_are_scaled_to_one(size: float) -> None:
    rows = np.linspace(-1, 1, 20, dtype=np.float64)[:, None] * size
    made = Preprocess.of_features([Domain(rows.astype(np.float32))] * 2)
    np.testing.assert_allclose(seen(made, Domain(rows.astype(np.float32))).std(), 1, rtol=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0, 1e12, 1e-12, 3e38])
def test_a_constant_says_nothing_whatever_comes_later(value: float) -> None:
    made = Preprocess.of_features([domain([[value]] * 7, "source"), domain([[value]] * 3, "target")])
    later = np.abs(seen(made, domain([[value], [-1e12], [1e30], [-3e38]], "data")))
    assert later[0] == 0
    assert later[1:3].max() < (1 if value == 3e38 else 1e-6)
    assert later.max() < 2


WIDTH = 3
CELLS = st.one_of(
    st.just(np.float32(np.nan)),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.floats(-9, 9, width=32),
)


@given(
    arrays(np.float32, st.tuples(st.integers(1, 6), st.just(WIDTH)), elements=CELLS),
    arrays(np.float32, st.tuples(st.integers(1, 6), st.just(WIDTH)), elements=CELLS),
    arrays(np.float32, st.tuples(st.integers(1, 6), st.just(WIDTH)), elements=CELLS),
)
def test_networks_see_finite_numbers_alone(source: np.ndarray, target: np.ndarray, later: np.ndarray) -> None:
    pair = [Domain(source), Domain(target)]
    if (np.isnan(source).all(axis=0) | np.isnan(target).all(axis=0)).all():
        with pytest.raises(DataError, match="values on both sides"):
            Preprocess.of_features(pair)
        return
    made = Preprocess.of_features(pair)
    for rows in (source, target):
        x = made.batch(rows.copy(), None)
        assert x.shape == (len(rows), made.channels)
        assert torch.isfinite(x).all()
        assert made.batch(rows.copy()[:1], None).equal(x[:1])
    assert made.batch(later.copy(), None).shape == (len(later), made.channels)
    assert not made.batch(later.copy(), None).isnan().any()
