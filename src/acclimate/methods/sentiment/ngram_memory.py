"""A memory of n-grams that is read, not trained (this project)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_array, diags_array, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from torch import Tensor, nn

from acclimate.errors import DataError
from acclimate.methods.base import Networks, sample_weights
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.networks.cooccurrence import cooccurrence_vectors, topic_vectors
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.ngram_memory import NGramBlock, NGramReader, opening
from acclimate.networks.ngrams import count_ngrams, most_frequent
from acclimate.objectives.log_ratio import log_count_ratio
from acclimate.objectives.self_training import own_answers
from acclimate.types import Explanation, Passes, Side


class NGramMemory(ClosedForm):
    """Attention to n-grams by how well they tell the source's classes apart, and a linear reading of what they say.

        r_g = log (p_g / ‖p‖₁) − log (q_g / ‖q‖₁),   p_g = 1 + Σ_{i of the class} w_i 1_i(g),   q_g = 1 + Σ_{others} …
        x   = [r ∘ 1_text / ‖·‖₂,   α r' ∘ 1_opening / ‖·‖₂,   γ r'' ∘ 1_beginnings / ‖·‖₂,   β v,   β u]
        min_θ  ½ ‖θ‖² / C + Σ w_i log (1 + exp(−y_i θ · x_i))

    1_text marks the words, pairs and triples that a text has, 1_opening the words and pairs of its first sentence,
    which often is a headline and says in a few words what the rest argues, and 1_beginnings the words, pairs and
    triples of what its words begin with: of the forms of a word that the target uses, the source may know another.
    v and u are means of word vectors, weighted by idf and of length 1; v's come from the words' neighbours,
    u's from the texts they stand in (`networks.cooccurrence`). The memory of AMN has words for its slots and learns
    by gradient what to attend to; this one has n-grams ("not worth"), and its attention is a count.

    Given labels count w = 1. Then the model's own answers on texts without a label count too, by how sure they are
    (`objectives.self_training`), and all but the vectors is computed anew. What it is trained on of the target has no
    labels: n-grams must occur in two texts of source or target, and vectors come from texts of both sides, so that
    words which only the target has stand near ones that the source's labels speak of.

    With more than two classes there is one such problem for each, class against rest.

    The defaults were settled on two pairs of product reviews whose target labels were looked at.

    Source: r is Wang & Manning's log-count ratio (ACL 2012), u Deerwester et al.'s analysis (JASIS 1990); putting an
    opening, beginnings, vectors and both domains' unlabelled text beside it is this project's.
    """

    name: ClassVar[str] = "ngram-memory"
    title: ClassVar[str] = "N-gram memory"
    paper: ClassVar[str] = "this project"
    reads: ClassVar[Reads] = {"text": {"punctuation": ".!?"}}

    most: int = Field(400_000, ge=4, le=10**7, description="N-grams at most: those that the most texts have.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the texts' losses against the squared weights.")
    opening: float = Field(0.7, ge=0, description="α, weight of the first sentence's n-grams.")
    beginnings: float = Field(1.0, ge=0, description="γ, weight of n-grams of words' beginnings.")
    letters: int = Field(4, ge=1, le=100, description="How many letters of a word are its beginning.")
    vectors: float = Field(0.5, ge=0, description="β, weight of the mean word vectors.")
    width: int = Field(200, ge=1, le=10_000, description="Numbers for each word by its neighbours.")
    topics: int = Field(300, ge=1, le=10_000, description="Numbers for each word by its texts.")
    self_training: int = Field(1, ge=0, le=100, description="How often own answers are learnt from; 0: never.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """A reader of n-grams and a classifier, both computed."""
        questions = 1 if num_classes == 2 else num_classes
        widths = (self.width, self.topics)
        return {
            "features": NGramReader(architecture.channels, widths, self.most, questions, self.letters),
            "classifier": ComputedLinear(questions + sum(widths), num_classes),
        }

    def explain(self, nets: Networks, x: Tensor, side: Side = "target") -> Explanation | None:
        """What each word adds to the logits; an n-gram's part goes to its words in equal shares."""
        reader, classifier = _networks(nets)
        return reader.explain(x, classifier.weight)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Choose the n-grams, count, and fit; then once more with the model's own answers."""
        reader, classifier = _networks(nets)
        texts, labels = _collected(passes)
        _set_vectors(reader, texts)
        blocks = [
            _Block(reader.whole, texts, 1.0),
            _Block(reader.opening, [opening(x) for x in texts], self.opening),
            _Block(reader.beginnings, [reader.begun(x) for x in texts], self.beginnings),
        ]
        means = self.vectors * torch.cat([reader.mean_vectors(x) for x in texts]).double().cpu().numpy()
        counting = sample_weights(passes.source, passes.target)
        given = (labels >= 0).astype(float)
        self._fit(classifier, blocks, means, labels, given if counting is None else counting)
        for _ in range(self.self_training if (labels < 0).any() else 0):
            logits = torch.cat([classifier(reader(x)) for x in texts]).double()
            answers, weights = own_answers(logits.softmax(dim=1).cpu().numpy(), labels)
            if counting is not None:
                weights = np.where(given > 0, counting, weights)
            self._fit(classifier, blocks, means, answers, weights)

    def _fit(
        self,
        classifier: ComputedLinear,
        blocks: Sequence[_Block],
        means: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray,
    ) -> None:
        """Set the blocks and the classifier from texts with labels, weighted; those of weight 0 are left out."""
        rows = np.flatnonzero(weights)
        labels, weights, means = labels[rows], weights[rows], means[rows]
        classes = np.unique(labels)
        questions = classes[1:] if len(classes) == 2 else classes
        scores = np.zeros((len(questions), classifier.weight.shape[1]))
        offsets = np.zeros(len(questions))
        for j, question in enumerate(questions):
            positive = labels == question
            ratios = [log_count_ratio(block.has[rows], positive, weights) for block in blocks]
            read = [block.read(rows, ratio) for block, ratio in zip(blocks, ratios, strict=True)]
            x = hstack([*read, csr_array(means)], format="csr")
            model = LogisticRegression(C=self.penalty, max_iter=1000).fit(x, positive, sample_weight=weights)
            *on_blocks, on_means = np.split(model.coef_[0], np.cumsum([block.size for block in blocks]))
            for block, ratio, values in zip(blocks, ratios, on_blocks, strict=True):
                block.keep(int(question), ratio, values)
            scores[j, blocks[0].place(int(question))] = 1
            scores[j, -means.shape[1] :] = self.vectors * on_means
            offsets[j] = model.intercept_[0]
        classifier.set_scores(scores, offsets, classes)


class _Block:
    """A block's n-grams over all texts: those that two texts or more have.

    Attributes:
        has: 1 where a text has an n-gram, `(texts, size)`.
        size: how many n-grams there are.
    """

    def __init__(self, block: NGramBlock, texts: list[Tensor], scale: float) -> None:
        keys, counts = count_ngrams(texts, block.counts.vocabulary, block.counts.longest)
        often = np.flatnonzero(np.bincount(counts.indices, minlength=len(keys)) >= 2)
        if not len(often):
            raise DataError(
                "source and target", "must have words that two texts share", "none", "Give more or longer texts."
            )
        keys, self.has = most_frequent(keys[often], counts[:, often], block.ratios.shape[1])
        block.counts.know(keys)
        self._block, self._scale, self.size = block, scale, len(keys)
        self.has.data[:] = 1

    def read(self, rows: np.ndarray, ratio: np.ndarray) -> csr_array:
        """This block's part of x for some of the texts, `(rows, size)`."""
        return self._scale * normalize(self.has[rows] @ diags_array(ratio, format="csr"))

    def place(self, question: int) -> int:
        """Which of the block's questions a class is."""
        return 0 if len(self._block.ratios) == 1 else question

    def keep(self, question: int, ratio: np.ndarray, weights: np.ndarray) -> None:
        """Put a fitted problem into the block."""
        place = self.place(question)
        self._block.ratios[place, : self.size] = torch.from_numpy(ratio).to(self._block.ratios)
        self._block.values[place, : self.size] = torch.from_numpy(self._scale * weights).to(self._block.values)


def _networks(nets: Networks) -> tuple[NGramReader, ComputedLinear]:
    reader, classifier = nets["features"], nets["classifier"]
    assert isinstance(reader, NGramReader)
    assert isinstance(classifier, ComputedLinear)
    return reader, classifier


def _set_vectors(reader: NGramReader, texts: list[Tensor]) -> None:
    """Give each word its vectors of both kinds, times its idf."""
    vocabulary = len(reader.words)
    by_neighbours, by_texts = torch.split(reader.words, list(reader.widths), dim=1)
    numbers, vectors = cooccurrence_vectors(texts, vocabulary, by_neighbours.shape[1])
    by_neighbours[numbers, : vectors.shape[1]] = torch.from_numpy(vectors).to(reader.words)
    idf = _idf(texts, vocabulary)
    numbers, vectors = topic_vectors(texts, vocabulary, by_texts.shape[1], idf.numpy())
    by_texts[numbers, : vectors.shape[1]] = torch.from_numpy(vectors).to(reader.words)
    reader.words *= idf.to(reader.words)[:, None]


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
