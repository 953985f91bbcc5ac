"""Tables of any library in Python: columns have names, and names decide."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import acclimate as ac
from acclimate.data.readers import from_arrays, read_table
from acclimate.errors import DataError, DataWarning

QUICK = {"steps": 60, "batch_size": 32, "lr": 1e-2, "optimizer": "adam", "precision": "fp32", "seed": 0}
NAMES = ["height", "age", "weight", "pulse"]


def world(n: int = 120, shift: float = 0.3, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Four columns of very different place and scale, one of which tells the classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    columns = {"height": 170 + 8 * y + rng.normal(0, 2, n), "age": rng.uniform(20, 80, n)}
    columns |= {"weight": 70 + rng.normal(0, 9, n) + shift, "pulse": 60 + rng.normal(0, 5, n)}
    return pd.DataFrame(columns), np.array(["ill", "well"])[y]


FORMS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "pandas, Arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "pandas, nullable": lambda frame: frame.convert_dtypes(dtype_backend="numpy_nullable"),
    "polars": lambda frame: pl.DataFrame(frame.to_dict("list")),
    "polars, lazy": lambda frame: pl.DataFrame(frame.to_dict("list")).lazy(),
    "pyarrow": pa.Table.from_pandas,
    "list of dicts": lambda frame: frame.to_dict("records"),
    "dict of columns": lambda frame: {name: frame[name].to_numpy() for name in frame},
    "dict of lists": lambda frame: frame.to_dict("list"),
}


@pytest.fixture(scope="module")
def fitted() -> Any:
    (source, y), (target, _) = world(), world(seed=1)
    return ac.SourceOnly(**QUICK).fit((source, y), target)


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_found_by_name_in_any_table(fitted: Any, form: str) -> None:
    target, truth = world(seed=1)
    expected = fitted.predict_proba(target)
    assert fitted.score(target, truth) > 0.9
    reversed_ = FORMS[form](target[NAMES[::-1]])
    assert np.array_equal(fitted.predict_proba(reversed_), expected)
    again = ac.SourceOnly(**QUICK).fit((FORMS[form](world()[0]), world()[1]), reversed_)
    assert np.array_equal(again.predict_proba(target), expected)


def test_domains_of_two_files_are_aligned_by_name(tmp_path: Path, fitted: Any) -> None:
    (source, y), (target, _) = world(), world(seed=1)
    source.assign(state=y).to_csv(tmp_path / "a.csv", index=False)
    target[NAMES[::-1]].to_csv(tmp_path / "b.csv", index=False)
    a, b = read_table(tmp_path / "a.csv", label_column="state"), read_table(tmp_path / "b.csv")
    model = ac.SourceOnly(**QUICK).fit(a, b)
    assert np.array_equal(model.predict_proba(b), fitted.predict_proba(target))
    assert np.array_equal(fitted.predict_proba(b), fitted.predict_proba(target))
    with pytest.raises(DataError, match="must have the 4 feature columns of the source; got none called age"):
        model.predict(from_arrays(target.drop(columns="age")))


def test_further_columns_are_told_and_missing_ones_refused(fitted: Any) -> None:
    target, _ = world(seed=1)
    with pytest.warns(DataWarning, match="columns that the source does not have were left out: shoe"):
        found = fitted.predict_proba(target.assign(shoe=40.0))
    assert np.array_equal(found, fitted.predict_proba(target))
    with pytest.raises(ac.RequestError, match="must have the 4 feature columns of the source; got none called age"):
        fitted.predict(target.drop(columns="age"))
    with pytest.raises(ac.RequestError, match="Is 'Heigth' meant by 'height'"):
        fitted.predict(target.rename(columns={"height": "Heigth"}))


def test_scikit_learns_rules_for_names(fitted: Any) -> None:
    (source, y), (target, _) = world(), world(seed=1)
    assert fitted.feature_names_in_.tolist() == NAMES
    assert fitted.n_features_in_ == 4
    with pytest.warns(UserWarning, match="X does not have valid feature names, but SourceOnly was fitted with"):
        by_place = fitted.predict_proba(target.to_numpy())
    assert np.array_equal(by_place, fitted.predict_proba(target))
    plain = ac.SourceOnly(**QUICK).fit((source.to_numpy(), y), target.to_numpy())
    assert not hasattr(plain, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but SourceOnly was fitted without feature names"):
        named = plain.predict_proba(target)
    assert np.array_equal(named, plain.predict_proba(target.to_numpy()))
    with pytest.raises(ac.RequestError, match="must have the 4 columns that the model was fitted on; got 3"):
        fitted.predict(target.to_numpy()[:, :3])
    again = fitted.__sklearn_clone__() if hasattr(fitted, "__sklearn_clone__") else clone(fitted)
    again.fit((source.to_numpy(), y), target.to_numpy())
    assert not hasattr(again, "feature_names_in_")


def test_columns_of_numbers_for_names_keep_their_place_and_are_no_feature_names() -> None:
    (source, y), (target, _) = world(), world(seed=1)
    source.columns = target.columns = pd.RangeIndex(4)
    model = ac.SourceOnly(**QUICK).fit((source, y), target)
    assert not hasattr(model, "feature_names_in_")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(model.predict(target), model.predict(target.to_numpy()))
        assert np.array_equal(model.predict(target[[3, 1, 0, 2]]), model.predict(target))


@pytest.mark.filterwarnings("ignore::acclimate.errors.DataWarning")
def test_one_column_of_words_is_a_table_to_a_model_of_one() -> None:
    source = pd.DataFrame({"colour": ["red", "blue", "red", "blue"] * 9, "size": [1.0, 2.0, 1.5, 2.5] * 9})
    model = ac.SourceOnly(**QUICK).fit((source, ["warm", "cold"] * 18), source)
    with pytest.raises(ac.RequestError, match="none called size"):
        model.predict(source[["colour"]])


def test_one_name_for_two_columns_is_refused() -> None:
    source, y = world()
    source.columns = ["a", "b", "a", "c"]
    with pytest.raises(ac.RequestError, match="source must name each column differently"):
        ac.SourceOnly(**QUICK).fit((source, y), source)


def test_numbers_alone_become_the_features_that_they_were() -> None:
    source, _ = world()
    assert from_arrays(source).inputs.tobytes() == source.to_numpy().astype(np.float32).tobytes()


def everyday(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """What people have: ids, texts, dates, truth values, missing ones, numbers of another country."""
    rng = np.random.default_rng(seed)
    frame, y = world(n, seed=seed)
    frame["patient_id"] = [f"P{seed}{i:05}" for i in range(n)]
    frame["ward"] = rng.choice(["north", "south", "east"], n)
    frame["smokes"] = rng.random(n) < 0.3
    frame["seen"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    frame["cost"] = [f"{value:,}" for value in rng.integers(500, 99_999, n)]
    frame.loc[rng.random(n) < 0.2, "age"] = np.nan
    return frame, y


@pytest.mark.parametrize("form", ["pandas", "polars", "pyarrow", "list of dicts"])
@pytest.mark.filterwarnings("ignore::acclimate.errors.DataWarning")
def test_a_frame_is_encoded_as_the_file_of_it(tmp_path: Path, form: str) -> None:
    (source, y), (target, _) = everyday(60, 0), everyday(40, 1)
    source.assign(state=y).to_csv(tmp_path / "a.csv", index=False)
    target.to_csv(tmp_path / "b.csv", index=False)
    a = read_table(tmp_path / "a.csv", label_column="state")
    b = read_table(tmp_path / "b.csv", like=a)
    mine = from_arrays(FORMS[form](source))
    assert mine.inputs.tobytes() == a.inputs.tobytes()
    assert mine.ids == a.ids == tuple(source["patient_id"])
    model = ac.SourceOnly(**QUICK).fit((FORMS[form](source), y), FORMS[form](target))
    same = ac.SourceOnly(**QUICK).fit(a, b)
    assert np.array_equal(model.predict_proba(FORMS[form](target)), same.predict_proba(b))


def stacked() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    (source, y), (target, answers) = world(), world(seed=1)
    frame = pd.concat([source, target], ignore_index=True)
    return frame, np.concatenate([y, answers]), np.repeat([1, -1], [len(source), len(target)])


@pytest.mark.parametrize("form", ["pandas", "polars", "pyarrow", "list of dicts"])
def test_skadas_form_takes_tables(fitted: Any, form: str) -> None:
    frame, y, sides = stacked()
    model = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK)).fit(FORMS[form](frame), y, sample_domain=sides)
    target, _ = world(seed=1)
    assert np.array_equal(model.predict_proba(FORMS[form](target[NAMES[::-1]])), fitted.predict_proba(target))
    assert model.feature_names_in_.tolist() == NAMES


def test_tables_pass_through_pipelines_and_searches() -> None:
    frame, y, sides = stacked()
    order = np.random.default_rng(0).permutation(len(frame))
    frame, y, sides = frame.iloc[order], y[order], sides[order]
    adapter = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK))
    with sklearn.config_context(enable_metadata_routing=True):
        for output in ("pandas", "polars", "default"):
            pipeline = make_pipeline(StandardScaler(), adapter).set_output(transform=output)
            pipeline.fit(frame, y, sample_domain=sides)
            assert pipeline.score(*world(seed=1)) > 0.9
            assert hasattr(pipeline[-1], "feature_names_in_") == (output != "default")
        search = GridSearchCV(adapter, {"estimator__lr": [1e-2]}, cv=2).fit(frame, y, sample_domain=sides)
    assert search.predict(frame).shape == (len(frame),)


def test_a_model_of_a_table_is_pickled_and_copied(fitted: Any) -> None:
    target, _ = world(seed=1)
    for twin in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert np.array_equal(twin.predict_proba(target[NAMES[::-1]]), fitted.predict_proba(target))


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array"])
def test_sparse_matrices_are_rows_of_numbers(kind: str) -> None:
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((40, 6)) < 0.3, rng.normal(size=(40, 6)), 0).astype(np.float32)
    y = (dense[:, 0] > 0).astype(int)
    sparse = getattr(scipy.sparse, kind)(dense)
    one = ac.SourceOnly(**QUICK).fit((sparse, y), sparse)
    two = ac.SourceOnly(**QUICK).fit((dense, y), dense)
    assert np.array_equal(one.predict_proba(sparse), two.predict_proba(dense))
    adapter = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK)).fit(sparse, y, sample_domain=np.tile([1, -1], 20))
    assert adapter.predict(sparse).shape == (40,)


def test_a_sparse_matrix_that_does_not_fit_is_refused_before_it_is_tried() -> None:
    huge = scipy.sparse.csr_array((10_000_000, 10_000_000), dtype=np.float32)
    with pytest.raises(ac.RequestError, match="must fit into .* bytes, half of the memory"):
        from_arrays(huge)
