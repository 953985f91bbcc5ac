"""TF-IDF and logistic regression, against scikit-learn fed with the same words."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import two_shops
from acclimate.data.task import Task
from acclimate.data.tasks import load_task
from acclimate.data.text import TextPreprocess
from acclimate.errors import DataError
from acclimate.methods.sentiment.tfidf import TFIDF
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.training.fitted import Fitted


def grams(preprocess: TextPreprocess, text: str) -> list[str]:
    """Known words and pairs of known words, as text."""
    words = preprocess.read(text)
    known = set(preprocess.words)
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(words) if {a, b} <= known]
    return [word for word in words if word in known] + pairs


def fitted_on(task: Task, **options: int) -> Fitted:
    method = TFIDF(**options)
    return fit(make_plan(method, task.source, task.target), task.source, task.target)


def second_source(fitted: Fitted, task: Task, domain: Domain) -> np.ndarray:
    """scikit-learn's decision values."""
    preprocess = fitted.plan.preprocess
    assert isinstance(preprocess, TextPreprocess)
    vectorizer = TfidfVectorizer(analyzer=lambda text: grams(preprocess, text), sublinear_tf=True)
    x = vectorizer.fit_transform(to_texts(task.source.rows))
    model = LogisticRegression(C=10.0, max_iter=1000).fit(x, task.source.labels)
    return model.decision_function(vectorizer.transform(to_texts(domain.rows)))


def check(fitted: Fitted, task: Task) -> None:
    assert task.target_test is not None
    seen = fitted.outputs(task.target_test)
    expected = second_source(fitted, task, task.target_test)
    np.testing.assert_allclose(seen.logits[:, 1], expected / 2, atol=1e-3)
    np.testing.assert_array_equal(seen.logits[:, 0], -seen.logits[:, 1])
    np.testing.assert_array_equal(seen.logits.argmax(axis=1), expected > 0)
    lengths = np.linalg.norm(seen.features, axis=1)
    np.testing.assert_allclose(lengths[lengths > 0], 1, rtol=1e-5)


def test_agrees_with_scikit_learn() -> None:
    task = two_shops(200)
    check(fitted_on(task, most=2000), task)


def test_agrees_with_scikit_learn_on_reviews(imported_packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))
    task = load_task("amazon:books-electronics")
    assert task.target_test is not None
    source, target, test = (side.take(slice(0, None, 4)) for side in (task.source, task.target, task.target_test))
    task = Task(source, target, target_test=test)
    check(fitted_on(task, most=200_000), task)


def test_a_text_without_a_known_word_gets_the_intercept() -> None:
    task = two_shops(100)
    fitted = fitted_on(task, most=50)
    logits = fitted.outputs(Domain(["", "entirely unheard", "unheard"], classes=task.classes)).logits
    assert np.array_equal(logits[0], logits[1])
    assert np.array_equal(logits[0], logits[2])


def test_what_the_words_add_is_that_of_the_regression_word_by_word() -> None:
    """Against scikit-learn's weights and vectors, shared out in a loop."""
    task = two_shops(200)
    fitted = fitted_on(task, most=2000)
    preprocess = fitted.plan.preprocess
    vectorizer = TfidfVectorizer(analyzer=lambda text: grams(preprocess, text), sublinear_tf=True)
    x = vectorizer.fit_transform(to_texts(task.source.rows))
    model = LogisticRegression(C=10.0, max_iter=1000).fit(x, task.source.labels)
    texts = [*to_texts(task.target_test.rows)][:20]
    texts.append(f"{texts[0]} {texts[0]} unheard {texts[1]}")
    found = fitted.explain(Domain(texts))
    assert found is not None
    column, known = vectorizer.vocabulary_, set(preprocess.words)
    for text, parts, weights in zip(texts, found.contributions, found.weights, strict=True):
        said, (vector,) = preprocess.read(text), vectorizer.transform([text]).toarray()
        times = Counter(grams(preprocess, text))
        expected = np.zeros(len(said))
        for i, word in enumerate(said):
            if word in column:
                expected[i] += model.coef_[0, column[word]] * vector[column[word]] / times[word]
        for i, (a, b) in enumerate(itertools.pairwise(said)):
            if {a, b} <= known and (pair := f"{a} {b}") in column:
                expected[i : i + 2] += model.coef_[0, column[pair]] * vector[column[pair]] / times[pair] / 2
        np.testing.assert_allclose(parts[:, 1], expected / 2, atol=1e-3)
        np.testing.assert_array_equal(parts[:, 0], -parts[:, 1])
        np.testing.assert_allclose(weights, abs(parts[:, 1]) / abs(parts[:, 1]).sum(), atol=1e-6)


def test_labelled_texts_without_a_word_are_refused() -> None:
    source = Domain(["", "1", "", "2"], np.array([0, 1, 0, 1]), ("a", "b"))
    target = Domain(["words words", "words"], classes=("a", "b"))
    with pytest.raises(DataError, match="must have known words"):
        fitted_on(Task(source, target))
