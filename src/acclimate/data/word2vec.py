"""Word vectors trained on the texts at hand."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from acclimate.data.cache import Facts, Rows, content_key, recall
from acclimate.data.word_vectors import WordVectors
from acclimate.errors import MissingExtraError

# Chosen on labelled source texts alone: docs/decisions/0012-word-vectors.md.
_SETTINGS: dict[str, Any] = {
    "sg": 0,
    "window": 5,
    "negative": 5,
    "sample": 1e-4,
    "alpha": 0.1,
    "epochs": 20,
    "min_count": 2,
}
_LONGEST = 10_000  # gensim drops, without a word, what comes later in a document


def train_word_vectors(documents: Sequence[Sequence[str]], width: int = 300, seed: int = 0) -> WordVectors:
    """word2vec (CBOW with negative sampling) on documents; the same documents and seed give the same bits.

    What was trained once is kept in the cache folder (`data.cache`), by content.

    Source: Mikolov, Chen, Corrado and Dean, arXiv 1301.3781, and Mikolov, Sutskever, Chen, Corrado and Dean,
    NIPS 2013, as implemented in gensim.

    Args:
        documents: words of each; those that occur once only get no vector.
        width: d, numbers for each word.
        seed: fixes the start and every draw.

    Returns:
        The words, the most frequent first, with their vectors.

    Raises:
        MissingExtraError: if gensim is not installed.
    """
    # gensim's version counts, so that of the installed one is asked for even where training is not needed.
    settings = {**_SETTINGS, "vector_size": width, "seed": seed, "gensim": _gensim().__version__}
    trained = cache(lambda: _train(documents, width, seed))  # a cache that cannot be written asks a second time

    def fill(rows: Rows) -> Facts:
        words, matrix = trained()
        rows.begin(len(words), (4 * width,))
        rows.append(matrix.view(np.uint8))
        return {"words": words}

    without = "word vectors were trained and will be trained again next time"
    kept = recall(content_key({"documents": _digest(documents)}, settings), fill, without)
    return WordVectors(tuple(kept.facts["words"]), kept.rows.view("<f4"), kept.notes)


def _gensim() -> Any:
    try:
        import gensim
    except ImportError:
        raise MissingExtraError("gensim", "text") from None
    return gensim


def _digest(documents: Sequence[Sequence[str]]) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for document in documents:
        digest.update("\n".join([*document, "", ""]).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _train(documents: Sequence[Sequence[str]], width: int, seed: int) -> tuple[list[str], np.ndarray]:
    from gensim.models import Word2Vec

    logging.getLogger("gensim").setLevel(logging.ERROR)  # it advises on settings that the user does not see
    # One worker: with more, the order of updates is that of the threads. The start does not depend on Python's hash.
    model = Word2Vec(vector_size=width, seed=seed, workers=1, **_SETTINGS)
    pieces = list(_pieces(documents))
    model.build_vocab(pieces)
    if not model.wv.index_to_key:  # gensim refuses to train without words
        return [], np.empty((0, width), dtype="<f4")
    model.train(pieces, total_examples=model.corpus_count, epochs=model.epochs)
    return list(model.wv.index_to_key), np.ascontiguousarray(model.wv.vectors, dtype="<f4")


def _pieces(documents: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    for document in documents:
        for start in range(0, len(document), _LONGEST):
            yield document[start : start + _LONGEST]
