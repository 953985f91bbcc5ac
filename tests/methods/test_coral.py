"""Deep CORAL: what covariances can tell."""

from __future__ import annotations

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.methods.classification.coral import DeepCORAL
from acclimate.methods.classification.source_only import SourceOnly
from worlds import quick_fit, target_accuracy

OPTIONS = {"steps": 400, "batch_size": 64, "optimizer": "adam", "lr": 1e-3, "normalisation": "standard"}


def test_solves_classes_that_are_turned_into_directions_of_noise() -> None:
    """A turn by 75° changes covariances, and no mean of the whole."""
    width, turn, classes = 8, np.radians(75), ("a", "b", "c")
    cosine, sine = np.cos(turn) * np.eye(4), np.sin(turn) * np.eye(4)
    turned = np.block([[cosine, sine], [-sine, cosine]])

    def side(seed: int, by: np.ndarray) -> Domain:
        y = np.arange(400) % 3
        x = 3.0 * np.eye(width)[y] + 0.5 * np.random.default_rng(seed).normal(size=(400, width))
        return Domain((x @ by).astype(np.float32), y, classes)

    task = Task(side(0, np.eye(width)), side(1, turned), target_test=side(2, turned))
    plain, aligned = (
        target_accuracy(quick_fit(method(), task, **OPTIONS), task) for method in (SourceOnly, DeepCORAL)
    )
    assert plain < 0.85
    assert aligned > 0.95
