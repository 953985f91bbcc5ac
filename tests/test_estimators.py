from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone

import acclimate as ac
from acclimate.data.readers import from_arrays
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from worlds import TinyNet

QUICK = {"steps": 60, "batch_size": 32, "lr": 1e-2, "optimizer": "adam", "precision": "fp32"}


@pytest.fixture(scope="module")
def blobs() -> ac.Task:
    return shifted_blobs(200, shift=1.0)


def test_three_lines_on_arrays(blobs: ac.Task) -> None:
    letters = np.array(["red", "green", "blue"])[blobs.source.labels]
    model = ac.SourceOnly(**QUICK).fit((blobs.source.inputs, letters), blobs.target.inputs)
    assert model.classes_.tolist() == ["blue", "green", "red"]
    assert model.score(blobs.source.inputs, letters) > 0.95
    probabilities = model.predict_proba(blobs.target.inputs)
    assert probabilities.shape == (200, 3)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.array_equal(model.predict(blobs.target.inputs), model.classes_[probabilities.argmax(1)])
    assert model.transform(blobs.target.inputs).shape == (200, 256)
    assert model.n_features_in_ == 2
    assert model.history_[-1]["label_loss"] < model.history_[0]["label_loss"]


def test_domains_and_arrays_give_the_same_model(blobs: ac.Task) -> None:
    one = ac.DANN(**QUICK).fit(blobs.source, blobs.target)
    two = ac.DANN(**QUICK).fit((blobs.source.inputs, blobs.source.labels), blobs.target.inputs)
    assert np.array_equal(one.predict_proba(blobs.target), two.predict_proba(blobs.target.inputs))
    assert two.classes_.tolist() == [0, 1, 2]


def test_labels_need_not_start_at_zero_and_given_target_labels_mean_the_same(blobs: ac.Task) -> None:
    y = blobs.source.labels * 10 + 7
    hidden = np.full(200, -1)
    given = hidden.copy()
    given[:50] = blobs.hidden.target[:50] * 10 + 7
    alone = ac.SourceOnly(**QUICK).fit((blobs.source.inputs, y), (blobs.target.inputs, hidden))
    helped = ac.SourceOnly(**QUICK).fit((blobs.source.inputs, y), (blobs.target.inputs, given))
    assert alone.classes_.tolist() == [7, 17, 27]
    right = blobs.hidden.target_test * 10 + 7
    assert helped.score(blobs.target_test.inputs, right) >= alone.score(blobs.target_test.inputs, right)
    assert helped.score(blobs.target_test.inputs, right) > 0.95
    with pytest.raises(ac.RequestError, match=r"labels of target must be among the classes 7, 17, 27; got .'99'"):
        ac.SourceOnly(**QUICK).fit((blobs.source.inputs, y), (blobs.target.inputs, np.full(200, 99)))


def test_parameters_follow_scikit_learn() -> None:
    model = ac.MCD(n=2, epochs=3, seed=1)
    assert model.get_params()["n"] == 2
    assert clone(model).get_params() == model.get_params()
    assert "n=2" in repr(model)
    assert ac.MCD is ac.MCD
    assert "classifiers that disagree" in (ac.MCD.__doc__ or "")
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "n must be at least 1; got 0"),
        ({"epochs": "many"}, "epochs must be a whole number; got 'many'"),
        ({"optimizer": "rmsprop"}, "optimizer must be 'adam', 'adamw' or 'sgd'"),
        ({"network": "lenet"}, "network must be a known name; got 'lenet'"),
        ({"device": "cuda:99"}, "device must be one that this machine has; got 'cuda:99'"),
    ],
)
def test_arguments_are_checked_in_fit_with_a_sentence(arguments: dict[str, object], words: str) -> None:
    task = dimmed_bars(40)
    with pytest.raises(ac.RequestError, match=words):
        ac.MCD(**arguments).fit(task.source, task.target)


def test_unfitted_models_say_so() -> None:
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        ac.MCD().predict(np.zeros((1, 8, 8), np.uint8))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.zeros((4, 2), np.float32), "source must come with labels; got inputs alone"),
        ((np.zeros((4, 2), np.float32), [0, 0, 0, 0]), "at least two classes"),
    ],
)
def test_sources_that_teach_nothing_are_refused(source: object, words: str) -> None:
    with pytest.raises(ac.RequestError, match=words):
        ac.SourceOnly(steps=1).fit(source, np.zeros((4, 2), np.float32))


