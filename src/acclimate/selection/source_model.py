"""What a plain model of the source says of both sides: cross-fitted, calibrated, and never shown a target label."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from acclimate.objectives.label_shift import class_bias
from acclimate.selection.columns import benjamini_hochberg, kolmogorov_smirnov

FOLDS = 5
_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class SourceModel:
    """Posteriors by logistic regression of the source's labels.

    Attributes:
        classes: `(k,)` the classes it knows, as indices into the source's.
        labels: `(n,)` places in `classes` of the source examples that were used.
        rows: `(n,)` which of the source's examples these are.
        source: `(n, k)` calibrated posteriors, each by a model that did not see the example.
        target: `(m, k)` calibrated posteriors.
    """

    classes: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    source: np.ndarray
    target: np.ndarray

    @property
    def accuracy(self) -> float:
        """On source examples that were not trained on."""
        return float((self.source.argmax(axis=1) == self.labels).mean())

    @property
    def prior(self) -> np.ndarray:
        """`(k,)` shares of the classes among the source's examples."""
        return np.asarray(np.bincount(self.labels, minlength=len(self.classes)) / len(self.labels))


def source_model(source: np.ndarray, labels: np.ndarray, target: np.ndarray, seed: int) -> SourceModel | None:
    """Fit five logistic regressions, each without a fifth of the source, and calibrate what they say of that fifth.

    Each also answers a fifth of the target, so that where the sides are alike their posteriors are so too. Classes
    with fewer than five labelled examples are left out.

    Args:
        source: finite features `(n, d)`, of about unit size.
        labels: classes `(n,)`, −1 where there is none.
        target: finite features `(m, d)`.
        seed: draws the fifths.

    Returns:
        The posteriors; None if fewer than two classes are left.
    """
    counts = np.bincount(labels[labels >= 0])
    classes = np.flatnonzero(counts >= FOLDS)
    if len(classes) < 2:
        return None
    rows = np.flatnonzero(np.isin(labels, classes))
    x, y = source[rows], np.searchsorted(classes, labels[rows])
    own, other = np.zeros((len(x), len(classes))), np.zeros((len(target), len(classes)))
    fifths = np.random.default_rng(seed).permutation(len(target)) % FOLDS
    for fold, (train, held) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y)):
        weights, bias = _fitted(x[train], y[train])
        own[held] = x[held] @ weights + bias
        other[fifths == fold] = target[fifths == fold] @ weights + bias
    temperature, shift = class_bias(own, y)
    posteriors = [softmax(logits / temperature + shift, axis=1) for logits in (own, other)]
    return SourceModel(classes, y, rows, *posteriors)


def _fitted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights `(d, k)` and bias `(k,)` of logits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough: what it says is calibrated afterwards
        model = LogisticRegression(max_iter=_ROUNDS).fit(x, y)
    if len(model.classes_) > 2:
        return model.coef_.T, model.intercept_
    return np.hstack([-model.coef_.T, model.coef_.T]) / 2, np.array([-1.0, 1.0]) * model.intercept_ / 2


def answers_p(model: SourceModel, source: np.ndarray | None = None, target: np.ndarray | None = None) -> float:
    """p-value that posteriors are distributed alike on both sides: Kolmogorov and Smirnov's for each class, by Simes.

    Where classes can be told apart this sees small shifts best that matter to them.

    Source: Rabanser, Günnemann & Lipton, "Failing Loudly", NeurIPS 2019 (black-box shift detection, soft).

    Args:
        model: answers both sides.
        source: rows of the source to compare, among them some that the model was fitted on; by default all.
        target: rows of the target; by default all.
    """
    own = model.source if source is None else model.source[np.isin(model.rows, source)]
    sides = [np.sort(side, axis=0) for side in (own, model.target if target is None else model.target[target])]
    p = [kolmogorov_smirnov(own, other)[1] for own, other in zip(sides[0].T, sides[1].T, strict=True)]
    return float(benjamini_hochberg(np.array(p)).min())
