"""Words and runs of neighbouring words, counted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from torch import Tensor, nn

from acclimate.data.text import UNKNOWN
from acclimate.types import Explanation

# Fills up the keys where there are fewer than there is room for; no unigram or bigram has it.
NO_KEY = torch.iinfo(torch.int64).max


class NGramCounts(nn.Module):
    """How often a text has each of m known n-grams, which `know` sets; none before.

    The key of a unigram is the number of its word; that of a bigram (u, v) is u · vocabulary + v, and so on. No two
    n-grams share one, as the numbers of words are 2 or more. Padding and unknown words are part of none.

    Args:
        vocabulary: how many numbers of words there are, padding and the unknown word included.
        most: m, room for so many.
        longest: words of the longest n-grams, 1 to 3.

    Attributes:
        keys: `(m,)` int64, rising, filled up with `NO_KEY`.
    """

    keys: Tensor

    def __init__(self, vocabulary: int, most: int, longest: int = 2) -> None:
        super().__init__()
        self.vocabulary, self.longest = vocabulary, longest
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
        rows, keys, _ = ngrams(numbers, self.vocabulary, self.longest)
        columns, known = self.columns(keys)
        places, counts = torch.unique(rows[known] * len(self.keys) + columns[known], return_counts=True)
        return places, counts.float()

    def columns(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Which of the m each key `(t,)` is, and whether it is one at all."""
        columns = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        return columns, self.keys[columns] == keys


def ngrams(numbers: Tensor, vocabulary: int, longest: int = 2) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Every n-gram of a batch of texts, as often as it occurs: first unigrams, then bigrams, and so on.

    Args:
        numbers: numbers of words `(b, n)`; 0 is padding, 1 an unknown word.
        vocabulary: how many numbers there are.
        longest: words of the longest.

    Returns:
        The row `(t,)` and the key `(t,)` of each (see `NGramCounts`), and, for each length, where its n-grams begin:
        rows and columns `(t_l, 2)`.
    """
    known, keys = numbers > UNKNOWN, numbers
    parts, starts = [keys[known]], [known.nonzero()]
    for length in range(2, longest + 1):
        last = numbers[:, length - 1 :]
        known = known[:, : last.shape[1]] & (last > UNKNOWN)
        keys = keys[:, : last.shape[1]] * vocabulary + last
        parts.append(keys[known])
        starts.append(known.nonzero())
    return torch.cat([start[:, 0] for start in starts]), torch.cat(parts), starts


def to_words(parts: Tensor, starts: list[Tensor], shape: torch.Size) -> Tensor:
    """Each n-gram's part given to its words in equal shares.

    Args:
        parts: what the n-grams have, `(t, j)`.
        starts: where they begin, as `ngrams` says.
        shape: `(b, n)`, of the numbers of words.

    Returns:
        What the words have, `(b, n, j)`.
    """
    flat = parts.new_zeros(shape.numel(), parts.shape[1])
    done = 0
    for length, begins in enumerate(starts, start=1):
        part = parts[done : done + len(begins)] / length
        first, done = begins[:, 0] * shape[1] + begins[:, 1], done + len(begins)
        for word in range(length):
            flat.index_add_(0, first + word, part)
    return flat.view(*shape, parts.shape[1])


def by_size(parts: Tensor) -> Explanation:
    """What words add to logits `(b, n, k)`, each weighted by the size of its part where that tells answers apart.

        a_i = ‖c_i − mean_k c_i‖₂ / Σ_u ‖c_u − mean_k c_u‖₂

    With two classes whose logits differ in sign alone, that is the share of |c_i|.
    """
    sizes = (parts - parts.mean(dim=2, keepdim=True)).norm(dim=2)
    return Explanation(sizes / sizes.sum(dim=1, keepdim=True).clamp(min=1e-30), parts)


def count_ngrams(batches: Iterable[Tensor], vocabulary: int, longest: int = 2) -> tuple[np.ndarray, csr_array]:
    """Counts of every n-gram that texts have.

    Args:
        batches: numbers of words `(b, n)` each.
        vocabulary: how many numbers there are.
        longest: words of the longest n-grams.

    Returns:
        Keys `(t,)`, rising, and counts `(texts, t)`.
    """
    rows, keys, texts = [], [], 0
    for numbers in batches:
        row, key, _ = ngrams(numbers, vocabulary, longest)
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
