"""What n-grams say, word by word, against loops."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from acclimate.data.text import SENTENCE_END
from acclimate.networks.ngram_memory import OPENING, NGramBlock, NGramReader, opening

VOCABULARY = 12
# 0 is padding, 1 an unknown word, 2 the end of a sentence.
TEXTS = torch.tensor([[3, 4, 2, 3, 4, 5], [5, 1, 6, 0, 0, 0], [0, 0, 0, 0, 0, 0], [3, 3, 3, 2, 0, 0]])


def grams(text: list[int], longest: int) -> list[tuple[int, ...]]:
    found = []
    for length in range(1, longest + 1):
        runs = [tuple(text[i : i + length]) for i in range(len(text) - length + 1)]
        found += [run for run in runs if all(number > 1 for number in run)]
    return found


def key(gram: tuple[int, ...]) -> int:
    number = 0
    for word in gram:
        number = number * VOCABULARY + word
    return number


def fitted(longest: int, questions: int) -> tuple[NGramBlock, dict[tuple[int, ...], int]]:
    torch.manual_seed(longest)
    block = NGramBlock(VOCABULARY, 40, longest, questions).double()
    every = sorted({gram for text in TEXTS.tolist() for gram in grams(text, longest)}, key=key)
    kept = every[::2] + every[1:4:2]  # some n-grams stay unknown
    kept = sorted(set(kept), key=key)
    block.counts.know(np.array([key(gram) for gram in kept]))
    block.ratios[:, : len(kept)] = torch.randn(questions, len(kept), dtype=torch.double)
    block.values[:, : len(kept)] = torch.randn(questions, len(kept), dtype=torch.double)
    return block, {gram: column for column, gram in enumerate(kept)}


def by_loops(block: NGramBlock, columns: dict[tuple[int, ...], int], text: list[int]) -> tuple[Tensor, Tensor]:
    """z `(j,)`, and each word's part of it `(n, j)`."""
    longest, questions = block.counts.longest, len(block.ratios)
    there = [gram for gram in grams(text, longest) if gram in columns]
    different = sorted(set(there))
    parts = torch.zeros(len(text), questions, dtype=torch.double)
    z = torch.zeros(questions, dtype=torch.double)
    for j in range(questions):
        norm = sum(block.ratios[j, columns[gram]] ** 2 for gram in different) ** 0.5
        for gram in different:
            said = block.ratios[j, columns[gram]] / norm * block.values[j, columns[gram]]
            z[j] += said
            places = [i for i in range(len(text)) if tuple(text[i : i + len(gram)]) == gram]
            for place in places:
                for word in range(len(gram)):
                    parts[place + word, j] += said / len(places) / len(gram)
    return z, parts


def test_a_block_reads_and_tells_as_loops_do() -> None:
    for longest in (1, 2, 3):
        for questions in (1, 3):
            block, columns = fitted(longest, questions)
            answers, spread = block(TEXTS), block.spread(TEXTS)
            for row, text in enumerate(TEXTS.tolist()):
                z, parts = by_loops(block, columns, text)
                torch.testing.assert_close(answers[row], z)
                torch.testing.assert_close(spread[row], parts)
            torch.testing.assert_close(spread.sum(dim=1), answers)


def test_the_opening_is_the_first_sentence() -> None:
    assert opening(TEXTS).tolist() == [[3, 4, 0, 0, 0, 0], [5, 1, 6, 0, 0, 0], [0] * 6, [3, 3, 3, 0, 0, 0]]
    assert opening(torch.full((1, 90), 3)).shape == (1, OPENING)
    assert SENTENCE_END == 2


def reader() -> NGramReader:
    torch.manual_seed(0)
    made = NGramReader(VOCABULARY, (3, 1), 40, 2).double()
    for block, longest in ((made.whole, 3), (made.opening, 2), (made.beginnings, 3)):
        other, columns = fitted(longest, 2)
        block.counts.know(other.counts.keys[: len(columns)].numpy()[: len(block.counts.keys)])
        size = min(len(columns), block.ratios.shape[1])
        block.ratios[:, :size], block.values[:, :size] = other.ratios[:, :size], other.values[:, :size]
    made.words.copy_(torch.randn(VOCABULARY, 4, dtype=torch.double))
    made.words[:2] = 0
    return made


def test_features_are_answers_and_means_of_length_one() -> None:
    made = reader()
    features = made(TEXTS)
    assert features.shape == (4, 6)
    sums = torch.stack([made.words[text].sum(dim=0) for text in TEXTS])
    torch.testing.assert_close(features[0, 2:5], sums[0, :3] / sums[0, :3].norm())
    assert features[0, 5] == sums[0, 3].sign()
    assert not features[2].any()  # a text without words


def test_an_explanation_adds_up_to_the_logits() -> None:
    made = reader()
    weight = torch.randn(3, 6, dtype=torch.double)
    found = made.explain(TEXTS, weight)
    torch.testing.assert_close(found.contributions.sum(dim=1), made(TEXTS) @ weight.T)
    torch.testing.assert_close(found.weights.sum(dim=1), torch.tensor([1.0, 1, 0, 1], dtype=torch.double))
    assert not found.weights[TEXTS == 0].any()


def test_words_that_begin_alike_are_one() -> None:
    made = NGramReader(8, (1,), 4, 1, letters=3)
    torch.testing.assert_close(made.begun(TEXTS), TEXTS)
    made.know_words([".", "bore", "bored", "bo", "boring", "bold"])
    assert made.stems.tolist() == [0, 1, 2, 3, 3, 5, 3, 7]
