"""BBSE: proportions that moved are found, and the answers follow."""

from __future__ import annotations

from acclimate.data.synthetic import other_proportions
from shifts import accuracy, gain, other_shares


def test_solves_other_proportions() -> None:
    assert gain("bbse", other_shares()) > 0.08


def test_proportions_that_stayed_change_little() -> None:
    task = other_proportions([0.3, 0.4, 0.3], [0.3, 0.4, 0.3], n=600)
    assert abs(accuracy("bbse", task) - accuracy("kernel-logistic", task)) < 0.02
