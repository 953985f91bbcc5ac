"""Texts through fit, predict and score, and through scikit-learn's tools."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import acclimate as ac
from acclimate.data.domain import Domain

QUICK: dict[str, Any] = {
    "steps": 60, "batch_size": 16, "lr": 0.01, "optimizer": "adam", "precision": "fp32", "word_vectors": "random",
}  # fmt: skip
WORDS = (("terrible", "poor", "awful", "waste"), ("great", "excellent", "best", "lovely"))


def reviews(n: int, about: str, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts of a few words, two of them telling the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    texts = [f"{' '.join(rng.choice(WORDS[label], 3))} {' '.join(rng.choice(about.split(), 3))}" for label in y]
    return texts, y


SOURCE, Y = reviews(80, "book story chapter author", 0)
TARGET, HIDDEN = reviews(60, "pan knife spoon story", 1)


@pytest.fixture(scope="module")
def model() -> Any:
    return ac.AMN(**QUICK).fit((SOURCE, Y), TARGET)


def test_lists_of_strings(model: Any) -> None:
    assert model.classes_.tolist() == [0, 1]
    assert model.score(TARGET, HIDDEN) > 0.9
    assert model.score((TARGET, HIDDEN)) == model.score(TARGET, HIDDEN)
    assert model.predict_proba(TARGET).shape == (60, 2)
    assert model.predict(["", "great great", "12345 ?", "\ud800", "x" * 100_000]).shape == (5,)
    assert model.transform(TARGET[:3]).shape == (3, 300)


def test_texts_have_no_number_of_features(model: Any) -> None:
    assert not hasattr(model, "n_features_in_")
    X = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    again = ac.SourceOnly(steps=1).fit((X, np.arange(20) % 2), X)
    assert again.n_features_in_ == 2
    assert not hasattr(again.fit((SOURCE, Y), TARGET), "n_features_in_")


@pytest.mark.parametrize(
    "form",
    [
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: np.array(texts, dtype=np.dtypes.StringDType()),
        lambda texts: np.array(texts)[:, None],
        pl.Series,
        lambda texts: pl.DataFrame({"text": texts}),
        lambda texts: Domain(texts),
    ],
    ids=["tuple", "str array", "object array", "StringDType", "column", "series", "frame", "domain"],
)
def test_other_forms_of_the_same_texts_give_the_same_answers(model: Any, form: Any) -> None:
    assert np.array_equal(model.predict_proba(form(TARGET)), model.predict_proba(TARGET))
    assert len(model.predict(form(TARGET[:2]))) == 2, "two texts are no pair of inputs and labels"


def test_any_form_can_be_fitted() -> None:
    labels = np.array(["bad", "good"])[Y]
    options = {**QUICK, "steps": 2}
    expected = ac.AMN(**options).fit((SOURCE, labels), TARGET).predict_proba(TARGET)
    for form in (np.array, pl.Series, lambda texts: np.array(texts, dtype=object)[:, None]):
        fitted = ac.AMN(**options).fit((form(SOURCE), labels), form(TARGET))
        assert fitted.classes_.tolist() == ["bad", "good"]
        assert np.array_equal(fitted.predict_proba(TARGET), expected)
    domains = ac.AMN(**options).fit(Domain(SOURCE, Y, ("bad", "good")), Domain(TARGET))
    assert np.array_equal(domains.predict_proba(TARGET), expected)


def test_labels_of_some_target_texts_can_be_given() -> None:
    given = np.where(np.arange(60) < 30, HIDDEN, -1)
    options = {**QUICK, "steps": 5}
    with_labels = ac.AMN(**options).fit((SOURCE, Y), (TARGET, given)).predict_proba(TARGET)
    assert not np.array_equal(with_labels, ac.AMN(**options).fit((SOURCE, Y), TARGET).predict_proba(TARGET))


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ((["a", None], [0, 1]), TARGET, "the inputs of source must be texts throughout; got None in place 1"),
        ((["a", 3.5], [0, 1]), TARGET, "the inputs of source must be texts throughout; got 3.5 in place 1"),
        ((SOURCE, Y), "one text", "the inputs of target must be a list of texts; got a single one"),
        ((SOURCE, Y), [b"a", b"b"], "the inputs of target must be texts throughout; got b'a' in place 0"),
        (SOURCE, TARGET, "source must come with labels"),
        ((SOURCE, np.zeros(80)), TARGET, "source must have at least two classes"),
        ((SOURCE, Y[:5]), TARGET, r"the labels of source must have shape \(80,\)"),
        ((SOURCE, Y), np.zeros((4, 2)), "source and target must hold the same kind of input"),
        ((SOURCE, Y), [], "the inputs of target must be images"),
        ((["a", "b"], [0, 1]), ["c", "d"], "source and target must have words that occur 2 times or more"),
    ],
)
def test_what_cannot_be_fitted_gets_a_sentence(source: Any, target: Any, words: str) -> None:
    with pytest.raises(ac.RequestError, match=words):
        ac.AMN(**QUICK).fit(source, target)


def test_a_model_of_texts_refuses_other_inputs_and_the_other_way_round(model: Any) -> None:
    with pytest.raises(ac.RequestError, match="data must hold texts, as in training; got features"):
        model.predict(np.zeros((2, 3)))
    X = np.random.default_rng(0).normal(size=(20, 2))
    numbers = ac.SourceOnly(steps=1).fit((X, np.arange(20) % 2), X)
    with pytest.raises(ac.RequestError, match="data must hold features, as in training; got text"):
        numbers.predict(TARGET)
    with pytest.raises(ac.RequestError, match="method must be one for features; got 'amn'"):
        ac.AMN(**QUICK).fit((X, np.arange(20) % 2), X)


def test_scikit_learns_conventions(model: Any) -> None:
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        twin.predict(TARGET)
    assert "hops=2" in repr(ac.AMN(hops=2))
    expected = model.predict_proba(TARGET)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(copied.predict_proba(TARGET), expected)


SIDES = np.repeat([1, -1], [80, 60])


@pytest.mark.parametrize(
    "form",
    [list, np.array, lambda texts: np.array(texts, dtype=object)[:, None], pl.Series],
    ids=["list", "array", "column", "series"],
)
def test_skadas_form_takes_a_column_of_texts(form: Any) -> None:
    X = form([*SOURCE, *TARGET])
    y = np.concatenate([Y, np.full(60, -1)])
    adapter = ac.SampleDomainAdapter(ac.AMN(**{**QUICK, "steps": 5}))
    told = adapter.fit(X, y, sample_domain=SIDES).predict(X)
    assert told.shape == (140,)
    assert np.array_equal(clone(adapter).fit(X, y).predict(X), told)


def test_words_as_labels_tell_the_sides_apart_too() -> None:
    y = np.array([*np.array(["bad", "good"])[Y], *[""] * 60])
    adapter = ac.SampleDomainAdapter(ac.AMN(**{**QUICK, "steps": 5})).fit([*SOURCE, *TARGET], y)
    assert adapter.classes_.tolist() == ["bad", "good"]
    assert 0 <= adapter.score(TARGET, np.array(["bad", "good"])[HIDDEN]) <= 1


def test_pipelines_and_searches(model: Any) -> None:
    import sklearn

    X = np.array([*SOURCE, *TARGET], dtype=object)
    y = np.concatenate([Y, HIDDEN])
    shuffle = np.random.default_rng(0).permutation(140)
    X, y, sides = X[shuffle], y[shuffle], SIDES[shuffle]
    adapter = ac.SampleDomainAdapter(ac.AMN(**{**QUICK, "steps": 30}))
    with sklearn.config_context(enable_metadata_routing=True):
        lower = FunctionTransformer(lambda texts: np.array([text.lower() for text in texts], dtype=object))
        pipeline = make_pipeline(lower, adapter)
        search = GridSearchCV(pipeline, {"sampledomainadapter__estimator__lr": [1e-9, 1e-2]}, cv=2)
        search.fit(X, y, sample_domain=sides)
        assert search.best_params_ == {"sampledomainadapter__estimator__lr": 1e-2}
        scores = cross_val_score(pipeline, X, y, cv=2, params={"sample_domain": sides})
    assert (scores > 0.5).all()
