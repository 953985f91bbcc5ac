"""Stationary subspace: what tells the sides apart is left out, and what they share decides."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.synthetic import other_proportions
from acclimate.data.task import Task
from shifts import accuracy, gain


def turned_over(n: int = 400) -> Task:
    """One feature tells a middle from two ends on both sides; another says the class, and then the opposite."""
    rng = np.random.default_rng(0)

    def draw(name: str, sign: int) -> Domain:
        labels = np.arange(n) % 2
        ends = rng.choice([-2.5, 2.5], n)
        said = np.stack([ends * labels, sign * (3.0 * labels - 0.5), np.zeros(n)], axis=1)
        return Domain((said + rng.normal(size=(n, 3))).astype(np.float32), labels, ("no", "yes"), name)

    return Task(draw("source", 1), draw("target", -1), target_test=draw("target test", -1))


def test_solves_a_feature_that_says_the_opposite() -> None:
    assert gain("stationary-subspace", turned_over()) > 0.3


def test_sides_that_are_alike_lose_nothing() -> None:
    task = other_proportions([0.5, 0.5], [0.5, 0.5], n=400)
    assert accuracy("stationary-subspace", task) == pytest.approx(accuracy("kernel-logistic", task), abs=0.02)
