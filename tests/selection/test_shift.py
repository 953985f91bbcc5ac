"""What a remedy leaves of a shift, by whichever tests saw it."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.selection.shift import FourTests, Remedy, what_is_left
from acclimate.selection.two_sample import ToldApart


def four(accuracy: float, p: float, kernel: float, columns: float | None, answers: float | None) -> FourTests:
    return FourTests(ToldApart(accuracy, p, 0.55, np.zeros(0)), 0.0, kernel, columns, answers)


def test_where_the_classifier_saw_it_its_accuracy_above_chance_counts() -> None:
    first = four(0.9, 0.001, 0.001, 1e-9, 1e-9)
    assert what_is_left(first, four(0.6, 0.001, 0.3, None, None)) == pytest.approx(0.25)
    assert what_is_left(first, four(0.4, 0.9, 0.9, None, None)) == 0


@pytest.mark.parametrize(("columns", "left"), [(1e-6, 1), (None, 1), (0.5, 0)])
def test_where_columns_alone_saw_it_they_have_to_fall_silent(columns: float | None, left: float) -> None:
    """The classifier is at chance before and after: that it is so afterwards explains nothing."""
    first = four(0.5, 0.6, 0.7, 1e-6, 0.3)
    assert first.found
    assert what_is_left(first, four(0.49, 0.8, 0.7, columns, 0.01)) == left


def test_half_of_it_explains_only_what_may_be_chance() -> None:
    seen, silent = four(0.6, 0.001, 0.001, None, None), four(0.6, 0.2, 0.2, None, None)
    assert [Remedy("scale", test, (50, 50), 0.4).explains for test in (seen, silent)] == [False, True]
    assert Remedy("scale", seen, (50, 50), 0.2).explains


def test_p_values_are_multiplied_by_their_number() -> None:
    assert four(0.6, 0.02, 0.5, 0.5, 0.5).p == pytest.approx(0.08)
    assert four(0.6, 0.02, 0.5, None, None).p == pytest.approx(0.04)
    assert four(0.5, 0.9, 0.9, None, None).p == 1
