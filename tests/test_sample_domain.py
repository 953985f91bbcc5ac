"""One stacked X and `sample_domain`: in pipelines and searches, with the target's labels hidden from training."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import sklearn
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs
from acclimate.errors import DataError

QUICK: dict[str, Any] = {"steps": 60, "batch_size": 32, "lr": 1e-2, "optimizer": "adam", "precision": "fp32"}


@pytest.fixture(scope="module")
def blobs() -> ac.Task:
    return shifted_blobs(200, shift=1.0)


def test_an_estimator_that_a_pipeline_gives_x_and_y_names_the_adapter(blobs: ac.Task) -> None:
    pipeline = make_pipeline(StandardScaler(), ac.DANN())
    with pytest.raises(DataError, match="wrap the estimator in acclimate.SampleDomainAdapter"):
        pipeline.fit(blobs.source.inputs, blobs.source.labels)


def stacked(task: ac.Task, answers: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sides, shuffled, with those labels of the target."""
    X = np.concatenate([task.source.inputs, task.target.inputs])
    y = np.concatenate([task.source.labels, np.full(len(task.target), -1) if answers is None else answers])
    sides = np.repeat([1, -2], [len(task.source), len(task.target)])
    shuffle = np.random.default_rng(0).permutation(len(X))
    return X[shuffle], y[shuffle], sides[shuffle]


def test_the_sides_are_told_by_sample_domain_or_by_the_labels(blobs: ac.Task) -> None:
    X, y, sides = stacked(blobs)
    model = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK)).fit(X, y, sample_domain=sides)
    assert model.score(blobs.source.inputs, blobs.source.labels) > 0.95
    assert model.n_features_in_ == 2
    assert model.classes_.tolist() == [0, 1, 2]
    without = clone(model).fit(X, y)
    assert np.array_equal(model.predict(X), without.predict(X))
    assert model.predict(X).shape == (400,)
    assert model.predict_proba(X).shape == (400, 3)


@pytest.mark.parametrize(
    "sides", [np.ones(400), np.zeros(400), np.ones(3), ["a"] * 400, np.full(400, np.nan), None], ids=repr
)
def test_sides_that_cannot_be_told_are_refused(blobs: ac.Task, sides: Any) -> None:
    X, y, _ = stacked(blobs, blobs.hidden.target)
    with pytest.raises(ac.RequestError, match=r"sample_domain must be .*np.where\(is_source, 1, -1\)"):
        ac.SampleDomainAdapter(ac.SourceOnly(**QUICK)).fit(X, y, sample_domain=sides)


def test_target_labels_are_hidden_from_training_as_those_of_a_domain_are(blobs: ac.Task) -> None:
    answers = blobs.hidden.target
    told = [
        ac.SampleDomainAdapter(ac.MCC(**{**QUICK, "steps": 10}))
        .fit(*stacked(blobs, labels))
        .predict_proba(blobs.target.inputs)
        for labels in (None, answers, (answers + 1) % 3, np.full(200, 77))
    ]
    for other in told[1:]:
        assert np.array_equal(told[0], other)


def test_a_label_budget_grants_some(blobs: ac.Task) -> None:
    wrong = (blobs.hidden.target + 1) % 3
    X, y, sides = stacked(blobs, wrong)
    hidden = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK)).fit(X, y, sides)
    granted = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK), label_budget="all").fit(X, y, sides)
    few = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK), label_budget=1).fit(X, y, sides)
    right = blobs.hidden.target
    assert hidden.score(blobs.target.inputs, right) > granted.score(blobs.target.inputs, right) + 0.1
    assert not np.array_equal(few.predict_proba(X), hidden.predict_proba(X))
    ceiling = ac.SampleDomainAdapter(ac.TrainOnTarget(**QUICK), label_budget="all").fit(*stacked(blobs, right))
    assert ceiling.score(blobs.target.inputs, right) > 0.9
    with pytest.raises(ac.RequestError, match=r"SampleDomainAdapter\(label_budget=…\)"):
        ac.SampleDomainAdapter(ac.TrainOnTarget(**QUICK)).fit(*stacked(blobs, right))
    with pytest.raises(ac.RequestError, match="label_budget needs a target with labels"):
        ac.SampleDomainAdapter(ac.SourceOnly(**QUICK), label_budget=3).fit(*stacked(blobs))


def test_the_score_is_the_targets(blobs: ac.Task) -> None:
    right = blobs.hidden.target
    X, y, sides = stacked(blobs, right)
    model = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK)).fit(X, y, sides)
    assert model.score(X, y, sample_domain=sides) == model.score(blobs.target.inputs, right)
    some = np.where((sides < 0) & (np.arange(400) % 2 == 0), -1, y)
    known = (sides < 0) & (some != -1)
    assert model.score(X, some, sample_domain=sides) == model.score(X[known], y[known])
    weighted = model.score(X, y, sample_weight=np.where(np.arange(400) < 200, 1, 0), sample_domain=sides)
    first = (sides < 0) & (np.arange(400) < 200)
    assert weighted == model.score(X[first], y[first])


