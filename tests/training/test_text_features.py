"""Texts as rows of TF-IDF: the arithmetic, what a run keeps of it, and methods for tables on texts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

import acclimate as ac
from acclimate.data.domain import Domain
from acclimate.data.synthetic import two_vocabularies
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError, UnknownNameError
from acclimate.inputs.text_features import TfidfFeatures
from acclimate.problems.planning import make_method, make_plan
from acclimate.running.description import _preprocess

SOURCE = ["a good pan a good lid", "bad lid", "good good pan"]
TARGET = ["bad pan", "a bad lid and a good pan"]


def decided(*sides: list[str], least: int = 1) -> tuple[TfidfFeatures, list[Domain]]:
    domains = [Domain(np.array(side, dtype=object)) for side in sides]
    words = TextPreprocess.of_texts(domains, least=least)
    return TfidfFeatures.of_numbers(words, domains), domains


def rows_of(features: TextPreprocess, domain: Domain) -> np.ndarray:
    return features.batch(features.fit(domain).inputs, None).numpy()


def sklearn_rows(texts: list[str], fitted_on: list[str]) -> np.ndarray:
    model = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+", sublinear_tf=True).fit(fitted_on)
    return model.transform(texts).toarray()


def alike(rows: np.ndarray, others: np.ndarray) -> bool:
    """Whether they have the same columns, in whatever order."""
    order, other = (np.lexsort(np.round(one, 5)) for one in (rows, others))
    return rows.shape == others.shape and np.allclose(rows[:, order], others[:, other], atol=1e-5)


def test_rows_are_scikit_learns() -> None:
    features, domains = decided(SOURCE, TARGET)
    for domain, texts in zip(domains, (SOURCE, TARGET), strict=True):
        assert alike(rows_of(features, domain), sklearn_rows(texts, SOURCE + TARGET))


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), min_size=2, max_size=6))
def test_rows_have_length_one_or_none(texts: list[str]) -> None:
    features, (domain,) = decided([*texts, "a b"])
    lengths = np.linalg.norm(rows_of(features, domain), axis=1)
    assert np.all(np.isclose(lengths, 1, atol=1e-5) | np.array([not text for text in [*texts, "a b"]]))


def test_what_a_run_keeps_gives_the_same_rows() -> None:
    features, (_, target) = decided(SOURCE, TARGET)
    again = _preprocess(json.loads(features.model_dump_json()))
    assert isinstance(again, TfidfFeatures)
    assert np.array_equal(rows_of(again, target), rows_of(features, target))
    with pytest.raises(ValueError, match="rising terms"):
        TfidfFeatures(**{**features.model_dump(), "terms": features.terms[::-1]})


def test_words_are_left_out_in_training_alone() -> None:
    features, (source, _) = decided(SOURCE, TARGET)
    noisy, generator = features.model_copy(update={"dropout": 0.5}), torch.Generator().manual_seed(0)
    stored = noisy.fit(source).inputs
    assert not np.array_equal(noisy.batch(stored, generator).numpy(), rows_of(features, source))
    assert np.array_equal(noisy.batch(stored, None).numpy(), rows_of(features, source))


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("ngram-memory", {"text_features": "tfidf"}, "method must be one for features"),
        ("linear-coral", {}, "method must be one for text"),
        ("dann", {"text_features": "tfidf", "normalisation": "rows"}, "normalisation must not be set for texts"),
    ],
)
def test_what_does_not_go_together_is_refused(name: str, options: dict[str, str], told: str) -> None:
    task = two_vocabularies(30)
    with pytest.raises(RequestError, match=told):
        make_plan(make_method(name, {}), task.source, task.target, options=options)


def test_a_network_for_pictures_and_an_unknown_kind_are_refused() -> None:
    task = two_vocabularies(30)
    plan = {"text_features": "tfidf"}
    with pytest.raises(RequestError, match="network must be one of mlp, bag-of-words for texts as numbers"):
        make_plan(make_method("dann", {}), task.source, task.target, network="memory", options=plan)
    with pytest.raises(UnknownNameError, match="'tfdif'"):
        make_plan(make_method("dann", {}), task.source, task.target, options={"text_features": "tfdif"})


@pytest.mark.parametrize("method", [ac.LinearCORAL, ac.DANN])
def test_methods_for_tables_adapt_on_texts(method: type) -> None:
    """The words in which source and target differ mislead TF-IDF alone: it is right on 77 % of them."""
    task = two_vocabularies(150)
    settings = {"steps": 40, "batch_size": 32, "lr": 0.1} if method is ac.DANN else {}
    model = method(text_features="tfidf", seed=0, **settings).fit(task.source, task.target)
    truth = np.array(task.classes)[task.hidden.target_test]
    assert model.score(task.target_test, truth) > 0.9
    assert len(model.predict(["an excellent pan", "no word of these"])) == 2
