"""Pivots, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.metrics.pivots import is_content_word, pivots, surest_half


def test_counts_by_answer_and_settles_who_gets_a_word_of_both() -> None:
    words = ["great"] * 6 + ["great"] * 2 + ["poor"] * 5 + ["works"] * 5 + ["works"] * 5 + ["rare"] * 4 + [None] * 9
    answers = [1] * 6 + [0] * 2 + [0] * 5 + [0] * 5 + [1] * 5 + [1] * 4 + [0] * 9
    assert pivots(words, answers, 2) == [[("poor", 5), ("works", 5)], [("great", 6)]]


def test_a_word_goes_to_the_class_that_has_it_more_often_even_if_a_later_one() -> None:
    words, answers = ["price"] * 12, [0] * 5 + [2] * 7
    assert pivots(words, answers, 3) == [[], [], [("price", 7)]]


def test_limits() -> None:
    words = [f"word{letter}" for letter in "abc" for _ in range(2)]
    assert pivots(words, [0] * 6, 1, least=3) == [[]]
    assert pivots(words, [0] * 6, 1, least=2, most=2) == [[("worda", 2), ("wordb", 2)]]


@pytest.mark.parametrize("word", ["not", "never", "the", "don't", "it's", "!", "x", "🙂"])
def test_what_cannot_carry_a_meaning_is_left_out(word: str) -> None:
    assert not is_content_word(word)
    assert pivots([word] * 9, [0] * 9, 1) == [[]]


@pytest.mark.parametrize("word", ["great", "returned", "хорошо", "不错"])
def test_other_words_stay(word: str) -> None:
    assert is_content_word(word)


def test_the_surest_half_of_each_answer() -> None:
    confidence = np.array([0.5, 0.9, 0.7, 0.8, 0.55, 0.51])
    assert surest_half(confidence, np.array([0, 0, 0, 0, 1, 1])).tolist() == [False, True, False, True, True, False]
    assert surest_half(np.array([0.5, 0.5]), np.zeros(2)).tolist() == [True, True]
    assert surest_half(np.zeros(0), np.zeros(0)).tolist() == []
