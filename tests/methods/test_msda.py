"""mSDA: its layers against explicit corruption, its SVM against the plain one, a world of words in company."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from acclimate.data.domain import Domain
from acclimate.data.synthetic import shifted_blobs, two_shops
from acclimate.data.task import Task
from acclimate.methods.sentiment.msda import MSDA, DenoisingLayers, fit_layer, fit_svm
from acclimate.methods.sentiment.tfidf import TFIDF
from acclimate.networks.linear import ComputedLinear
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.training.fitted import Fitted
from worlds import target_accuracy

RNG = np.random.default_rng(0)


def fitted_on(task: Task, **options: float) -> Fitted:
    method = MSDA(**{"most": 300, **options})
    return fit(make_plan(method, task.source, task.target), task.source, task.target)


def test_solves_texts_of_the_target_whose_words_are_known_by_their_company_alone() -> None:
    task = two_shops(400)
    plain = TFIDF(most=300)
    baseline = target_accuracy(fit(make_plan(plain, task.source, task.target), task.source, task.target), task)
    assert baseline < 0.97  # one text in eight has no word of judgement that the source has
    assert target_accuracy(fitted_on(task), task) > 0.98


def test_counts_in_a_table_are_treated_as_those_of_texts() -> None:
    task = two_shops(200)
    texts = fitted_on(task)
    features = texts.nets["features"]
    assert isinstance(features, DenoisingLayers)

    def counted(domain: Domain) -> Domain:
        stored = texts.plan.preprocess.fit(domain)  # type: ignore[union-attr]
        numbers = texts.plan.preprocess.batch(stored.inputs, None)  # type: ignore[union-attr]
        return replace(domain, inputs=features.counts(numbers).numpy())

    table = Task(counted(task.source), counted(task.target))
    assert task.target_test is not None
    other = fitted_on(table).outputs(counted(task.target_test))
    seen = texts.outputs(task.target_test)
    np.testing.assert_allclose(seen.features, other.features, atol=1e-5)
    np.testing.assert_allclose(seen.logits, other.logits, atol=1e-3)


def test_layers_are_what_corruption_by_hand_comes_to() -> None:
    """Two layers, each by least squares on many corrupted copies of the last one's output."""
    p, x = 0.4, (RNG.random((50, 4)) < 0.5).astype(np.float32)
    layer = ComputedLinear(4, 4)
    hidden = x
    for _ in range(2):
        copies = np.tile(hidden, (6000, 1))
        corrupted = np.concatenate([copies * (RNG.random(copies.shape) >= p), np.ones((len(copies), 1))], axis=1)
        by_hand = np.linalg.lstsq(corrupted, copies, rcond=None)[0]
        fit_layer(layer, hidden, p)
        np.testing.assert_allclose(layer.weight, by_hand[:-1].T, atol=0.02)
        np.testing.assert_allclose(layer.bias, by_hand[-1], atol=0.02)
        hidden = torch.tanh(layer(torch.from_numpy(hidden))).numpy()


def test_outputs_are_the_input_and_every_layer() -> None:
    x = torch.from_numpy(RNG.poisson(1, (6, 3)).astype(np.float32))
    features = DenoisingLayers(torch.nn.Identity(), 3, 2)
    present = (x > 0).float()
    assert torch.equal(features(x), torch.cat([present, torch.zeros(6, 6)], dim=1))
    for layer in features.maps:
        layer.set_weights(RNG.normal(size=(3, 3)), RNG.normal(size=3))
    features.fitted.fill_(True)
    first, second = features.maps
    h1 = torch.tanh(present @ first.weight.T + first.bias)
    h2 = torch.tanh(h1 @ second.weight.T + second.bias)
    assert torch.allclose(features(x), torch.cat([present, h1, h2], dim=1))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_svm_in_few_coordinates_is_the_plain_one(classes: int) -> None:
    x, y = RNG.normal(size=(30, 90)).astype(np.float32), np.arange(30) % classes
    plain = LinearSVC(C=0.1, random_state=0, tol=1e-8, max_iter=100_000).fit(x, y)
    weight, bias, seen = fit_svm([x[:, :40], x[:, 40:]], y, 0.1)
    np.testing.assert_array_equal(seen, plain.classes_)
    np.testing.assert_allclose(weight, plain.coef_, atol=2e-3)
    np.testing.assert_allclose(bias, plain.intercept_, atol=2e-3)


def test_the_svm_takes_rows_that_repeat() -> None:
    x = np.repeat(RNG.normal(size=(10, 50)), 2, axis=0).astype(np.float32)
    weight, bias, _ = fit_svm([x], np.repeat(np.arange(10) % 2, 2), 1.0)
    assert np.array_equal((x @ weight[0] + bias[0] > 0), np.repeat(np.arange(10) % 2, 2) == 1)


def test_given_target_labels_join_the_svm_and_hidden_ones_do_not() -> None:
    task = shifted_blobs(60, num_classes=2)
    without, given = fitted_on(task), fitted_on(task.with_label_budget("all"))
    for one, two in zip(
        without.nets["features"].state_dict().values(), given.nets["features"].state_dict().values(), strict=True
    ):
        assert torch.equal(one, two)
    assert not torch.equal(without.nets["classifier"].weight, given.nets["classifier"].weight)  # type: ignore[arg-type]
