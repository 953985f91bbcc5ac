"""Texts as rows of numbers, for methods that take tables: decided once per run and saved with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from acclimate.data.domain import Domain
from acclimate.data.ragged import Ragged
from acclimate.data.text import TextPreprocess
from acclimate.errors import DataError, UnknownNameError
from acclimate.networks.ngrams import count_ngrams, most_frequent
from acclimate.networks.tfidf import TfIdf

KINDS = ("tfidf",)
MOST_TERMS = 5_000
_BATCH = 256


class TfidfFeatures(TextPreprocess):
    """Texts become weights of the m words and pairs of words that most texts of both sides have, in rows of length 1.

        x = tf · idf / ‖tf · idf‖₂,    tf = 1 + log c,    idf = 1 + log((1 + n) / (1 + n_w))

    with c how often a text has the term, n the texts of both sides and n_w those that have it; no label plays a part.
    Stored, a text stays the numbers of its words: rows of m numbers are a batch's alone.

    Attributes:
        terms: keys `(m,)` of the terms (`networks.ngrams`), rising.
        idf: `(m,)`.
    """

    terms: tuple[int, ...] = Field(min_length=1)
    idf: tuple[float, ...]

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.terms) != len(self.idf) or any(a >= b for a, b in zip(self.terms, self.terms[1:], strict=False)):
            raise ValueError("must have rising terms, and an idf for each")
        return self

    @classmethod
    def of_numbers(cls, words: TextPreprocess, domains: Sequence[Domain], most: int = MOST_TERMS) -> TfidfFeatures:
        """Decide for domains of texts, which `words` reads.

        Raises:
            DataError: if they have no known word.
        """
        keys, counts = most_frequent(*count_ngrams(_numbers(words, domains), words.channels), most)
        if not len(keys):
            raise DataError(
                "source and target", "must have known words", "none in any text", "Give texts with words."
            )
        idf = 1 + np.log((1 + counts.shape[0]) / (1 + np.bincount(counts.indices, minlength=len(keys))))
        return cls(**words.model_dump(), terms=tuple(keys.tolist()), idf=tuple(idf.tolist()))

    @property
    def inputs(self) -> int:
        """What a network is built for: m."""
        return len(self.terms)

    @cached_property
    def network(self) -> TfIdf:
        """What makes rows of numbers of words."""
        made = TfIdf(self.channels, self.inputs)
        made.know(np.asarray(self.terms), np.asarray(self.idf))
        return made

    def batch(self, rows: np.ndarray | Ragged, generator: torch.Generator | None) -> Tensor:
        """Rows `(b, m)` from stored texts; words are left out as the options say where there is a generator."""
        with torch.no_grad():
            made: Tensor = self.network(super().batch(rows, generator).long())
        return made


def _numbers(words: TextPreprocess, domains: Sequence[Domain]) -> Iterator[Tensor]:
    """Numbers of words `(b, n)` of all texts."""
    for domain in domains:
        rows = words.fit(domain).inputs
        for start in range(0, len(rows), _BATCH):
            yield TextPreprocess.batch(words, rows[start : start + _BATCH], None)


def text_features(kind: str, words: TextPreprocess, domains: Sequence[Domain]) -> TextPreprocess:
    """The features of that kind, decided for domains of texts.

    Raises:
        UnknownNameError: if there is no such kind.
        DataError: if the texts allow none.
    """
    if kind not in KINDS:
        raise UnknownNameError("text_features", kind, KINDS)
    return TfidfFeatures.of_numbers(words, domains)
