"""A memory of n-grams: which ones a text has, how much each is attended to, and what it says."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, normalize

from acclimate.data.text import SENTENCE_END
from acclimate.networks.memory import count_words
from acclimate.networks.ngrams import NGramCounts, by_size, ngrams, to_words
from acclimate.types import Explanation

# Words of the longest opening: a first sentence that has no end, as in a list of words, is no headline.
OPENING = 30


class NGramBlock(nn.Module):
    """What the n-grams of a text say on j questions; all zeros before it is fitted.

        z_j = Σ_g a_jg w_jg,   a_jg = r_jg / ‖r_j‖₂ over the text's different n-grams g

    Args:
        vocabulary: how many numbers of words there are.
        most: m, room for so many n-grams.
        longest: words of the longest n-grams.
        questions: j.

    Attributes:
        ratios: r `(j, m)`, how much an n-gram is attended to, and for which answer.
        values: w `(j, m)`.
    """

    ratios: Tensor
    values: Tensor

    def __init__(self, vocabulary: int, most: int, longest: int, questions: int) -> None:
        super().__init__()
        self.counts = NGramCounts(vocabulary, most, longest)
        self.register_buffer("ratios", torch.zeros(questions, most))
        self.register_buffer("values", torch.zeros(questions, most))

    def forward(self, numbers: Tensor) -> Tensor:
        """Answers z `(b, j)` from numbers of words `(b, n)`."""
        places, _ = self.counts.found(numbers)
        rows, columns = places // self.ratios.shape[1], places % self.ratios.shape[1]
        said = self.ratios[:, columns] * self.values[:, columns]
        sums = said.new_zeros(len(said), len(numbers)).index_add(1, rows, said)
        return (sums / self._lengths(rows, columns, len(numbers))).T

    def _lengths(self, rows: Tensor, columns: Tensor, texts: int) -> Tensor:
        """‖r‖ `(j, b)` over each text's different n-grams; 1 where there are none."""
        squares = self.ratios[:, columns].square()
        sums = squares.new_zeros(len(squares), texts).index_add(1, rows, squares)
        return torch.where(sums > 0, sums, 1).sqrt()

    def spread(self, numbers: Tensor) -> Tensor:
        """What each word's n-grams add to z, `(b, n, j)`; an n-gram's part goes to its words in equal shares."""
        rows, keys, starts = ngrams(numbers, self.counts.vocabulary, self.counts.longest)
        columns, known = self.counts.columns(keys)
        places = rows * self.ratios.shape[1] + columns
        different, which, times = torch.unique(places[known], return_inverse=True, return_counts=True)
        lengths = self._lengths(different // self.ratios.shape[1], different % self.ratios.shape[1], len(numbers))
        said = (self.ratios * self.values)[:, columns] * known
        parts = said / lengths[:, rows]
        parts[:, known] /= times[which]
        return to_words(parts.T, starts, numbers.shape)


class NGramReader(nn.Module):
    """Texts as what their n-grams say, those of the opening and of words' beginnings too, and means of word vectors.

    The opening is the first sentence, of 30 words at most: the headline, where texts have one. A beginning is a
    word's first letters: “disappointing” and “disappointed” share theirs.

    Args:
        vocabulary: how many numbers of words there are.
        widths: d_1, d_2, …, numbers for each word in each kind of vectors.
        most: room for so many n-grams of the whole text, as many of beginnings, and a quarter of that of the opening.
        questions: j.
        letters: how long beginnings are.

    Attributes:
        words: `(vocabulary, d)`, d = Σ d_i, each word's vectors side by side, times its weight in the mean.
        stems: `(vocabulary,)`, for each word the number of the first one with the same beginning.
    """

    words: Tensor
    stems: Tensor

    def __init__(self, vocabulary: int, widths: tuple[int, ...], most: int, questions: int, letters: int = 4) -> None:
        super().__init__()
        self.widths, self.letters = widths, letters
        self.whole = NGramBlock(vocabulary, most, 3, questions)
        self.opening = NGramBlock(vocabulary, max(1, most // 4), 2, questions)
        self.beginnings = NGramBlock(vocabulary, most, 3, questions)
        self.register_buffer("words", torch.zeros(vocabulary, sum(widths)))
        self.register_buffer("stems", torch.arange(vocabulary))

    def know_words(self, words: Sequence[str]) -> None:
        """Find the words that begin alike; word i has the number i + 2."""
        first: dict[str, int] = {}
        stems = [first.setdefault(word[: self.letters], number) for number, word in enumerate(words, start=2)]
        self.stems[2:] = torch.tensor(stems)

    def forward(self, numbers: Tensor) -> Tensor:
        """Answers z and the mean vectors, each kind of length 1, `(b, j + d)`, from numbers of words `(b, n)`."""
        said = self.whole(numbers) + self.opening(opening(numbers)) + self.beginnings(self.begun(numbers))
        return torch.cat([said, self.mean_vectors(numbers)], dim=1)

    def begun(self, numbers: Tensor) -> Tensor:
        """Numbers of words `(b, n)` as those of their beginnings."""
        return self.stems[numbers].to(numbers.dtype)

    def mean_vectors(self, numbers: Tensor) -> Tensor:
        """The second part of the features alone, `(b, d)`."""
        return torch.cat(
            [normalize(part) for part in torch.split(self._sums(numbers), list(self.widths), dim=1)], dim=1
        )

    def _sums(self, numbers: Tensor) -> Tensor:
        counts, different = count_words(numbers)
        return counts.to(self.words.dtype) @ self.words[different]

    def explain(self, numbers: Tensor, weight: Tensor) -> Explanation:
        """What each word adds to logits W f + b, f being the features; a word's weight is the size of its part.

        Args:
            numbers: numbers of words `(b, n)`.
            weight: W `(k, j + d)`.
        """
        said = self.whole.spread(numbers) + self.beginnings.spread(self.begun(numbers))
        first = opening(numbers)
        said[:, : first.shape[1]] += self.opening.spread(first)
        questions = said.shape[2]
        parts = said @ weight[:, :questions].T
        kinds = (
            torch.split(x, list(self.widths), dim=1) for x in (self.words, weight[:, questions:], self._sums(numbers))
        )
        for words, on_mean, sums in zip(*kinds, strict=True):
            lengths = sums.norm(dim=1).clamp(min=1e-12)
            parts = parts + embedding(numbers, words @ on_mean.T) / lengths[:, None, None]
        return by_size(parts)


def opening(numbers: Tensor) -> Tensor:
    """The words before the first end of a sentence, `(b, at most 30)`; 0 after it."""
    numbers = numbers[:, :OPENING]
    before = (numbers == SENTENCE_END).cumsum(dim=1) == 0
    return torch.where(before, numbers, 0)
