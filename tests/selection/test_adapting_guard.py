"""The guard of adapting while answering: what it lets pass, and what not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.selection.guard import LEAST, Guard, Order


def probabilities(answers: np.ndarray, sure: float, k: int = 5) -> np.ndarray:
    """Of a model that gives these answers, each with probability `sure`."""
    p = np.full((len(answers), k), (1 - sure) / (k - 1))
    p[np.arange(len(answers)), answers] = sure
    return p


def changed(answers: np.ndarray, share: float, k: int = 5) -> np.ndarray:
    """The answers, the first of them by that share moved on to the next class."""
    return np.where(np.arange(len(answers)) < share * len(answers), (answers + 1) % k, answers)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=300), st.floats(0.3, 1), st.floats(0, 1))
def test_answers_that_stay_are_never_at_fault(answers: list[int], sure: float, allowed: float) -> None:
    found = np.array(answers)
    assert Guard(allowed).look(probabilities(found, sure), found) is None


@pytest.mark.parametrize(("share", "allowed", "fault"), [
    (0.1, 0.35, False), (0.4, 0.35, False), (0.6, 0.35, True), (0.6, 0.8, False), (0.1, 0.0, True), (1.0, 1.0, False),
])  # fmt: skip
def test_as_many_right_answers_may_be_lost_as_are_allowed(share: float, allowed: float, fault: bool) -> None:
    answers = np.tile(np.arange(5), 40)
    said = Guard(allowed).look(probabilities(answers, 0.9), changed(answers, share))
    assert (said is not None) == fault
    if fault:
        expected, lost = 200 * 0.9, 200 * share * (0.9 - 0.025)
        assert f"expects {expected:.0f} to be right and {lost:.0f} of those to be lost" in str(said)


def test_a_few_examples_are_too_few_and_old_ones_are_forgotten() -> None:
    guard, answers = Guard(0.35), np.tile(np.arange(5), 200)
    p, all_changed = probabilities(answers, 0.9), changed(answers, 1.0)
    assert guard.look(p[: LEAST - 1], all_changed[: LEAST - 1]) is None
    assert guard.look(p[:1], all_changed[:1]) is not None
    assert guard.look(p, answers) is None


def test_answers_that_fall_together_are_a_fault_where_the_models_own_are_spread() -> None:
    """Also where that model is so unsure of itself that nothing is lost by its probabilities."""
    answers = np.tile(np.arange(5), 40)
    said = Guard(0.35).look(probabilities(answers, 0.21), np.zeros(200, dtype=int))
    assert "spread as over 1.0 classes, those of the model as it is as over 5.0" in str(said)
    few = np.tile([0, 1], 100)  # a stream that holds two of five classes at a time
    assert Guard(0.35).look(probabilities(few, 0.21), np.zeros(200, dtype=int)) is None


def drawn(classes: list[int], n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(classes, n)


def test_mixed_streams_are_in_no_order_however_uneven_their_classes() -> None:
    for seed in range(50):
        order, p = Order(6), np.random.default_rng(seed).dirichlet([0.3] * 6)
        for batch in np.random.default_rng(seed).choice(6, (100, 32), p=p):
            assert order.look(batch) is None


def test_classes_after_classes_are_an_order_as_soon_as_another_comes() -> None:
    order = Order(6)
    for seed in range(4):
        assert order.look(drawn([0, 1], 32, seed)) is None, "there is nothing yet to hold it against"
    assert order.look(drawn([2, 3], 32, 4)) is not None


def test_the_chance_is_that_of_the_likelihood_ratio() -> None:
    from scipy.stats import chi2_contingency

    from acclimate.selection.guard import _chance

    counts = np.array([[30, 50, 9, 0], [14, 20, 20, 10]])
    expected = chi2_contingency(counts, correction=False, lambda_="log-likelihood").pvalue
    np.testing.assert_allclose(_chance(counts), expected, rtol=1e-9)
