"""Class geometry and graphs against loops, brute force and scikit-learn."""

import itertools

import numpy as np
import pytest
import torch

from acclimate.objectives.class_geometry import centroid_gram, gram_alignment, mantel
from acclimate.objectives.graphs import nearest, spread_labels


def unit(n: int, d: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_centroid_gram_by_loops() -> None:
    rows, labels = np.random.default_rng(0).normal(size=(9, 3)), np.array([0, 1, 2] * 3)
    centroids = [sum(r for r, y in zip(rows, labels, strict=True) if y == c) / 3 for c in range(3)]
    middle = sum(centroids) / 3
    plain = np.array([[(a - middle) @ (b - middle) for b in centroids] for a in centroids])
    found = centroid_gram(rows, np.eye(3)[labels])
    np.testing.assert_allclose(found, plain * 3 / np.trace(plain))


def test_centroid_gram_knows_nothing_of_turns_shifts_and_scale() -> None:
    rows, weights = np.random.default_rng(1).normal(size=(12, 4)), np.eye(3)[np.arange(12) % 3]
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 4)))[0]
    np.testing.assert_allclose(centroid_gram(5 * rows @ turn.T + 3, weights), centroid_gram(rows, weights))


def test_mantel_is_the_share_of_all_orders() -> None:
    rng = np.random.default_rng(3)
    one, noise = rng.normal(size=(5, 5)), rng.normal(size=(5, 5))
    one, other = one + one.T, one + one.T + 0.8 * (noise + noise.T)
    pairs = np.triu_indices(5, 1)
    r = np.corrcoef(one[pairs], other[pairs])[0, 1]
    orders = list(itertools.permutations(range(5)))
    chance = [np.corrcoef(one[pairs], other[np.ix_(o, o)][pairs])[0, 1] >= r - 1e-12 for o in orders]
    found = mantel(one, other, permutations=5000)
    assert found[0] == pytest.approx(r)
    assert found[1] == pytest.approx(np.mean(chance), abs=0.02)


def test_mantel_says_nothing_of_three_things() -> None:
    assert mantel(np.eye(3), np.eye(3)) == (0.0, 1.0)


def test_gram_alignment_is_one_for_its_own_gram_and_has_the_right_gradient() -> None:
    rows, weights = np.random.default_rng(4).normal(size=(8, 3)), np.eye(4)[np.arange(8) % 4]
    goal = torch.from_numpy(centroid_gram(rows, weights))
    assert gram_alignment(torch.from_numpy(rows), torch.from_numpy(weights), goal).item() == pytest.approx(1)
    soft = torch.rand(8, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: gram_alignment(torch.from_numpy(rows), w, goal), (soft,))


def test_nearest_are_the_largest_cosines_of_others() -> None:
    rows = unit(30, 4)
    index, cosine = nearest(rows, 3)
    for i, row in enumerate(rows):
        others = sorted((-(row @ other), j) for j, other in enumerate(rows) if j != i)[:3]
        assert set(index[i]) == {j for _, j in others}
        np.testing.assert_allclose(np.sort(cosine[i]), np.sort([-c for c, _ in others]))


def test_spreading_solves_the_dense_system() -> None:
    rows, labels = unit(25, 4), np.zeros((25, 3))
    labels[[0, 1, 2], [0, 1, 2]] = 1
    index, cosine = nearest(rows, 5)
    w = np.zeros((25, 25))
    for i in range(25):
        for j, c in zip(index[i], cosine[i], strict=True):
            w[i, j] = max(c, 0) ** 6
    w = (w + w.T) / 2
    scale = np.sqrt(w.sum(1) + 1e-9)
    expected = np.maximum(np.linalg.solve(np.eye(25) - 0.8 * w / np.outer(scale, scale), labels), 1e-12)
    found = spread_labels(rows, labels, 5, 0.8, 6.0)
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found.sum(1), 1)
