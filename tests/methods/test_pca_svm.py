"""PCA to one size: what it can do, and that this is not to align."""

from __future__ import annotations

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.synthetic import two_views
from acclimate.data.task import Task
from acclimate.methods.heterogeneous.pca_svm import PCASVM
from worlds import quick_fit, target_accuracy


def test_solves_sides_whose_columns_are_the_same_in_another_order_and_no_two_views() -> None:
    rng, classes = np.random.default_rng(0), ("a", "b", "c")
    order, spread = rng.permutation(12), np.linspace(3, 0.5, 12)

    def side(columns: np.ndarray) -> Domain:
        y = np.arange(300) % 3
        x = 1.5 * np.eye(12)[y] * spread + rng.normal(size=(300, 12)) * 0.2 * spread
        return Domain(x[:, columns].astype(np.float32), y, classes)

    task = Task(side(np.arange(12)), side(order), target_test=side(order)).with_label_budget(1)
    assert target_accuracy(quick_fit(PCASVM(components=6), task), task) > 0.9

    views = two_views(200, noise=0.2).with_label_budget(3)
    assert target_accuracy(quick_fit(PCASVM(), views), views) < 0.7
