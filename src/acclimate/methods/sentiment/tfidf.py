"""TF-IDF and logistic regression: what a text classifier was before there were networks."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from acclimate.errors import DataError
from acclimate.methods.base import Networks, sample_weights
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.architecture import Architecture
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.ngrams import count_ngrams, most_frequent
from acclimate.networks.tfidf import TfIdf
from acclimate.types import Explanation, Passes, Side


class TFIDF(ClosedForm):
    """Logistic regression on weighted counts of words and of pairs of words.

        tf = 1 + log c for a count c > 0, otherwise 0
        idf = 1 + log((1 + n) / (1 + n_w)),    n_w of the n texts have w
        x = tf · idf / ‖tf · idf‖₂

    Terms, idf and weights come from the labelled training texts: the source's and, where the user gave some target
    labels, those. Single words must be known to the vocabulary, which takes what occurs twice in the texts of both
    sides. Nothing here adapts, so it is a baseline that costs seconds.

    The formula is scikit-learn's, with its `sublinear_tf`.
    """

    name: ClassVar[str] = "tfidf"
    title: ClassVar[str] = "TF-IDF and logistic regression"
    paper: ClassVar[str] = "baseline"
    learns_from: ClassVar[tuple[str, ...]] = ("source",)
    reads: ClassVar[Reads] = {"text": {}}

    most: int = Field(50_000, ge=1, le=10**7, description="Unigrams and bigrams: those that the most texts have.")
    penalty: float = Field(10.0, gt=0, description="C, weight of the examples' losses against the squared weights.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Nothing that is trained by steps."""
        return {
            "features": TfIdf(architecture.channels, self.most),
            "classifier": ComputedLinear(self.most, num_classes),
        }

    def explain(self, nets: Networks, x: Tensor, side: Side = "target") -> Explanation | None:
        """What each word adds to the logits, half of a pair's part being either word's; weights are their sizes."""
        features, classifier = nets["features"], nets["classifier"]
        assert isinstance(features, TfIdf)
        assert isinstance(classifier, ComputedLinear)
        return features.explain(x, classifier.weight)

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Choose the vocabulary, and fit the idf and the regression."""
        features, classifier = nets["features"], nets["classifier"]
        assert isinstance(features, TfIdf)
        assert isinstance(classifier, ComputedLinear)
        texts, labels, weights = _labelled(passes)
        keys, counts = most_frequent(*count_ngrams(texts, features.counts.vocabulary), self.most)
        if not len(keys):
            raise DataError("source", "must have known words", "none in any labelled text", "Give texts with words.")
        weighting = TfidfTransformer(sublinear_tf=True).fit(counts)
        model = LogisticRegression(C=self.penalty, max_iter=1000).fit(weighting.transform(counts), labels, weights)
        features.know(keys, weighting.idf_)
        classifier.set_scores(np.asarray(model.coef_), np.asarray(model.intercept_), model.classes_)


def _labelled(passes: Passes) -> tuple[list[Tensor], np.ndarray, np.ndarray | None]:
    """The labelled texts of both sides as batches of numbers of words, their labels `(n,)` and what each counts."""
    parts = [examples.at(examples.y >= 0) for side in (passes.source, passes.target) for examples in side()]
    return (
        [part.x for part in parts],
        np.concatenate([part.y.cpu().numpy() for part in parts]),
        sample_weights(lambda: iter(parts)),
    )
