"""From texts to numbers of words: decided once per run, saved with it, replayed by every prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import repeat
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from acclimate.data.domain import Domain
from acclimate.data.ragged import Ragged, to_texts
from acclimate.data.words import vocabulary, words
from acclimate.errors import DataError

PADDING, UNKNOWN = 0, 1
# Signs come first in a vocabulary. Where a full stop is read as a word, it is the first of them and always there.
SENTENCE_END = 2


class TextPreprocess(BaseModel):
    """How texts become batches of word numbers.

    Number 0 fills up short texts, 1 stands for words outside the vocabulary, the words themselves follow in order.

    Attributes:
        kind: `"text"`.
        vocabulary: the words, separated by blanks.
        limit: words of a text that are read; what comes after them is not.
        signs: those that count as words. They come first in the vocabulary, in this order; a full stop is always
            there.
        dropout: chance of each word to be left out of a text whenever that is trained on; then there are other texts
            in every epoch, and none hangs on one word (Iyyer, Manjunatha, Boyd-Graber & Daumé III, ACL 2015).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["text"] = "text"
    vocabulary: str
    limit: int = 500
    signs: str = "!"
    dropout: float = 0.0

    @classmethod
    def of_texts(
        cls,
        domains: Sequence[Domain],
        *,
        least: int = 2,
        most: int = 50_000,
        limit: int = 500,
        signs: str = "!",
        dropout: float = 0.0,
    ) -> TextPreprocess:
        """Decide for domains of texts: their words that occur `least` times or more, the `most` frequent.

        Args:
            domains: the training domains, and no other: a word that only occurs in a test set stays unknown.
            least: occurrences over all domains.
            most: words at most.
            limit: see the class.
            signs: likewise.
            dropout: likewise.

        Raises:
            DataError: if no word occurs so often.
        """
        documents = (words(text, signs) for domain in domains for text in to_texts(domain.rows))
        known = vocabulary(documents, least=least, most=most)
        if not known:
            raise DataError(
                " and ".join(domain.name for domain in domains),
                f"must have words that occur {least} times or more",
                "none",
                "Give more texts, or check that they are texts of words.",
            )
        # The end of a sentence has its number even where no text has one.
        first = [sign for sign in signs if sign == "." or sign in known]
        rest = [word for word in known if word not in first]
        return cls(vocabulary=" ".join([*first, *rest]), limit=limit, signs=signs, dropout=dropout)

    def of(self, role: str) -> TextPreprocess:
        """The same for every role."""
        return self

    @property
    def inputs(self) -> int:
        """What a network is built for: the same."""
        return self.channels

    @property
    def channels(self) -> int:
        """How many numbers there are: the vocabulary, padding and the unknown word."""
        return len(self.words) + 2

    @property
    def size(self) -> int:
        """0: texts have no side in pixels."""
        return 0

    @property
    def rank(self) -> int:
        """0: texts have no row space."""
        return 0

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The vocabulary; word i has the number i + 2."""
        return tuple(self.vocabulary.split(" "))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, start=2)}

    def read(self, text: str) -> list[str]:
        """The words of a text that a network sees, unknown ones included."""
        return words(text, self.signs)[: self.limit]

    def fit(self, domain: Domain) -> Domain:
        """The domain with its texts as numbers of words.

        Raises:
            DataError: if it holds no texts.
        """
        if domain.kind != "text":
            raise DataError(
                domain.name,
                "must hold texts, as in training",
                domain.kind,
                "Give data of the same kind as the source.",
            )
        if domain.rows.dtype != np.uint8:  # in stored form already
            return domain
        numbers = (self._numbers_of(text) for text in to_texts(domain.rows))
        return replace(domain, inputs=Ragged.of(numbers, np.int32))

    def notes(self, *domains: Domain) -> list[str]:
        """What the user should know of how domains of texts are read, in plain sentences."""
        longer = {domain.name: self._longer(domain) for domain in domains if domain.kind == "text"}
        told = [f"{count:,} of {name}" for name, count in longer.items() if count]
        return [f"Of long texts the first {self.limit:,} words are read: {', '.join(told)}."] if told else []

    def _longer(self, domain: Domain) -> int:
        """How many texts have more words than are read."""
        if domain.rows.dtype != np.uint8:
            return 0
        # Three bytes are four words at most: U+FDFA, an Arabic formula in one character.
        candidates = domain.rows[4 * domain.rows.lengths > 3 * self.limit]
        return sum(len(words(text, self.signs)) > self.limit for text in to_texts(candidates))

    def _numbers_of(self, text: str) -> np.ndarray:
        read = self.read(text)
        return np.fromiter(map(self._numbers.get, read, repeat(UNKNOWN)), dtype=np.int32, count=len(read))

    def batch(self, rows: np.ndarray | Ragged, generator: torch.Generator | None) -> Tensor:
        """Numbers of words `(b, n)` from stored texts, filled up with 0; all words if there is no generator."""
        assert isinstance(rows, Ragged)
        if generator is not None and self.dropout:
            rows = rows.keeping((torch.rand(len(rows.values), generator=generator) >= self.dropout).numpy())
        return torch.from_numpy(rows.padded(self.limit))
