"""The classifier that importance weights are for: kernel logistic regression of the labelled examples.

Weights matter to a model that cannot be right everywhere; to a network that can, they matter little (Byrd & Lipton,
ICML 2019). So these methods have a smooth model, whose one solution is found at once, and it gives probabilities,
which estimates of class proportions need.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from acclimate.methods.base import Networks, collected, of_rows, sample_weights
from acclimate.networks.architecture import Architecture
from acclimate.networks.kernel import KernelFeatures
from acclimate.networks.linear import ComputedLinear, class_rows
from acclimate.objectives.label_shift import class_bias
from acclimate.types import Passes

# Rows that the kernel is spanned by, of which a source has mostly more, and folds of a cross-fit.
ROWS, FOLDS = 300, 5
# Singular values of the rows' kernel matrix below this part of the largest are noise; the logit of an unseen class.
_RANK, _NEVER = 1e-6, -30.0


def kernel_networks(architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
    """Kernel features of the inputs, and linear scores of these."""
    features = KernelFeatures(architecture.channels, ROWS)
    return {"features": features, "classifier": ComputedLinear(ROWS, num_classes)}


@dataclass(frozen=True, eq=False)
class Sides:
    """What such a method sees.

    Attributes:
        x: inputs `(n, d)` of the labelled examples: the source's first, then those whose label the user gave.
        y: their classes `(n,)`.
        weights: how much each counts `(n,)`.
        source: how many of them are the source's.
        target: inputs `(m, d)` of all the target's examples.
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    source: int
    target: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """Inputs of the source's labelled examples."""
        return self.x[: self.source]


def both_sides(passes: Passes) -> Sides:
    """Collect them."""
    (xs, ys), (xt, yt) = (collected(nn.Identity(), side) for side in (passes.source, passes.target))
    known, given = ys >= 0, yt >= 0
    weights = of_rows(sample_weights(passes.source, passes.target), np.append(known, given))
    x, y = np.concatenate([xs[known], xt[given]]), np.concatenate([ys[known], yt[given]])
    return Sides(x, y, np.ones(len(y)) if weights is None else weights, int(known.sum()), xt)


