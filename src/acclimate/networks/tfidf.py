"""Texts as TF-IDF: weighted counts of words and of pairs of words."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.networks.ngrams import NGramCounts, by_size, ngrams, to_words
from acclimate.types import Explanation


class TfIdf(nn.Module):
    """Texts as weights of the unigrams and bigrams that they have, scaled to length 1; zeros before it is fitted.

    Args:
        vocabulary: how many numbers of words there are.
        most: m, unigrams and bigrams that there is room for.

    Attributes:
        idf: `(m,)`.
    """

    idf: Tensor

    def __init__(self, vocabulary: int, most: int) -> None:
        super().__init__()
        self.counts = NGramCounts(vocabulary, most)
        self.register_buffer("idf", torch.zeros(most))

    def know(self, keys: np.ndarray, idf: np.ndarray) -> None:
        """Take the terms with the keys `(t,)`, which rise, and their idf `(t,)`; t is at most m."""
        self.counts.know(keys)
        self.idf[: len(keys)] = torch.from_numpy(idf).to(self.idf)

    def forward(self, numbers: Tensor) -> Tensor:
        """Numbers of words `(b, n)` to `(b, m)`."""
        places, counts = self.counts.found(numbers)
        weights = (1 + counts.log()) * self.idf[places % len(self.idf)]
        dense = weights.new_zeros(len(numbers) * len(self.idf)).index_put((places,), weights)
        return F.normalize(dense.view(len(numbers), -1))

    def explain(self, numbers: Tensor, weight: Tensor) -> Explanation:
        """What each word adds to logits W x + b, exactly: half of each pair's W_g x_g goes to either of its words.

        A word or pair that a text has c times has c equal parts.

        Args:
            numbers: numbers of words `(b, n)`.
            weight: W `(k, m)`.
        """
        rows, keys, starts = ngrams(numbers, self.counts.vocabulary)
        columns, known = self.counts.columns(keys)
        rows, columns = rows[known], columns[known]
        different, which, times = torch.unique(
            rows * len(self.idf) + columns, return_inverse=True, return_counts=True
        )
        values = (1 + times.float().log()) * self.idf[different % len(self.idf)]
        squares = values.new_zeros(len(numbers)).index_add(0, different // len(self.idf), values.square())
        parts = values.new_zeros(len(keys), len(weight))
        parts[known] = weight.T[columns] * (values / times)[which, None] / squares[rows, None].sqrt()
        return by_size(to_words(parts, starts, numbers.shape))
