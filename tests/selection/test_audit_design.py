"""Which examples an audit asks about, and what labels of them tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acclimate as ac
from acclimate.errors import DataError, RequestError
from acclimate.selection.audit import Audit
from acclimate.selection.design import draw


def world(n: int = 400, k: int = 4, models: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Answers and confidences of models that often agree."""
    rng = np.random.default_rng(seed)
    first = rng.integers(k, size=n)
    answers = np.stack([np.where(rng.random(n) < 0.2 * i, rng.integers(k, size=n), first) for i in range(models)])
    return answers, rng.beta(5, 1, size=(models, n)) * (1 - 1 / k) + 1 / k


@given(st.integers(30, 300), st.integers(10, 60), st.integers(2, 8), st.integers(1, 3), st.integers(0, 10**6))
@settings(max_examples=60)
def test_a_sample_is_one_without_repeats_and_adds_up(n, items, k, models, seed):
    items = min(items, n)
    answers, confidence = world(n, k, models, seed)
    sample = draw(answers, confidence, items, seed)
    assert len(set(sample.rows.tolist())) == items
    assert 0 <= sample.rows.min() <= sample.rows.max() < n
    assert sample.sizes.sum() == n
    assert (sample.taken <= sample.sizes).all()
    assert ((sample.taken >= 2) | (sample.taken == sample.sizes)).all()
    assert (1 / sample.probabilities).sum() == pytest.approx(n)
    # Where a model is sure, it is looked at too.
    assert sample.probabilities.min() >= 0.5 * items / n
    again = draw(answers, confidence, items, seed)
    assert (again.rows == sample.rows).all()


def test_every_example_is_taken_as_often_as_its_probability_says():
    answers, confidence = world(60, 3, 2)
    times, expected = np.zeros(60), np.zeros(60)
    for seed in range(1500):
        sample = draw(answers, confidence, 20, seed)
        times[sample.rows] += 1
        # An example that was not drawn has its stratum's probability too; that of a drawn one stands for it.
        expected[sample.rows] += sample.probabilities
    rate = times / 1500
    assert rate == pytest.approx(expected / np.maximum(times, 1), abs=0.06)
    assert rate.sum() == pytest.approx(20)


def test_doubtful_and_disputed_examples_are_taken_more_often():
    answers = np.zeros((2, 1000), dtype=int)
    answers[1, :200] = 1
    confidence = np.full((2, 1000), 0.99)
    confidence[:, 200:400] = 0.5
    rate = np.zeros(1000)
    for seed in range(50):
        rate[draw(answers, confidence, 40, seed).rows] += 1
    disputed, doubtful, sure = rate[:200].mean(), rate[200:400].mean(), rate[400:].mean()
    assert disputed > 1.3 * sure
    assert doubtful > 1.2 * sure


def test_confidences_that_are_all_too_high_choose_as_well():
    answers, confidence = world(500)
    doubt = 1 - confidence
    share = [draw(answers, 1 - doubt * scale, 40, 0).probabilities.max() for scale in (1.0, 0.01)]
    assert share[1] >= 0.9 * share[0]


def test_predicted_classes_have_their_shares():
    answers = np.repeat(np.arange(10), 100)[None]
    confidence = np.full((1, 1000), 0.9)
    for seed in range(20):
        counts = np.bincount(answers[0][draw(answers, confidence, 40, seed).rows], minlength=10)
        assert counts.min() >= 1  # without order by class one class is missed in every seventh draw
        assert counts.max() <= 8


def test_a_world_whose_answer_is_known():
    """Two models that are both right where they agree; of the disputed fifth the second has three quarters right."""
    n = 1000
    labels = np.arange(n) % 5
    answers = np.stack([labels, labels])
    disputed = np.arange(n) < 200
    answers[0, disputed & (np.arange(n) % 4 > 0)] += 1
    answers[1, disputed & (np.arange(n) % 4 == 0)] += 1
    truth = [(answers[k] == labels).mean() for k in (0, 1)]
    assert truth == [0.85, 0.95]
    covered, taken = np.zeros(3), 0
    for seed in range(100):
        audit = Audit.of_answers(answers, np.full((2, n), 0.9), seed=seed)
        given = labels[audit.rows]
        found = [audit.accuracy(given, 0), audit.accuracy(given, 1), audit.gain(given, 1)]
        for i, (one, true) in enumerate(zip(found, (*truth, 0.1), strict=True)):
            covered[i] += one.low - 1e-9 <= true <= one.high + 1e-9
        # Where they agree there is no difference: the interval of the gain knows it.
        assert found[2].low >= -0.2 - 1e-9
        assert found[2].high <= 0.2 + 1e-9
        taken += audit.best(given)
    assert (covered >= 0.94 * 100).all()
    assert taken >= 90


def test_estimates_are_unbiased():
    rng = np.random.default_rng(1)
    answers, confidence = world(300, 4)
    labels = np.where(rng.random(300) < confidence[0] ** 2, answers[0], (answers[0] + 1) % 4)
    values = []
    for seed in range(400):
        audit = Audit.of_answers(answers, confidence, items=30, seed=seed)
        values.append(audit.accuracy(labels[audit.rows]).value)
    assert np.mean(values) == pytest.approx((answers[0] == labels).mean(), abs=0.012)


def test_the_first_is_kept_where_nothing_speaks_for_another():
    answers, confidence = world(400, 4, 3)
    audit = Audit.of_answers(answers, confidence)
    assert audit.best(answers[0, audit.rows]) == 0
    assert audit.best(answers[2, audit.rows]) == 2
    alone = Audit.of_answers(answers[:1], confidence[:1])
    assert alone.best(answers[0, alone.rows]) == 0
    assert alone.gain(answers[0, alone.rows], 0).value == 0


def test_by_probabilities_as_an_estimator_gives_them():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=200)
    audit = ac.Audit.choose(p, items=20)
    assert len(audit.rows) == 20
    found = audit.accuracy(p.argmax(axis=1)[audit.rows])
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low < 0.95
    everything = ac.Audit.choose(p, items=200)
    assert everything.accuracy(np.zeros(200, dtype=int)).low == (p.argmax(axis=1) == 0).mean()


def test_what_no_estimate_can_come_of_is_refused():
    p = np.full((40, 2), 0.5)
    for arguments, words in (
        ((p[:29],), "must have at least 30 examples"),
        ((p[:, :1],), "must be of two classes at least"),
        ((p, p[:35]), "must be arrays of one shape"),
        ((), "must be arrays of one shape"),
    ):
        with pytest.raises(RequestError, match=words):
            Audit.choose(*arguments)
    for items in (9, 41):
        with pytest.raises(RequestError, match="must be from 10 to 40"):
            Audit.choose(p, items=items)
    audit = Audit.choose(p, items=20)
    for labels in (np.zeros(19), np.r_[np.zeros(19), -1]):
        with pytest.raises(DataError, match="must be those of all 20 rows"):
            audit.accuracy(labels)