class KernelMachine:
    """Kernel logistic regression on rows drawn from the labelled examples (Nyström's approximation).

        min_f  Σ_i w_i CE(f(x_i), y_i) + ‖f‖² / 2C

    in the space of K(x, c) = exp(−γ ‖x − c‖²), γ one by the inputs' width times their variance.

    Source: Zhu & Hastie, "Kernel Logistic Regression and the Import Vector Machine", NIPS 2001; Williams & Seeger,
    "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2000.

    Args:
        nets: of `kernel_networks`; the rows are stored there at once.
        sides: what to learn from.
        penalty: C.
        width: of the inputs, where some of them are 0 throughout.
    """

    def __init__(self, nets: Networks, sides: Sides, penalty: float, width: int | None = None) -> None:
        features, classifier = nets["features"], nets["classifier"]
        assert isinstance(features, KernelFeatures)
        assert isinstance(classifier, ComputedLinear)
        self.features, self.classifier, self.sides, self.penalty = features, classifier, sides, penalty
        chosen = np.sort(np.random.default_rng(0).permutation(len(sides.x))[:ROWS])
        width = sides.x.shape[1] if width is None else width
        spread = float(sides.x[:, :width].var())
        features.store(torch.from_numpy(sides.x[chosen]), 1 / (width * spread) if spread > 0 else 1.0)
        values, vectors = np.linalg.eigh(self._kernel(sides.x[chosen]))
        kept = values > _RANK * values[-1]
        self._whiten = np.zeros((ROWS, int(kept.sum())))
        self._whiten[: len(chosen)] = vectors[:, kept] / np.sqrt(values[kept])
        self._seen = self._coordinates(sides.x)

    def _kernel(self, x: np.ndarray) -> np.ndarray:
        """K(x, c_l) of the rows that are set."""
        return self._all(x)[:, : int(self.features.filled.sum())]

    def _all(self, x: np.ndarray) -> np.ndarray:
        # As the network computes it, so that what is fitted is what will be used.
        return self.features(torch.from_numpy(x).to(self.features.rows)).double().cpu().numpy()  # type: ignore[no-any-return]

    def _coordinates(self, x: np.ndarray) -> np.ndarray:
        return self._all(x) @ self._whiten

    def fitted(self, rows: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights `(k, r)` and bias `(k,)` of the logits, learnt from these labelled examples."""
        k, y = len(self.classifier.bias), self.sides.y[rows]
        if len(np.unique(y)) < 2:  # a fold of few examples
            return np.zeros((k, self._seen.shape[1])), np.where(np.arange(k) == y[0], 0.0, _NEVER)
        model = LogisticRegression(C=self.penalty, max_iter=500).fit(self._seen[rows], y, weights[rows])
        return class_rows(np.asarray(model.coef_), np.asarray(model.intercept_), model.classes_, k, _NEVER)

    def fit(self, weights: np.ndarray, temperature: float = 1.0, bias: np.ndarray | None = None) -> None:
        """Set the classifier to what labelled examples with these weights `(n,)` teach.

        Args:
            weights: how much each counts, ≥ 0 and not all 0; only their ratios matter.
            temperature: divides the logits.
            bias: `(k,)`, is added to them then.
        """
        scores, offset = self.fitted(np.arange(len(weights)), weights * (len(weights) / weights.sum()))
        scores, offset = scores / temperature, offset / temperature + (0 if bias is None else bias)
        self.classifier.set_weights(scores @ self._whiten.T, offset)

    def logits(self, x: np.ndarray) -> np.ndarray:
        """`(n, k)` of the classifier as it is set."""
        z = self.classifier(torch.from_numpy(self._all(x)).to(self.classifier.weight))
        return z.double().cpu().numpy()  # type: ignore[no-any-return]

    def odds(self) -> np.ndarray:
        """n_s / n_t · P(target | x) / P(source | x) of the source's examples `(n_s,)`, by the same kernel."""
        own, other = self._seen[: self.sides.source], self._coordinates(self.sides.target)
        x, of_target = np.concatenate([own, other]), np.arange(len(own) + len(other)) >= len(own)
        model = LogisticRegression(max_iter=500).fit(x, of_target)
        return np.exp(model.decision_function(own)) * len(own) / len(other)  # type: ignore[no-any-return]

    def cross_fitted(self) -> np.ndarray:
        """Logits `(n, k)` of the source's labelled examples, each by a model that did not see it.

        Folds are drawn by class; where a class has fewer than five examples there are as many folds as it has, and
        where it has one, the models have seen them all.
        """
        n, y = self.sides.source, self.sides.y[: self.sides.source]
        rng = np.random.default_rng(0)
        counts = np.bincount(y)
        folds = min(FOLDS, int(counts[counts > 0].min()))
        of = np.empty(n, dtype=int)
        for c in np.flatnonzero(counts):
            of[y == c] = rng.permutation(counts[c]) % folds
        found = np.empty((n, len(self.classifier.bias)))
        for fold in range(folds):
            held = of == fold
            train = np.arange(n) if folds == 1 else np.flatnonzero(~held)
            scores, bias = self.fitted(train, self.sides.weights)
            found[held] = self._seen[:n][held] @ scores.T + bias
        return found


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model of the source says of both sides, for estimates of class proportions.

    Attributes:
        classes: `(k,)` the classes that the source has examples of; what follows is of these.
        labels: `(n,)` the source's, as places in `classes`.
        own: calibrated logits `(n, k)` of source examples, cross-fitted.
        target: calibrated logits `(m, k)` of the target.
        temperature: what logits were divided by.
        bias: `(k,)` what was added to them then.
    """

    classes: np.ndarray
    labels: np.ndarray
    own: np.ndarray
    target: np.ndarray
    temperature: float
    bias: np.ndarray

    @property
    def prior(self) -> np.ndarray:
        """`(k,)` shares of the classes in the source."""
        return np.asarray(np.bincount(self.labels, minlength=len(self.classes)) / len(self.labels))

    @property
    def mistakes(self) -> np.ndarray:
        """`(k, k)` how many source examples of class i were answered j."""
        counts = np.zeros((len(self.classes), len(self.classes)))
        np.add.at(counts, (self.labels, self.own.argmax(axis=1)), 1)
        return counts

    @property
    def answered(self) -> np.ndarray:
        """`(k,)` how many target examples were answered each class."""
        return np.bincount(self.target.argmax(axis=1), minlength=len(self.classes))


def answers_of(machine: KernelMachine) -> Answers:
    """Cross-fit, calibrate, and answer the target by a model of all of the source, which the classifier is set to."""
    sides = machine.sides
    labels = sides.y[: sides.source]
    classes = np.unique(labels)
    places = np.searchsorted(classes, labels)
    own = machine.cross_fitted()[:, classes]
    temperature, bias = class_bias(own, places)
    machine.fit(sides.weights)
    target = machine.logits(sides.target)[:, classes]
    return Answers(classes, places, own / temperature + bias, target / temperature + bias, temperature, bias)


def fit_by_classes(machine: KernelMachine, answers: Answers, ratio: np.ndarray) -> None:
    """Learn from the source again, each example weighed by its class; labelled target examples count as they are.

    Args:
        machine: of the source.
        answers: say which classes there are.
        ratio: `(k,)` how much more frequent each is in the target, ≥ 0.
    """
    sides = machine.sides
    weights = sides.weights.copy()
    weights[: sides.source] *= ratio[answers.labels]
    machine.fit(weights if weights.sum() > 0 else sides.weights)


def fit_by_examples(machine: KernelMachine, ratio: np.ndarray) -> None:
    """Learn from the source with these weights `(n_s,)`, ≥ 0; labelled target examples count as they are."""
    sides = machine.sides
    weights = sides.weights.copy()
    weights[: sides.source] *= ratio / max(float(ratio.mean()), 1e-12)
    machine.fit(weights if weights.sum() > 0 else sides.weights)
