"""Networks as an exported program can have them: no shape hangs on what a batch says, and no layer is only quicker.

What a network of texts does by collecting a batch's different words or n-grams is done here place by place, to the
same effect; convolutions that are matrix products for speed are convolutions again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from acclimate.data.text import SENTENCE_END, UNKNOWN
from acclimate.networks.memory import MemoryNetwork, counted_softmax
from acclimate.networks.ngram_memory import OPENING, NGramBlock, NGramReader
from acclimate.networks.ngrams import NO_KEY, NGramCounts
from acclimate.networks.points import FromPoint, ToPoint
from acclimate.networks.rims import FromImage, ToImage
from acclimate.networks.tfidf import TfIdf


def unrolled(net: nn.Module) -> nn.Module:
    """A copy of a network for a program: its flags are facts, and no shape depends on the content of a batch."""
    made = copy.deepcopy(net)
    for module in list(made.modules()):
        if is_parametrized(module):  # as by a spectral norm, which is a fact of eval mode too
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                remove_parametrizations(module, name)
    return _settled(_replaced(made))


def _replaced(net: nn.Module) -> nn.Module:
    for kind, make in _MADE.items():
        if type(net) is kind:
            return make(net)
    for name, child in net.named_children():
        setattr(net, name, _replaced(child))
    return net


def _settled(net: nn.Module) -> nn.Module:
    """Buffers that hold one truth value, such as whether a map has been fitted, as plain attributes."""
    for module in net.modules():
        for name, value in list(module.named_buffers(recurse=False)):
            if value.dtype == torch.bool and not value.ndim:
                del module._buffers[name]
                setattr(module, name, bool(value))
    return net


class Attention(nn.Module):
    """`MemoryNetwork`, over the places of a text instead of its different words."""

    def __init__(self, net: MemoryNetwork) -> None:
        super().__init__()
        self.net = net

    def forward(self, numbers: Tensor) -> Tensor:
        """Documents' vectors `(b, d)`."""
        net, there = self.net, (numbers != 0).float()
        memory = net.words(numbers)
        keys = torch.tanh(net.attention(memory))
        query = net.query.expand(numbers.shape[0], -1)
        for _ in range(net.hops - 1):
            assert net.next_query is not None
            query = net.next_query(query) + _read(memory, keys, query, there)
        return _read(memory, keys, query, there)


def _read(memory: Tensor, keys: Tensor, query: Tensor, there: Tensor) -> Tensor:
    """What a query `(b, d)` gets of a memory `(b, n, d)`: `(b, d)`."""
    weights = counted_softmax((keys @ query[:, :, None]).squeeze(2), there)
    return (weights[:, None] @ memory).squeeze(1)


class Places(nn.Module):
    """Which of m known n-grams stands at each place of a text; m where none does.

    The keys are looked up by bisection, in a table filled up to a power of two.
    """

    def __init__(self, counts: NGramCounts) -> None:
        super().__init__()
        self.vocabulary, self.longest = counts.vocabulary, counts.longest
        self.m = int((counts.keys != NO_KEY).sum())
        room = 1 << self.m.bit_length()
        # Not by F.pad, whose value passes through a float.
        self.register_buffer("table", torch.cat([counts.keys[: self.m], torch.full((room - self.m,), NO_KEY)]))
        self.table: Tensor

    def forward(self, numbers: Tensor) -> Tensor:
        """Numbers of words `(b, n)` to columns `(b, t)`, t = n + (n − 1) + … places of n-grams."""
        known, keys = numbers > UNKNOWN, numbers
        columns = [self._columns(keys, known)]
        for length in range(2, self.longest + 1):
            last = numbers[:, length - 1 :]
            known = known[:, :-1] & (last > UNKNOWN)
            keys = keys[:, :-1] * self.vocabulary + last
            columns.append(self._columns(keys, known))
        return torch.cat(columns, dim=1)

    def _columns(self, keys: Tensor, known: Tensor) -> Tensor:
        place = torch.zeros_like(keys)
        step = len(self.table) // 2
        while step:
            place = place + step * (self.table[place + (step - 1)] < keys)
            step //= 2
        return torch.where(known & (self.table[place] == keys), place, self.m)


