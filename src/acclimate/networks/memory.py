"""Memory networks for texts: a document is the sum of its words, weighted by how well they answer a learnt query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear, pad

from acclimate.networks.architecture import Architecture
from acclimate.types import Explanation


@runtime_checkable
class WordReader(Protocol):
    """A network that needs to see how words are written."""

    def know_words(self, words: Sequence[str]) -> None:
        """Told once before training; word i has the number i + 2."""


class WordMemory(nn.Module):
    """A network that holds a vector for each word.

    Args:
        vocabulary: how many vectors; that of number 0, padding, is zero and stays so.
        width: d, numbers for each word.
    """

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)

    def start_from(self, numbers: Tensor, vectors: Tensor) -> None:
        """Put known vectors `(m, d)` in the rows `numbers` `(m,)`."""
        with torch.no_grad():
            self.words.weight[numbers] = vectors.to(self.words.weight)


class MemoryNetwork(WordMemory):
    """Attention over the words of a document, without order or recurrence.

        m_i = A[w_i]                          the memory, one row for each word
        h_i = tanh(W m_i + b)
        a_i = softmax_i(h_i · q_k)            over the document's own words
        v_k = Σ_i a_i m_i
        q_{k+1} = U q_k + v_k                 the next hop's query

    The last hop's v is the document's vector; a document without words has zeros. h depends on the word alone, so it
    is computed once for each different word of a batch, and a word that a document has c times counts c times:

        a_w = c_w exp(h_w · q_k) / Σ_u c_u exp(h_u · q_k)

    Source: Li, Zhang, Wei, Wu and Yang, IJCAI 2017, sections 3.1 and 3.2.

    Args:
        vocabulary: rows of A; row 0 is padding and stays zero.
        width: d, numbers for each word.
        hops: how often the memory is asked; W, b and U are the same each time.
    """

    def __init__(self, vocabulary: int, width: int = 300, hops: int = 1) -> None:
        super().__init__(vocabulary, width)
        self.hops = hops
        nn.init.uniform_(self.words.weight[1:].detach(), -0.25, 0.25)
        self.attention = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.attention.weight)
        nn.init.zeros_(self.attention.bias)
        self.query = nn.Parameter(torch.empty(width).uniform_(-0.01, 0.01))
        self.next_query = nn.Linear(width, width, bias=False) if hops > 1 else None

    def forward(self, numbers: Tensor) -> Tensor:
        """Documents' vectors `(b, d)` from numbers of words `(b, n)`, where 0 is padding."""
        counts, different = count_words(numbers)
        return self._read(counts, different)[0]

    def weights(self, numbers: Tensor) -> Tensor:
        """The last hop's attention a `(b, n)`: that of a document's words sums to 1, padding has 0."""
        counts, different = count_words(numbers)
        _, weights = self._read(counts, different)
        single = weights / counts.clamp(min=1)  # of each occurrence
        places = torch.searchsorted(different, numbers).clamp(max=max(0, len(different) - 1))
        return torch.where(numbers != 0, single.gather(1, places), 0) if len(different) else numbers * 0.0

    def _read(self, counts: Tensor, different: Tensor) -> tuple[Tensor, Tensor]:
        """Documents' vectors `(b, d)` and attention to the u different words `(b, u)`."""
        memory = self.words(different)
        keys = torch.tanh(self.attention(memory))
        query = self.query.expand(len(counts), -1)
        weights = counted_softmax(query @ keys.T, counts)
        for _ in range(self.hops - 1):
            assert self.next_query is not None
            query = self.next_query(query) + weights @ memory
            weights = counted_softmax(query @ keys.T, counts)
        return weights @ memory, weights


def explanation(memory: MemoryNetwork, classifier: nn.Module | None, numbers: Tensor) -> Explanation:
    """Attention, and what each word adds to the logits of a linear classifier.

    Logits are W v + b with v = Σ_i a_i m_i, so word i adds a_i W m_i, exactly.

    Args:
        memory: makes v.
        classifier: of v; unless it is one linear layer there are no contributions.
        numbers: numbers of words `(b, n)`, where 0 is padding.
    """
    weights = memory.weights(numbers)
    if not isinstance(classifier, nn.Linear):
        return Explanation(weights)
    # Each word's logits once, then k numbers a word are gathered instead of d.
    spoken = embedding(numbers, linear(memory.words.weight, classifier.weight))
    return Explanation(weights, weights[..., None] * spoken)


def count_words(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """How often each document has each word.

    Args:
        numbers: numbers of words `(b, n)`, where 0 is padding.

    Returns:
        Counts `(b, u)` as floats, and the u different numbers, rising.
    """
    there = numbers != 0
    different, places = torch.unique(numbers[there], return_inverse=True)
    counts = torch.zeros(len(numbers), len(different), device=numbers.device)
    return counts.index_put((there.nonzero()[:, 0], places), counts.new_ones(()), accumulate=True), different


def counted_softmax(scores: Tensor, counts: Tensor) -> Tensor:
    """Softmax of `scores` `(b, u)` along the rows, each entry counting as often as `counts` says; 0 in an empty row.

    a_w = c_w exp(s_w) / Σ_u c_u exp(s_u)
    """
    if not counts.shape[1]:
        return scores
    with torch.no_grad():
        highest = scores.masked_fill(counts == 0, -torch.inf).amax(dim=1, keepdim=True).clamp(min=-1e30)
    powers = counts * torch.exp((scores - highest).clamp(max=0))
    return powers / powers.sum(dim=1, keepdim=True).clamp(min=torch.finfo(powers.dtype).tiny)


@dataclass(frozen=True)
class Memory(Architecture):
    """A memory network as feature extractor, linear classifier and linear domain discriminator.

    Attributes:
        d: numbers for each word.
        hops: see `MemoryNetwork`.
    """

    d: int = 300
    hops: int = 1

    @property
    def width(self) -> int:
        """A document's vector is as wide as a word's."""
        return self.d

    def features(self) -> nn.Module:
        """The memory network."""
        return MemoryNetwork(self.channels, self.d, self.hops)

    def discriminator(self, inputs: int | None = None) -> nn.Module:
        """One linear layer, as the authors have it."""
        return nn.Linear(inputs or self.d, 1)


def together(*batches: Tensor) -> Tensor:
    """Batches of word numbers `(b_i, n_i)` as one, filled up with 0 to the longest."""
    longest = max(numbers.shape[1] for numbers in batches)
    return torch.cat([pad(numbers, (0, longest - numbers.shape[1])) for numbers in batches])
