"""Word vectors: trained on texts at hand, or read from a file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: n words.
        matrix: `(n, d)` float32, a row for each.
    """

    words: tuple[str, ...]
    matrix: np.ndarray


def train_word_vectors(documents: Sequence[Sequence[str]], width: int = 300, seed: int = 0) -> WordVectors:
    """word2vec (CBOW) on documents of words."""
    from gensim.models import Word2Vec

    model = Word2Vec(documents, vector_size=width, window=5, min_count=2, workers=1, seed=seed, epochs=5, sg=0)
    return WordVectors(tuple(model.wv.index_to_key), model.wv.vectors.astype(np.float32))


def read_word_vectors(path: Path | str, width: int, wanted: Collection[str]) -> WordVectors:
    """The vectors of wanted words from a file."""
    raise NotImplementedError
