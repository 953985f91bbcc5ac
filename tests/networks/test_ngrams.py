"""Counts of unigrams and bigrams, against Python's own."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.networks.ngrams import NO_KEY, NGramCounts, count_ngrams, most_frequent

VOCABULARY = 6
TEXTS = st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=9), min_size=1, max_size=6)


def padded(texts: list[list[int]]) -> torch.Tensor:
    width = max(1, *map(len, texts)) if len(texts) > 1 else max(1, len(texts[0]))
    return torch.tensor([text + [0] * (width - len(text)) for text in texts])


def counted(text: list[int]) -> Counter[tuple[int, ...]]:
    """Unigrams and bigrams of words from number 2 on, one by one."""
    found: Counter[tuple[int, ...]] = Counter()
    for place, word in enumerate(text):
        if word < 2:
            continue
        found[(word,)] += 1
        if place + 1 < len(text) and text[place + 1] >= 2:
            found[(word, text[place + 1])] += 1
    return found


def key(gram: tuple[int, ...]) -> int:
    return gram[0] if len(gram) == 1 else gram[0] * VOCABULARY + gram[1]


@given(TEXTS)
def test_counts_are_those_of_a_loop(texts: list[list[int]]) -> None:
    expected = [counted(text) for text in texts]
    grams = sorted({gram for found in expected for gram in found}, key=key)
    keys, counts = count_ngrams([padded(texts)], VOCABULARY)
    assert keys.tolist() == [key(gram) for gram in grams]
    np.testing.assert_array_equal(counts.toarray(), [[found[gram] for gram in grams] for found in expected])

    module = NGramCounts(VOCABULARY, len(keys) + 3)
    module.know(keys)
    dense = module(padded(texts))
    np.testing.assert_array_equal(dense[:, : len(keys)], counts.toarray())
    assert not dense[:, len(keys) :].any()
    assert dense.dtype == torch.float32


@given(TEXTS, st.integers(1, 12))
def test_what_the_most_texts_have_is_kept_the_lower_key_first(texts: list[list[int]], most: int) -> None:
    have = Counter(gram for text in texts for gram in counted(text))
    expected = sorted(sorted(have, key=lambda gram: (-have[gram], key(gram)))[:most], key=key)
    keys, counts = most_frequent(*count_ngrams([padded(texts)], VOCABULARY), most)
    assert keys.tolist() == [key(gram) for gram in expected]
    np.testing.assert_array_equal(counts.toarray(), [[counted(text)[gram] for gram in expected] for text in texts])


def test_batches_are_counted_as_one() -> None:
    texts = [[2, 3, 3], [1], [], [5, 5, 5, 2]]
    whole, parts = (
        count_ngrams([padded(texts)], VOCABULARY),
        count_ngrams([padded(texts[:1]), padded(texts[1:])], VOCABULARY),
    )
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_array_equal(whole[1].toarray(), parts[1].toarray())


def test_neither_padding_nor_unknown_words_make_a_pair() -> None:
    keys, _ = count_ngrams([torch.tensor([[2, 0, 3], [4, 1, 5]])], VOCABULARY)
    assert keys.tolist() == [2, 3, 4, 5]


def test_what_is_not_known_is_not_counted() -> None:
    module = NGramCounts(VOCABULARY, 2)
    assert not module(torch.tensor([[2, 3]])).any()
    assert module.keys.tolist() == [NO_KEY, NO_KEY]
    module.know(np.array([3]))
    assert module(torch.tensor([[2, 3, 3], [0, 0, 0]])).tolist() == [[2, 0], [0, 0]]


def test_keys_are_kept_with_the_weights() -> None:
    module, other = NGramCounts(VOCABULARY, 2), NGramCounts(VOCABULARY, 2)
    module.know(np.array([3]))
    other.load_state_dict(module.state_dict())
    assert other(torch.tensor([[3]])).tolist() == [[1, 0]]


@pytest.mark.parametrize("width", [1, 2])
def test_the_shortest_batches_pass(width: int) -> None:
    module = NGramCounts(VOCABULARY, 1)
    module.know(np.array([2]))
    assert module(torch.full((1, width), 2)).tolist() == [[width]]
