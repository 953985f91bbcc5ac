"""Pivots: the words that a model of texts looks at most, by the class that it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

LEAST = 5
MOST = 30


def pivots(
    words: Sequence[str | None], predicted: Iterable[int], k: int, *, least: int = LEAST, most: int = MOST
) -> list[list[tuple[str, int]]]:
    """How often each word is the most attended one of a text, by the class that the text is answered with.

    Only words that can carry a meaning by themselves count (`is_content_word`), and a word of several classes counts
    for the one that has it most often, the first of them if equally often.

    Source: the rules of Li et al.'s code (AAAI 2018), which also keeps adjectives, adverbs and verbs only; here no
    tagger is asked, so that nouns stay too, and a list of stop words does the rest.

    Args:
        words: the most attended word of each of n texts; None where a text has none.
        predicted: index of each text's answer.
        k: number of classes.
        least: occurrences that a word must have in its class.
        most: words of a class at most.

    Returns:
        For each class (word, count), the most frequent first; equal counts in alphabetical order.
    """
    pairs = zip(words, predicted, strict=True)
    counts = Counter((word, answer) for word, answer in pairs if word is not None and is_content_word(word))
    home: dict[str, int] = {}
    for (word, answer), n in sorted(counts.items(), key=lambda item: item[0][1]):
        if word not in home or n > counts[word, home[word]]:
            home[word] = answer
    rows: list[list[tuple[str, int]]] = [[] for _ in range(k)]
    for word, answer in home.items():
        if counts[word, answer] >= least:
            rows[answer].append((word, counts[word, answer]))
    return [sorted(row, key=lambda pair: (-pair[1], pair[0]))[:most] for row in rows]


def is_content_word(word: str) -> bool:
    """Whether a word is no stop word, no negation or contraction (`don't`), no single letter and no sign."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return len(word) > 1 and word[0].isalpha() and "'" not in word and word not in ENGLISH_STOP_WORDS


def surest_half(confidence: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """`(n,)` bool: of each answer the half of its texts, or a little more, whose confidence is its median or above.

    Of each answer by itself: a model that leans to one would else leave no texts of the others.
    """
    kept = np.zeros(len(confidence), dtype=bool)
    for answer in np.unique(predicted):
        mine = predicted == answer
        kept[mine] = confidence[mine] >= np.median(confidence[mine])
    return kept
