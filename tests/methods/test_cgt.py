"""What class-geometry transfer promises: better than labels alone, no harm by a useless source, new rows right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from acclimate.data.domain import Domain
from acclimate.data.synthetic import two_views
from acclimate.data.task import Task
from acclimate.methods.heterogeneous.cgt import CGT, soft_regression
from acclimate.methods.heterogeneous.svmt import SVMt
from acclimate.training.fitted import Fitted
from worlds import quick_fit, target_accuracy


def fitted(task: Task, **options: float) -> Fitted:
    return quick_fit(CGT(**options), task, steps=1, batch_size=2**20, normalisation="rows")  # type: ignore[arg-type]


def accuracy(model: Fitted, task: Task) -> float:
    truth = task.hidden.target
    return float((model.outputs(task.target).logits.argmax(1) == truth)[truth >= 0].mean())


def test_it_beats_the_labels_alone_where_the_target_has_clusters() -> None:
    gains = []
    for seed in range(5):
        task = two_views(300, num_classes=6, noise=0.6, seed=seed).with_label_budget(2, seed)
        alone = quick_fit(SVMt(), task, steps=1, batch_size=2**20, normalisation="rows")
        ours = fitted(task)
        seen = accuracy(ours, task) - accuracy(alone, task)
        gains.append((seen, target_accuracy(ours, task) - target_accuracy(alone, task)))
    assert np.mean(gains, axis=0).min() > 0.01


def test_a_source_of_noise_changes_little() -> None:
    task = two_views(300, num_classes=6, noise=0.6).with_label_budget(2)
    noise = np.random.default_rng(0).normal(size=task.source.inputs.shape).astype(np.float32)
    noisy = replace(task, source=replace(task.source, inputs=noise))
    assert abs(accuracy(fitted(noisy), task) - accuracy(fitted(task, source_weight=0.0), task)) < 0.02


def test_both_sides_meet_in_the_common_space() -> None:
    task = two_views(200, noise=0.2).with_label_budget(3)
    model = fitted(task)
    source = model.outputs(task.source, "source")
    assert (source.logits.argmax(1) == task.source.labels).mean() > 0.95
    lengths = np.linalg.norm(model.outputs(task.target).features, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_two_and_three_classes_are_enough(classes: int) -> None:
    task = two_views(60, num_classes=classes, noise=0.2).with_label_budget(1)
    assert accuracy(fitted(task), task) > 0.9


def test_features_that_are_all_alike_are_survived() -> None:
    rng = np.random.default_rng(0)
    task = two_views(40).with_label_budget(3)
    inputs = np.ones((40, 5), np.float32) + (rng.random((40, 5)) < 0.1)
    same = Task(task.source, Domain(inputs.astype(np.float32), np.arange(40) % 3, task.classes)).with_label_budget(3)
    assert np.isfinite(fitted(same).outputs(same.target).logits).all()


def test_soft_regression_agrees_with_scikit_learn_on_hard_labels() -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(60, 4)), np.arange(60) % 3
    weight, bias = soft_regression(rows, np.eye(3)[labels], 2.0)
    model = LogisticRegression(C=2.0, tol=1e-10, max_iter=5000).fit(rows, labels)
    np.testing.assert_allclose(weight, model.coef_, atol=1e-3)
    np.testing.assert_allclose(bias - bias.mean(), model.intercept_ - model.intercept_.mean(), atol=1e-3)


def test_it_is_the_same_whatever_the_random_state() -> None:
    task = two_views(80).with_label_budget(3)
    seen = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002  what others may have drawn from
        seen.append(fitted(task).outputs(task.target).logits)
    assert np.array_equal(*seen)
