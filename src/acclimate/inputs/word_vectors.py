"""The word vectors that memory networks start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.text import TextPreprocess
from acclimate.data.word2vec import train_word_vectors
from acclimate.data.word_vectors import WordVectors, read_word_vectors, vectors_width
from acclimate.errors import DataError
from acclimate.networks.memory import WordMemory
from acclimate.runs.options import TrainingOptions

# How long word2vec trains decides how long its vectors get, and AMN learns little from short ones. Chosen on source
# texts held out: docs/decisions/0012-word-vectors.md.
SPREAD = 0.5
_WIDTH = 300


def word_width(options: TrainingOptions) -> int:
    """d, how many numbers a network has for each word: what was asked for, what the file has, or 300.

    Raises:
        RequestError: if there is no such file.
        DataError: if it does not begin as a file of word vectors does.
    """
    if options.word_width is not None:
        return options.word_width
    return _WIDTH if options.word_vectors in ("own", "random") else vectors_width(options.word_vectors)


def give_word_vectors(
    nets: Mapping[str, nn.Module], preprocess: TextPreprocess, options: TrainingOptions, domains: Sequence[Domain]
) -> tuple[str, ...]:
    """Put word vectors into the memories of networks; words without one keep their random start.

    Vectors from a file are taken as they are. Those trained on the texts at hand are multiplied by one number, which
    makes the root mean square of their entries `SPREAD`.

    Args:
        nets: networks; those that are no `WordMemory` are left alone.
        preprocess: knows the vocabulary.
        options: `word_vectors` says where they come from.
        domains: the training texts.

    Returns:
        Sentences that the user should know.

    Raises:
        RequestError: if there is no such file, or gensim is not installed.
        DataError: if the file is damaged, has vectors of another width than the network, or none for any word.
    """
    memories = [net for net in nets.values() if isinstance(net, WordMemory)]
    if not memories or options.word_vectors == "random":
        return ()
    vectors = _vectors(preprocess, options, domains, memories[0].words.embedding_dim)
    rows = {word: row for row, word in enumerate(vectors.words)}
    known = [(number, rows[word]) for number, word in enumerate(preprocess.words, start=2) if word in rows]
    for memory in memories:
        memory.start_from(
            torch.tensor([number for number, _ in known], dtype=torch.long),
            torch.from_numpy(vectors.matrix[[row for _, row in known]]),
        )
    where = "trained on the texts of both sides" if options.word_vectors == "own" else f"from {options.word_vectors}"
    total = len(preprocess.words)
    have = f"{len(known):,} of {total:,} words start from a vector {where}"
    return f"{have}{'' if len(known) == total else ', the others at random'}.", *vectors.notes


def _vectors(
    preprocess: TextPreprocess, options: TrainingOptions, domains: Sequence[Domain], width: int
) -> WordVectors:
    if options.word_vectors == "own":
        documents = [preprocess.read(text) for domain in domains for text in to_texts(domain.rows)]
        vectors = train_word_vectors(documents, width, options.seed)
        return replace(vectors, matrix=_scaled(vectors.matrix))
    vectors = read_word_vectors(options.word_vectors, width, preprocess.words)
    if not vectors.words:
        raise DataError(
            options.word_vectors,
            f"must have a vector for some of the {len(preprocess.words):,} words of the texts",
            "none",
            "Give word vectors for the language of the texts, or word_vectors=own.",
        )
    return vectors


def _scaled(matrix: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.square(matrix, dtype=np.float64).mean()) if len(matrix) else 1.0
    return matrix * np.float32(SPREAD / size)
