"""Own answers as labels, against a loop, and what their weights must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.self_training import (
    class_balance,
    class_centroids,
    confident_consistency,
    confident_cross_entropy,
    own_answers,
)


def drawn(seed: int, n: int, k: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(k, 0.5), n)
    return probabilities, np.where(rng.random(n) < share, rng.integers(0, k, n), -1)


@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(2, 5), st.floats(0, 1))
def test_weights_hold_the_classes_shares_and_the_sum(seed: int, n: int, k: int, share: float) -> None:
    probabilities, labels = drawn(seed, n, k, share)
    answers, weights = own_answers(probabilities, labels)
    known, own = labels >= 0, labels < 0
    assert np.array_equal(answers[known], labels[known])
    assert (weights[known] == 1).all()
    assert np.array_equal(answers[own], probabilities[own].argmax(axis=1))
    assert (weights >= 0).all()
    given_classes = set(labels[known]) & set(answers[own])
    if not given_classes:
        assert not weights[own].any()
        return
    ordered = np.sort(probabilities[own], axis=1)
    assert weights[own].sum() == pytest.approx((ordered[:, -1] - ordered[:, -2]).sum())
    for c in set(answers[own]):
        expected = (labels[known] == c).sum() / np.isin(labels[known], list(given_classes)).sum()
        assert weights[own][answers[own] == c].sum() / weights[own].sum() == pytest.approx(expected)


def test_within_a_class_weights_go_by_how_sure_an_answer_is() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.5, 0.5]])
    answers, weights = own_answers(np.vstack([probabilities, np.eye(2)]), np.array([-1, -1, -1, -1, 0, 1]))
    assert answers.tolist() == [0, 0, 1, 0, 0, 1]
    # Sures are .8, .4, .6, 0: 1.8 in all, half of it for each class as the given labels have it.
    np.testing.assert_allclose(weights, [0.8 * 0.9 / 1.2, 0.4 * 0.9 / 1.2, 0.6 * 0.9 / 0.6, 0, 1, 1])


def centroids_by_loops(features: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, list[bool]]:
    n, k = p.shape
    present = [any(int(p[i].argmax()) == c for i in range(n)) for c in range(k)]
    first = [sum(p[i, c] * features[i] for i in range(n)) / sum(p[i, c] for i in range(n)) for c in range(k)]

    def nearest(i: int) -> int:
        return max(
            (c for c in range(k) if present[c]), key=lambda c: features[i] @ first[c] / np.linalg.norm(first[c])
        )

    found = np.zeros((k, features.shape[1]))
    for c in range(k):
        own = [features[i] for i in range(n) if nearest(i) == c] if present[c] else []
        if present[c]:
            found[c] = np.mean(own, axis=0) if own else first[c]
    return found, present


@given(st.integers(1, 12), st.integers(2, 5), st.integers(1, 4), st.integers(0, 999))
def test_class_centroids_are_the_means_of_what_the_first_ones_attract(n: int, k: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    p = rng.dirichlet(np.full(k, 0.5), size=n)
    expected, present = centroids_by_loops(features, p)
    found, there = class_centroids(torch.from_numpy(features), torch.from_numpy(p))
    assert there.tolist() == present
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def test_only_certain_answers_are_learnt_from_as_loops_have_it() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.normal(size=(9, 3)), 2 * rng.normal(size=(9, 3))
    p, q, labels, squares, counted = softmax(own), softmax(other), 0.0, 0.0, 0
    for i in range(9):
        if q[i].max() >= 0.7:
            counted += 1
            labels -= np.log(p[i, q[i].argmax()]) / 9
            squares += ((p[i] - q[i]) ** 2).mean() / 9
    assert 0 < counted < 9
    tensors = torch.from_numpy(own), torch.from_numpy(other)
    for objective, expected in ((confident_cross_entropy, labels), (confident_consistency, squares)):
        loss, share = objective(*tensors, 0.7)
        assert loss.item() == pytest.approx(expected)
        assert share.item() == pytest.approx(counted / 9)


@pytest.mark.parametrize("objective", [confident_cross_entropy, confident_consistency])
def test_the_teacher_gets_no_gradient_and_the_pupil_the_right_one(objective: Any) -> None:
    own, other = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    loss, share = objective(own, other, 0.0)
    loss.backward()
    assert other.grad is None
    assert share.item() == 1
    assert torch.autograd.gradcheck(lambda x: objective(x, other.detach(), 0.0)[0], (own,))
    nothing, none = objective(own, other, 1.0)
    assert (nothing.item(), none.item()) == (0, 0)


def test_class_balance_is_least_where_a_batch_names_all_classes_alike() -> None:
    certain = 9 * torch.eye(3, dtype=torch.float64)
    values = [class_balance(certain[rows]).item() for rows in ([0, 1, 2], [0, 0, 1], [0, 0, 0])]
    assert values == sorted(values)
    mean = softmax(certain.numpy()[[0, 0, 1]]).mean(axis=0)
    assert values[1] == pytest.approx(-sum(np.log(m) / 3 + 2 / 3 * np.log(1 - m) for m in mean))
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(class_balance, (logits,))
    assert torch.isfinite(class_balance(1e4 * torch.eye(3)[[0, 0]]))
