"""Classifiers that are set from a solution: nearest neighbours and votes, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from acclimate.methods.shallow.common import fit_svm
from acclimate.networks.nearest import Nearest
from acclimate.networks.one_against_one import OneAgainstOne
from acclimate.networks.projection import Projection, Scaled


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 40), d=st.integers(1, 6), scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_the_largest_logit_is_the_nearest_neighbours(n: int, d: int, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, labels = scale * rng.normal(size=(n, d)), rng.integers(0, 4, n)
    net = Nearest(5)
    net.store(rows, labels)
    x = scale * rng.normal(size=(20, d))
    logits = net(torch.from_numpy(x.astype(np.float32))).numpy()
    expected = KNeighborsClassifier(1, algorithm="brute").fit(rows, labels).predict(x)
    ordered = np.sort(logits, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-5 * np.abs(ordered[:, -1])  # two at one distance are nobody's
    assert (logits.argmax(axis=1) == expected)[clear].all()
    assert (logits[:, 4] < logits[:, :4].max(axis=1)).all()


def test_logits_are_distances_in_units_of_the_gap_between_rows() -> None:
    net = Nearest(2)
    net.store(np.array([[0.0], [2.0], [6.0]]), np.array([0, 0, 1]))
    logits = net(torch.tensor([[1.0], [5.0]])).numpy()
    gap = (2**2 + 2**2 + 4**2) / 3
    np.testing.assert_allclose(logits[:, 0] - logits[:, 1], [(25 - 1) / (2 * gap), (1 - 9) / (2 * gap)], rtol=1e-6)


def test_copies_of_one_row_are_no_division_by_zero() -> None:
    net = Nearest(2)
    net.store(np.ones((3, 2)), np.array([0, 1, 1]))
    assert torch.isfinite(net(torch.ones(2, 2))).all()


@pytest.mark.parametrize("classes", [[0, 1], [0, 1, 2], [1, 3, 4, 6]])
def test_votes_are_those_of_scikit_learn(classes: list[int]) -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(classes, 80)
    x = rng.normal(size=(80, 5)) + np.eye(7)[labels][:, :5]
    net = OneAgainstOne(7)
    fit_svm({"classifier": net}, x @ x.T, x, labels, 0.5)
    svm = SVC(kernel="linear", C=0.5).fit(x, labels)
    new = rng.normal(size=(60, 5))
    logits = net(torch.from_numpy(new.astype(np.float32))).numpy()
    np.testing.assert_array_equal(logits.argmax(axis=1), svm.predict(new))
    votes = np.round(logits + np.arange(7) / 14)
    np.testing.assert_allclose(votes.sum(axis=1), len(classes) * (len(classes) - 1) / 2)


@pytest.mark.parametrize("net", [Nearest(3), OneAgainstOne(3), Projection(4), Projection(4, unit=True), Scaled()])
def test_what_was_never_set_answers_zeros_or_what_it_got(net: torch.nn.Module) -> None:
    found = net(torch.ones(2, 5, 1))
    assert found.shape[0] == 2
    assert torch.isfinite(found).all()


def test_shapes_come_with_the_checkpoint() -> None:
    one, other = Nearest(2), Nearest(2)
    one.store(np.arange(12.0).reshape(4, 3), np.array([0, 1, 0, 1]))
    other.load_state_dict(one.state_dict())
    x = torch.randn(5, 3)
    assert torch.equal(one(x), other(x))


def test_a_checkpoint_without_a_buffer_is_still_refused() -> None:
    state = Nearest(2).state_dict()
    del state["labels"]
    with pytest.raises(RuntimeError, match="labels"):
        Nearest(2).load_state_dict(state)
