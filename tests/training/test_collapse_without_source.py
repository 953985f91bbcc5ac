"""Answers that collapse where there is no source to tell how they should be spread."""

from __future__ import annotations

import numpy as np

from acclimate.training.collapse import narrower

CLASSES = ("a", "b", "c", "d")


def test_answers_drawn_together_on_one_class_are_noticed() -> None:
    before = np.arange(40) % 4
    after = np.where(np.arange(40) < 36, 2, before)
    found = narrower(7, before, after, CLASSES)
    assert found is not None
    assert found.kind == "class-collapse"
    assert "“c” is 92.5 % of them (25.0 % before adaptation)" in found.sentence


def test_answers_as_widely_spread_as_before_or_more_so_are_not() -> None:
    even, uneven = np.arange(40) % 4, np.where(np.arange(40) < 30, 1, np.arange(40) % 4)
    assert narrower(7, even, even, CLASSES) is None
    assert narrower(7, uneven, even, CLASSES) is None
    assert narrower(7, np.zeros(40, int), np.zeros(40, int), CLASSES) is None, "it began so"
