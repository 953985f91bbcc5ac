"""t-SNE and the mixing of domains."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.reports.embedding import can_embed, mixing, tsne


def clusters(n=20, d=60, k=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n * k) % k
    return rng.normal(size=(k, d))[labels] * 10 + rng.normal(size=(n * k, d)), labels


def test_clusters_stay_together():
    features, labels = clusters()
    points = tsne(features.astype(np.float32))
    assert points.shape == (60, 2)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).all()


def test_equal_seeds_give_equal_pictures():
    features, _ = clusters(n=5)
    np.testing.assert_array_equal(tsne(features, seed=3), tsne(features, seed=3))


@pytest.mark.parametrize("shape", [(8, 2), (9, 1), (30, 3), (8, 100)])
def test_small_samples_work(shape):
    features = np.random.default_rng(0).normal(size=shape)
    assert can_embed(features)
    assert np.isfinite(tsne(features)).all()


@pytest.mark.parametrize("features", [np.ones((30, 4)), np.ones((3, 4)), np.full((30, 4), np.nan)])
def test_nothing_to_draw(features):
    assert not can_embed(features)


def test_domains_apart_do_not_mix():
    features, _ = clusters()
    is_target = np.arange(60) < 30
    assert mixing(features + 1000 * is_target[:, None], is_target)[0] == 0


def test_one_domain_cut_at_random_mixes_as_chance_has_it():
    features = np.random.default_rng(0).normal(size=(400, 5))
    is_target = np.arange(400) % 4 == 0
    share, by_chance = mixing(features, is_target)
    assert by_chance == pytest.approx(300 / 399)
    assert share == pytest.approx(by_chance, abs=0.03)


def test_mixing_by_hand():
    # On a line: the one neighbour that counts as target's is among two others.
    share, by_chance = mixing(np.array([[0.0], [1.0], [2.0]]), np.array([True, False, True]))
    assert (share, by_chance) == (0.5, 0.5)