class KnownCounts(nn.Module):
    """How often a text has each of the m n-grams that are known, without room for others."""

    def __init__(self, counts: NGramCounts) -> None:
        super().__init__()
        self.places = Places(counts)

    def forward(self, numbers: Tensor) -> Tensor:
        """Numbers of words `(b, n)` to counts `(b, m)`."""
        columns = self.places(numbers)
        ones = torch.ones_like(columns, dtype=torch.float32)
        # What is no n-gram is counted right behind the known ones.
        counts = ones.new_zeros(numbers.shape[0], self.places.m + 1).scatter_add(1, columns, ones)
        return counts[:, : self.places.m]


class WordCounts(nn.Module):
    """`NGramCounts`."""

    def __init__(self, counts: NGramCounts) -> None:
        super().__init__()
        self.known, self.width = KnownCounts(counts), len(counts.keys)

    def forward(self, numbers: Tensor) -> Tensor:
        """Counts `(b, width)`, those of no n-gram 0."""
        return F.pad(self.known(numbers), (0, self.width - self.known.places.m))


class Weighted(nn.Module):
    """`TfIdf`."""

    def __init__(self, net: TfIdf) -> None:
        super().__init__()
        self.known = KnownCounts(net.counts)
        self.register_buffer("idf", net.idf)
        self.idf: Tensor

    def forward(self, numbers: Tensor) -> Tensor:
        """Weights `(b, width)`, rows of length 1."""
        counts, m = self.known(numbers), self.known.places.m
        weights = F.normalize(torch.where(counts > 0, 1 + counts.clamp(min=1).log(), 0) * self.idf[:m])
        return F.pad(weights, (0, len(self.idf) - m))


class Said(nn.Module):
    """`NGramBlock`: a text's places in the order of their n-grams, of which the first of each counts."""

    def __init__(self, block: NGramBlock) -> None:
        super().__init__()
        self.places = Places(block.counts)
        m = self.places.m
        said, squares = block.ratios * block.values, block.ratios.square()
        self.register_buffer("said", F.pad(said[:, :m], (0, 1)).T.contiguous())
        self.register_buffer("squares", F.pad(squares[:, :m], (0, 1)).T.contiguous())
        self.said: Tensor
        self.squares: Tensor

    def forward(self, numbers: Tensor) -> Tensor:
        """Answers z `(b, j)`."""
        columns = self.places(numbers).sort(dim=1).values
        first = F.pad((columns[:, 1:] != columns[:, :-1]).float(), (1, 0), value=1.0)[:, :, None]
        said, squares = ((table[columns] * first).sum(dim=1) for table in (self.said, self.squares))
        return said / torch.where(squares > 0, squares, 1).sqrt()


class Reader(nn.Module):
    """`NGramReader`."""

    def __init__(self, net: NGramReader) -> None:
        super().__init__()
        self.whole, self.opening, self.beginnings = Said(net.whole), Said(net.opening), Said(net.beginnings)
        self.widths = list(net.widths)
        self.register_buffer("words", net.words)
        self.register_buffer("stems", net.stems)
        self.words: Tensor
        self.stems: Tensor

    def forward(self, numbers: Tensor) -> Tensor:
        """Answers and mean vectors `(b, j + d)`."""
        head = numbers[:, :OPENING]
        head = head * ((head == SENTENCE_END).long().cumsum(dim=1) == 0)
        said = self.whole(numbers) + self.opening(head) + self.beginnings(self.stems[numbers])
        sums = (self.words[numbers] * (numbers != 0)[:, :, None]).sum(dim=1)
        return torch.cat([said, *map(F.normalize, torch.split(sums, self.widths, dim=1))], dim=1)


def _plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    """The 4×4 convolution of stride 2 that a quicker layer of the same weights stands for."""
    kind = nn.ConvTranspose2d if isinstance(layer, nn.ConvTranspose2d) else nn.Conv2d
    made = kind(layer.in_channels, layer.out_channels, 4, 2, 1)
    made.weight, made.bias = layer.weight, layer.bias
    return made


_MADE: dict[type[nn.Module], Callable[..., nn.Module]] = {
    FromImage: _plain,
    FromPoint: _plain,
    ToImage: _plain,
    ToPoint: _plain,
    MemoryNetwork: Attention,
    NGramCounts: WordCounts,
    NGramReader: Reader,
    TfIdf: Weighted,
}
