"""Words and pairs of neighbouring words, counted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from torch import Tensor, nn

from acclimate.data.text import UNKNOWN

# Fills up the keys where there are fewer than there is room for; no unigram or bigram has it.
NO_KEY = torch.iinfo(torch.int64).max


class NGramCounts(nn.Module):
    """How often a text has each of m known unigrams and bigrams, which `know` sets; none before.

    The key of a unigram is the number of its word; that of a bigram (u, v) is u · vocabulary + v, which no unigram
    has, as u is 2 or more. Padding and unknown words are part of neither.

    Args:
        vocabulary: how many numbers of words there are, padding and the unknown word included.
        most: m, room for so many.

    Attributes:
        keys: `(m,)` int64, rising, filled up with `NO_KEY`.
    """

    keys: Tensor

    def __init__(self, vocabulary: int, most: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.register_buffer("keys", torch.full((most,), NO_KEY))

    def know(self, keys: np.ndarray) -> None:
        """Count those with the keys `(t,)`, which rise; t is at most m."""
        self.keys.fill_(NO_KEY)
        self.keys[: len(keys)] = torch.from_numpy(keys)

    def forward(self, numbers: Tensor) -> Tensor:
        """Counts `(b, m)` as float32 from numbers of words `(b, n)`."""
        places, counts = self.found(numbers)
        dense = counts.new_zeros(len(numbers) * len(self.keys))
        return dense.index_put((places,), counts).view(len(numbers), -1)

    def found(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Where the counts `(b, m)` are not 0, as places `(t,)` in the rows laid end to end, and the counts."""
        rows, keys = ngrams(numbers, self.vocabulary)
        columns = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        known = self.keys[columns] == keys
        places, counts = torch.unique(rows[known] * len(self.keys) + columns[known], return_counts=True)
        return places, counts.float()


def ngrams(numbers: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Every unigram and bigram of a batch of texts, as often as it occurs.

    Args:
        numbers: numbers of words `(b, n)`; 0 is padding, 1 an unknown word.
        vocabulary: how many numbers there are.

    Returns:
        The row `(t,)` and the key `(t,)` of each; see `NGramCounts`.
    """
    known = numbers > UNKNOWN
    pairs = known[:, :-1] & known[:, 1:]
    unigrams, bigrams = numbers, numbers[:, :-1] * vocabulary + numbers[:, 1:]
    rows = torch.cat([known.nonzero()[:, 0], pairs.nonzero()[:, 0]])
    return rows, torch.cat([unigrams[known], bigrams[pairs]])


def count_ngrams(batches: Iterable[Tensor], vocabulary: int) -> tuple[np.ndarray, csr_array]:
    """Counts of every unigram and bigram that texts have.

    Args:
        batches: numbers of words `(b, n)` each.
        vocabulary: how many numbers there are.

    Returns:
        Keys `(t,)`, rising, and counts `(texts, t)`.
    """
    rows, keys, texts = [], [], 0
    for numbers in batches:
        row, key = ngrams(numbers, vocabulary)
        rows.append(row.cpu().numpy() + texts)
        keys.append(key.cpu().numpy())
        texts += len(numbers)
    different, columns = np.unique(np.concatenate(keys), return_inverse=True)
    places = np.concatenate(rows), columns
    counts = coo_array((np.ones(len(columns)), places), shape=(texts, len(different)))
    return different, counts.tocsr()  # which adds up what stands in one place


def most_frequent(keys: np.ndarray, counts: csr_array, most: int) -> tuple[np.ndarray, csr_array]:
    """Of `count_ngrams`' answer, what the most texts have; where equally many have two, the lower key goes first."""
    texts = np.bincount(counts.indices, minlength=len(keys))
    kept = np.sort(np.lexsort((keys, -texts))[:most])
    return keys[kept], counts[:, kept]
