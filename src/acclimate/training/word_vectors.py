"""The word vectors that memory networks start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.text import TextPreprocess
from acclimate.data.word_vectors import WordVectors, read_word_vectors, train_word_vectors
from acclimate.networks.memory import MemoryNetwork
from acclimate.runs.options import TrainingOptions


def give_word_vectors(
    nets: Mapping[str, nn.Module], preprocess: TextPreprocess, options: TrainingOptions, domains: Sequence[Domain]
) -> None:
    """Put word vectors into the memories of networks; words without one keep their random start.

    Args:
        nets: networks; those that are no `MemoryNetwork` are left alone.
        preprocess: knows the vocabulary.
        options: `word_vectors` says where they come from.
        domains: the training texts.

    Raises:
        RequestError: if there is no such file, or gensim is not installed.
        DataError: if the file is damaged or its vectors have another width than the network.
    """
    memories = [net for net in nets.values() if isinstance(net, MemoryNetwork)]
    if not memories or options.word_vectors == "random":
        return
    width = memories[0].words.embedding_dim
    vectors = _vectors(preprocess, options, domains, width)
    places = {word: place for place, word in enumerate(vectors.words)}
    known = [(number, places[word]) for number, word in enumerate(preprocess.words, start=2) if word in places]
    numbers, rows = (torch.tensor(side) for side in zip(*known, strict=True))
    for memory in memories:
        memory.start_from(numbers, torch.from_numpy(vectors.matrix)[rows])


def _vectors(
    preprocess: TextPreprocess, options: TrainingOptions, domains: Sequence[Domain], width: int
) -> WordVectors:
    if options.word_vectors == "own":
        documents = [preprocess.read(text) for domain in domains for text in to_texts(domain.rows)]
        return train_word_vectors(documents, width)
    return read_word_vectors(options.word_vectors, width, preprocess.words)