def test_what_is_right_on_the_source_alone_is_no_score(blobs: ac.Task) -> None:
    X, y, sides = stacked(blobs)
    model = ac.SampleDomainAdapter(ac.SourceOnly(**QUICK)).fit(X, y, sides)
    for given in ({"sample_domain": sides}, {}):
        with pytest.raises(
            ac.RequestError, match="y must hold labels of target rows to score an adaptation by; got 200"
        ):
            model.score(X, y, **given)


@pytest.mark.parametrize(
    "weights", ["a", np.ones(3), np.full(200, np.nan), np.full(200, -1), np.zeros(200)], ids=repr
)
def test_weights_that_are_none_are_refused(blobs: ac.Task, weights: Any) -> None:
    model = ac.SourceOnly(**{**QUICK, "steps": 1}).fit(blobs.source, blobs.target)
    with pytest.raises(ac.RequestError, match="sample_weight must"):
        model.score(blobs.source, sample_weight=weights)


def test_in_a_pipeline_and_a_grid_search(blobs: ac.Task) -> None:
    X, y, sides = stacked(blobs, blobs.hidden.target)
    quick = ac.SampleDomainAdapter(ac.SourceOnly(**{**QUICK, "steps": 20}))
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), quick)
        pipeline.fit(X, y, sample_domain=sides)
        assert pipeline.score(X, y) > 0.9
        search = GridSearchCV(pipeline, {"sampledomainadapter__estimator__lr": [1e-6, 1e-2]}, cv=2)
        search.fit(X, y, sample_domain=sides)
        assert search.best_params_ == {"sampledomainadapter__estimator__lr": 1e-2}
        alone = cross_val_score(pipeline, X, y, cv=2, params={"sample_domain": sides})
    assert search.best_score_ == pytest.approx(alone.mean(), abs=0.2)


def test_a_search_without_target_labels_has_no_score_and_says_so(blobs: ac.Task) -> None:
    X, y, sides = stacked(blobs)
    quick = ac.SampleDomainAdapter(ac.SourceOnly(**{**QUICK, "steps": 2}))
    for routed in (True, False):
        with sklearn.config_context(enable_metadata_routing=routed):
            search = GridSearchCV(quick, {"estimator__lr": [1e-6, 1e-2]}, cv=2, error_score="raise")
            with pytest.raises(ac.RequestError, match="y must hold labels of target rows"):
                search.fit(X, y, sample_domain=sides)


def test_threads_give_what_one_gives(blobs: ac.Task) -> None:
    X, y, sides = stacked(blobs, blobs.hidden.target)
    quick = ac.SampleDomainAdapter(ac.MCD(**{**QUICK, "steps": 10}))
    found = []
    for jobs in (1, 4):
        with sklearn.config_context(enable_metadata_routing=True), parallel_backend("threading", n_jobs=jobs):
            search = GridSearchCV(
                quick, {"estimator__seed": [0, 1], "estimator__lr": [1e-3, 1e-2]}, cv=2, refit=False
            )
            found.append(search.fit(X, y, sample_domain=sides).cv_results_["mean_test_score"])
    assert np.array_equal(*found)


@pytest.mark.parametrize(
    ("y", "classes", "dtype"),
    [
        ([1.5, 2.5, np.nan], [1.5, 2.5], np.float64),
        (np.array([3, 5, -1], dtype=np.int32), [3, 5], np.int32),
        ([True, False, None], [False, True], np.bool_),
        (np.array(["a", "b", ""], dtype=object), ["a", "b"], np.object_),
        (pl.Series(["a", "b", None]), ["a", "b"], np.object_),
        (pl.Series([3, 5, None]), [3, 5], np.int64),
        (np.ma.array([3, 5, 9], mask=[0, 0, 1]), [3, 5], np.int64),
    ],
    ids=repr,
)
def test_classes_are_what_was_given(y: Any, classes: list[Any], dtype: type) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    rows = np.arange(30) % 3
    y = y.gather(rows) if isinstance(y, pl.Series) else y[rows] if isinstance(y, np.ndarray) else [y[i] for i in rows]
    model = ac.SampleDomainAdapter(ac.SourceOnly(steps=1)).fit(X, y)
    assert model.classes_.tolist() == classes
    assert model.classes_.dtype == dtype
    assert model.predict(X).dtype == dtype


def test_it_is_an_estimator_as_scikit_learn_has_them(blobs: ac.Task) -> None:
    adapter = ac.SampleDomainAdapter(ac.MCD(n=2), label_budget=3)
    assert clone(adapter).get_params()["estimator__n"] == 2
    assert adapter.get_params(deep=False).keys() == {"estimator", "label_budget"}
    with pytest.raises(NotFittedError):
        adapter.predict(np.zeros((1, 2)))
    assert not [name for name in vars(adapter) if name.endswith("_")]
