"""`ac.Auto`: a scikit-learn estimator that is the best of several."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs

QUICK = {"steps": 30, "batch_size": 32, "lr": 1e-2, "optimizer": "adam", "precision": "fp32", "candidates": 2}


@pytest.fixture(scope="module")
def blobs() -> ac.Task:
    return shifted_blobs(200, shift=1.0)


@pytest.fixture(scope="module")
def model(blobs: ac.Task) -> ac.Auto:
    letters = np.array(["red", "green", "blue"])[blobs.source.labels]
    return ac.Auto(**QUICK).fit((blobs.source.inputs, letters), blobs.target.inputs)


def test_it_is_an_estimator_like_the_others(model: ac.Auto, blobs: ac.Task) -> None:
    x = blobs.target.inputs
    assert model.classes_.tolist() == ["blue", "green", "red"]
    assert model.n_features_in_ == 2
    assert np.array_equal(model.predict(x), model.classes_[model.predict_proba(x).argmax(axis=1)])
    assert np.array_equal(model.predict(x), model.best_estimator_.predict(x))
    names = [one.name for one in model.choice_.candidates]
    assert names == ["source-only", "mcd"]
    assert [len(one.runs) for one in model.choice_.candidates] == [2, 2]
    assert " is used; " in model.verdict_
    assert model.best_estimator_.get_params()["seed"] in (0, 1)
    assert model.history_
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(x), model.predict_proba(x))
    further = model.adapt(x, (blobs.source.inputs, np.array(["red", "green", "blue"])[blobs.source.labels]), steps=2)
    assert type(further) is type(model.best_estimator_)


def test_parameters_follow_scikit_learn() -> None:
    model = ac.Auto(candidates=3, epochs=2, seed=1)
    assert model.get_params()["candidates"] == 3
    assert clone(model).get_params() == model.get_params()
    assert "candidates=3" in repr(model)
    assert ac.Auto is ac.Auto
    assert "two seeds" in (ac.Auto.__doc__ or "")
    assert not [name for name in vars(model) if name.endswith("_")]
    with pytest.raises(Exception, match="not fitted"):
        _ = model.verdict_


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"candidates": 1}, "candidates must be at least 2; got 1"),
        ({"budget": 0}, "budget must be greater than 0"),
        ({"epochs": "many"}, "epochs must be a whole number; got 'many'"),
        ({"seed": "x"}, "seed must be a whole number from 0"),
        ({"network": "lenet"}, "network must be a known name; got 'lenet'"),
    ],
)
def test_arguments_are_checked_in_fit_with_a_sentence(
    arguments: dict[str, object], words: str, blobs: ac.Task
) -> None:
    with pytest.raises(ac.RequestError, match=words):
        ac.Auto(**arguments).fit(blobs.source, blobs.target)


def test_what_cannot_be_chosen_by_is_refused(blobs: ac.Task) -> None:
    x, y = blobs.source.inputs, blobs.source.labels
    with pytest.raises(ac.RequestError, match="target must hold 30 examples at least to choose by; got 29"):
        ac.Auto(**QUICK).fit((x, y), blobs.target.inputs[:29])
    with pytest.raises(ac.RequestError, match="source must hold ten examples of each class"):
        ac.Auto(**QUICK).fit((x[:20], y[:20]), blobs.target.inputs)
    with pytest.raises(ac.RequestError, match="target must come without labels"):
        ac.Auto(**QUICK).fit((x, y), (blobs.target.inputs, blobs.hidden.target))


def test_hidden_labels_change_nothing(blobs: ac.Task) -> None:
    given = ac.Domain(blobs.target.inputs, blobs.hidden.target, blobs.source.classes)
    shuffled = ac.Domain(given.inputs, np.roll(given.labels, 7), given.classes)
    one, two = (ac.Auto(**QUICK).fit(blobs.source, target) for target in (given, shuffled))
    assert one.choice_ == two.choice_
    assert np.array_equal(one.predict_proba(given), two.predict_proba(given))


def test_in_skadas_form(blobs: ac.Task) -> None:
    stacked = np.concatenate([blobs.source.inputs, blobs.target.inputs])
    y = np.concatenate([blobs.source.labels, blobs.hidden.target])
    sides = np.repeat([1, -1], [len(blobs.source), len(blobs.target)])
    model = ac.SampleDomainAdapter(ac.Auto(**QUICK)).fit(stacked, y, sample_domain=sides)
    assert 0 <= model.score(stacked, y, sample_domain=sides) <= 1
