"""A memory of n-grams that is read, not trained (this project)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_array, diags_array, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from torch import Tensor, nn

from acclimate.errors import DataError
from acclimate.methods.base import Method, Networks
from acclimate.networks.architecture import Architecture
from acclimate.networks.cooccurrence import cooccurrence_vectors
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.ngram_memory import NGramBlock, NGramReader, opening
from acclimate.networks.ngrams import count_ngrams
from acclimate.objectives.log_ratio import log_count_ratio
from acclimate.types import Batch, Explanation, Passes, Side, Update


class NGramMemory(Method):
    """Attention to n-grams by how well they tell the source's classes apart, and a linear reading of what they say.

        r_g = log (p_g / ‖p‖₁) − log (q_g / ‖q‖₁),   p_g = 1 + texts of the class that have g,   q_g = 1 + others
        x   = [r ∘ 1_text / ‖·‖₂,   α r' ∘ 1_opening / ‖·‖₂,   β v]
        min_w  ½ ‖w‖² / C + Σ log (1 + exp(−y w · x))

    1_text marks the words, pairs and triples that a text has, 1_opening the words and pairs of its first sentence,
    which often is a headline and says in a few words what the rest argues; v is the mean of its words' vectors,
    weighted by idf and of length 1. The memory of AMN has words for its slots and learns by gradient what to attend
    to; this one has n-grams ("not worth"), and its attention is a count. What it is trained on of the target has no
    labels: n-grams must occur in two texts of source or target, and word vectors come from the texts of both
    (`networks.cooccurrence`), so that words which only the target has stand near ones that the source's labels speak
    of.

    With more than two classes there is one such problem for each, class against rest.

    The defaults were settled on two pairs of product reviews whose target labels were looked at.

    Source: r is Wang & Manning's log-count ratio (ACL 2012); putting an opening, word vectors and both domains'
    unlabelled text beside it is this project's.
    """

    name: ClassVar[str] = "ngram-memory"
    title: ClassVar[str] = "N-gram memory"
    paper: ClassVar[str] = "this project"
    kinds: ClassVar[tuple[str, ...]] = ("text",)
    signs: ClassVar[str] = ".!?"
    closed_form: ClassVar[bool] = True
    recipe: ClassVar[Mapping[str, Any]] = {"steps": 1}

    most: int = Field(400_000, ge=4, le=10**7, description="N-grams at most: those that the most texts have.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the texts' losses against the squared weights.")
    opening: float = Field(0.7, ge=0, description="α, weight of the first sentence's n-grams.")
    vectors: float = Field(0.5, ge=0, description="β, weight of the mean word vector.")
    width: int = Field(200, ge=1, le=10_000, description="Numbers for each word.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """A reader of n-grams and a classifier, both computed."""
        questions = 1 if num_classes == 2 else num_classes
        return {
            "features": NGramReader(architecture.channels, self.width, self.most, questions),
            "classifier": ComputedLinear(questions + self.width, num_classes),
        }

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """None: `conclude` does it all."""
        yield from ()

    def explain(self, nets: Networks, x: Tensor, side: Side = "target") -> Explanation | None:
        """What each word adds to the logits; an n-gram's part goes to its words in equal shares."""
        reader, classifier = nets["features"], nets["classifier"]
        assert isinstance(reader, NGramReader)
        assert isinstance(classifier, ComputedLinear)
        return reader.explain(x, classifier.weight)

    def conclude(self, nets: Networks, passes: Passes) -> None:
        """Choose the n-grams, count, and fit."""
        reader, classifier = nets["features"], nets["classifier"]
        assert isinstance(reader, NGramReader)
        assert isinstance(classifier, ComputedLinear)
        texts, labels = _collected(passes)
        given = labels >= 0
        numbers, vectors = cooccurrence_vectors(texts, len(reader.words), self.width)
        reader.words[numbers, : vectors.shape[1]] = torch.from_numpy(vectors).to(reader.words)
        reader.words *= _idf(texts, len(reader.words)).to(reader.words)[:, None]
        classes = np.unique(labels[given])
        questions = classes[1:] if len(classes) == 2 else classes
        whole = _Block.of(reader.whole, texts, labels, questions, 1.0)
        first = _Block.of(reader.opening, [opening(x) for x in texts], labels, questions, self.opening)
        with torch.no_grad():
            mean = torch.cat([reader.mean_vectors(x) for x in texts]).double().cpu().numpy()[given]
        rows = np.zeros((len(questions), classifier.weight.shape[1]))
        offsets = np.zeros(len(questions))
        for j, question in enumerate(questions):
            x = hstack([whole.inputs[j], first.inputs[j], csr_array(self.vectors * mean)], format="csr")
            model = LogisticRegression(C=self.penalty, max_iter=1000).fit(x, labels[given] == question)
            on_whole, on_first, on_mean = np.split(model.coef_[0], [whole.size, whole.size + first.size])
            whole.keep(j, int(question), on_whole)
            first.keep(j, int(question), on_first)
            rows[j, whole.place(int(question))] = 1
            rows[j, -mean.shape[1] :] = self.vectors * on_mean
            offsets[j] = model.intercept_[0]
        classifier.set_scores(rows, offsets, classes)


class _Block:
    """A block's n-grams over the labelled texts, ready to be fitted.

    Attributes:
        inputs: for each question, x `(labelled texts, size)`.
        size: how many n-grams there are.
    """

    def __init__(self, block: NGramBlock, inputs: list[csr_array], ratios: np.ndarray, scale: float) -> None:
        self._block, self.inputs, self._ratios, self._scale = block, inputs, ratios, scale
        self.size = ratios.shape[1]

    @classmethod
    def of(
        cls, block: NGramBlock, texts: list[Tensor], labels: np.ndarray, questions: np.ndarray, scale: float
    ) -> _Block:
        """Choose the n-grams that two texts or more have, and weigh them by their ratios."""
        keys, counts = count_ngrams(texts, block.counts.vocabulary, block.counts.longest)
        having = np.bincount(counts.indices, minlength=len(keys))
        often = np.flatnonzero(having >= 2)
        kept = np.sort(often[np.lexsort((keys[often], -having[often]))][: block.ratios.shape[1]])
        if not len(kept):
            raise DataError(
                "source and target", "must have words that two texts share", "none", "Give more or longer texts."
            )
        block.counts.know(keys[kept])
        known = counts[labels >= 0][:, kept]
        known.data[:] = 1
        ratios = np.stack([log_count_ratio(known, labels[labels >= 0] == question) for question in questions])
        inputs = [scale * normalize(known @ diags_array(ratio, format="csr")) for ratio in ratios]
        return cls(block, inputs, ratios, scale)

    def place(self, question: int) -> int:
        """Which of the block's questions a class is."""
        return 0 if len(self._block.ratios) == 1 else question

    def keep(self, j: int, question: int, weights: np.ndarray) -> None:
        """Put a fitted problem into the block."""
        place = self.place(question)
        self._block.ratios[place, : self.size] = torch.from_numpy(self._ratios[j]).to(self._block.ratios)
        self._block.values[place, : self.size] = torch.from_numpy(self._scale * weights).to(self._block.values)


def _collected(passes: Passes) -> tuple[list[Tensor], np.ndarray]:
    """The texts of both sides as batches of numbers of words, and their labels `(n,)`, −1 where none is given."""
    parts = [examples for side in (passes.source, passes.target) for examples in side()]
    return [part.x for part in parts], np.concatenate([part.y.cpu().numpy() for part in parts])


def _idf(texts: list[Tensor], vocabulary: int) -> Tensor:
    """log((1 + n) / (1 + n_w)) for each word, `(vocabulary,)`; 0 for padding and unknown words."""
    having = torch.zeros(vocabulary, dtype=torch.double)
    for numbers in texts:
        row = torch.arange(len(numbers), device=numbers.device)[:, None].expand_as(numbers)
        different = torch.unique(row * vocabulary + numbers) % vocabulary
        having += torch.bincount(different.cpu(), minlength=vocabulary)
    idf = torch.log((1 + sum(map(len, texts))) / (1 + having))
    idf[:2] = 0
    return idf.float()