def test_score_needs_labels(blobs: ac.Task) -> None:
    model = ac.SourceOnly(**{**QUICK, "steps": 1}).fit(blobs.source, blobs.target)
    with pytest.raises(ac.RequestError, match="labels must be given to score"):
        model.score(blobs.target)
    assert 0 <= model.score(blobs.source) <= 1
    assert model.score((blobs.source.inputs, np.array(blobs.source.classes)[blobs.source.labels])) == model.score(
        blobs.source
    )


def test_users_own_module() -> None:
    task = dimmed_bars(60)
    torch.manual_seed(0)
    model = ac.DANN(network=TinyNet(), **{**QUICK, "steps": 5}).fit(task.source, task.target)
    assert model.transform(task.target).shape == (60, 16)


def test_images_as_plain_arrays() -> None:
    task = dimmed_bars(60)
    grey = task.source.inputs[..., 0]
    model = ac.SourceOnly(**{**QUICK, "steps": 5}).fit((grey, task.source.labels), task.target.inputs[..., 0] / 255)
    assert model.predict(grey).shape == (60,)


def test_a_method_of_ones_own_becomes_an_estimator(blobs: ac.Task) -> None:
    from acclimate.methods.classification.source_only import SourceOnly

    kind = ac.estimator(SourceOnly)
    assert kind is ac.SourceOnly
    assert kind(**{**QUICK, "steps": 1}).fit(blobs.source, blobs.target).classes_.tolist() == list(
        blobs.source.classes
    )


def test_a_labelled_target_domain_must_number_its_classes_like_the_source(blobs: ac.Task) -> None:
    swapped = replace(blobs.source, classes=("blob 2", "blob 1", "blob 0"), labels_granted=True)
    with pytest.raises(ac.RequestError, match="Pair them in a Task, which matches classes by name"):
        ac.SourceOnly(steps=1).fit(blobs.source, swapped)


def test_labels_that_came_with_a_target_domain_are_hidden_from_training(blobs: ac.Task) -> None:
    answers = blobs.hidden.target
    with_labels = replace(blobs.target, labels=answers)
    granted = blobs.with_label_budget("all").target
    hidden, shown, given = (
        ac.MCC(steps=5, seed=0).fit(blobs.source, t).predict_proba(blobs.target)
        for t in (blobs.target, with_labels, granted)
    )
    assert np.array_equal(hidden, shown)
    assert not np.array_equal(hidden, given)


@pytest.mark.parametrize("kind", [int, float, str])
def test_score_matches_labels_by_name_whatever_their_type(kind: type) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = (rng.normal(size=(80, 2)) + 6 * y[:, None]).astype(np.float32)
    domain = from_arrays(X, y, classes=["0", "1"])
    model = ac.SourceOnly(steps=60, lr=0.01, batch_size=16, seed=0).fit((X, y), X)
    assert model.score(X, [kind(v) for v in y]) == model.score(domain) == 1.0
    assert model.score(X, np.where(np.arange(80) < 40, y, -1)) == 1.0
    with pytest.raises(ac.RequestError, match="labels must be the classes the model was fitted with"):
        model.score(X, ["a"] * 80)


def test_missing_labels_are_no_class() -> None:
    X = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    for y in ([0.0, 1.0, np.nan, 0.0, 1.0, 1.0], [0, 1, None, 0, 1, 1], [0, 1, "", 0, 1, 1]):
        assert ac.SourceOnly(steps=1).fit((X, y), X).classes_.tolist() == [0, 1]
    words = ["b", "a", None, "", "a", "b"]
    assert ac.SourceOnly(steps=1).fit((X, words), X).classes_.tolist() == ["a", "b"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_fitted_image_model_is_pickled_and_copied(precision: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (24, 8, 8, 1), dtype=np.uint8)
    model = ac.DANN(steps=2, batch_size=8, network="tiny", precision=precision).fit((X, np.arange(24) % 2), X)
    expected = model.predict_proba(X)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(twin.predict_proba(X), expected)
    with torch.no_grad():
        for weight in copy.deepcopy(model)._fitted.nets["classifier"].parameters():
            weight.zero_()
    assert np.array_equal(model.predict_proba(X), expected)
