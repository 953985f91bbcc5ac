"""The kernel machine that weights are for: scikit-learn's answers, cross-fitting, odd data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.synthetic import other_proportions
from acclimate.data.task import Task
from acclimate.methods.classification.kernel_machine import KernelMachine, Sides, answers_of, kernel_networks
from acclimate.networks.registry import architecture
from worlds import quick_fit

WEIGHTED = ("bbse", "domain-odds", "kernel-logistic", "kliep", "kmm", "mlls", "rlls", "ulsif")


def machine(n: int = 120, k: int = 3) -> KernelMachine:
    """Of standardised points of k classes, n of a side."""
    task = other_proportions([1 / k] * k, [1 / k] * k, n=n)
    x = task.source.array.astype(np.float64) / 2
    sides = Sides(x, task.source.labels, np.ones(n), n, task.target.array.astype(np.float64) / 2)
    return KernelMachine(kernel_networks(architecture("mlp", 5), k), sides, 10.0)


def test_with_every_example_as_a_row_it_is_kernel_logistic_regression() -> None:
    """On a square root of the kernel matrix, which has the same inner products."""
    found = machine()
    found.fit(np.ones(120))
    x = found.sides.x
    kernel = rbf_kernel(x, gamma=1 / (5 * x.var()))
    values, vectors = np.linalg.eigh(kernel)
    root = vectors * np.sqrt(np.maximum(values, 0))
    expected = LogisticRegression(C=10.0, max_iter=5000, tol=1e-8).fit(root, found.sides.y).predict_proba(root)
    logits = found.logits(x)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(p / p.sum(axis=1, keepdims=True), expected, atol=0.01)


def test_an_example_that_counts_twice_is_there_twice() -> None:
    found = machine()
    weights = np.where(np.arange(120) < 40, 2.0, 1.0)
    own = found.fitted(np.arange(120), weights)
    twice = np.concatenate([np.arange(120), np.arange(40)])
    for one, other in zip(own, found.fitted(twice, np.ones(120)), strict=True):
        np.testing.assert_allclose(one, other, atol=0.01)


def test_cross_fitted_answers_are_right_no_more_often_than_on_new_examples() -> None:
    found = machine(300)
    own = (found.cross_fitted().argmax(axis=1) == found.sides.y).mean()
    found.fit(np.ones(300))
    seen = (found.logits(found.sides.x).argmax(axis=1) == found.sides.y).mean()
    assert own < seen


def test_calibrated_answers_have_the_shares_of_the_labels() -> None:
    answers = answers_of(machine(300))
    p = np.exp(answers.own - answers.own.max(axis=1, keepdims=True))
    np.testing.assert_allclose((p / p.sum(axis=1, keepdims=True)).mean(axis=0), answers.prior, atol=0.01)


@pytest.mark.parametrize("name", WEIGHTED)
def test_constant_columns_copies_of_the_source_and_rare_classes_are_no_trouble(name: str) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([np.ones((50, 2)), rng.normal(size=(50, 2))], axis=1).astype(np.float32)
    labels = np.repeat([0, 1, 2], [30, 19, 1])
    source = Domain(x, labels, ("a", "b", "c", "never"), "source")
    task = Task(source, Domain(x.copy(), labels, source.classes, "target"))
    fitted = quick_fit(discovery.methods()[name].load()(), task, normalisation="standard")
    scores = fitted.outputs(task.target).logits
    assert np.isfinite(scores).all()
    assert (scores.argmax(axis=1) != 3).all()
