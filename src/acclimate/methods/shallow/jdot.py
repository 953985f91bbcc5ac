"""Joint distribution optimal transport (Courty, Flamary, Habrard & Rakotomamonjy, NIPS 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.shallow.common import Vectors, few_enough, transport, vectors
from acclimate.networks.linear import class_rows
from acclimate.networks.projection import Projection
from acclimate.types import Passes

_SHARE, _STILL, _BEFORE, _ITERATIONS = 1e-6, 1e-5, 10.0, 10_000_000


class JDOT(ClosedForm):
    """A classifier of the target, and the transport of source labels onto it, each the best for the other.

        min_{f, γ}  Σ_ij γ_ij ((1 − α) ‖x_i − y_j‖² / mean + α CE(f(y_j), label of i))

    γ has uniform margins. It is found exactly with f fixed (first without f); then f is the logistic regression of
    the labels that γ brings to each target example, soft ones counting by their shares. It ends when the cost of the
    plan or the loss of f changes by less than 10⁻⁵, or after so many rounds. Labels that the user gave replace what
    γ brings. Nothing of the source is kept: f is linear in the inputs, and answers whatever comes.

    Transductive: the target's training examples are part of the fit. Others are answered later by what it left.

    Source: Courty et al., "Joint Distribution Optimal Transportation for Domain Adaptation", NIPS 2017, algorithm 1,
    with the costs, the classifier and the ends that skada has for it.
    """

    name: ClassVar[str] = "jdot"
    title: ClassVar[str] = "JDOT"
    paper: ClassVar[str] = "Courty, Flamary, Habrard & Rakotomamonjy, NIPS 2017"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False

    alpha: float = Field(0.5, ge=0, le=1, description="α, weight of labels against inputs in the cost.")
    penalty: float = Field(1.0, gt=0, description="C, weight of the examples' losses against the squared weights.")
    rounds: int = Field(100, ge=1, le=10_000, description="How often each is found at most.")

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """Inputs as they are, and the classifier."""
        return {"features": nn.Flatten(), "classifier": Projection(num_classes)}

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the plan and the classifier in turn."""
        found = few_enough(self.name, vectors(passes))
        before = np.full(2, np.inf)
        rounds = self._rounds(found)
        model, costs = next(rounds)
        while np.abs(costs - before).min() > _STILL:
            before = costs
            model, costs = next(rounds, (model, costs))
        classifier = nets["classifier"]
        assert isinstance(classifier, Projection)
        weight, bias = class_rows(model.coef_, model.intercept_, model.classes_, len(classifier.bias))
        classifier.adopt(weight=weight, bias=bias)

    def _rounds(self, found: Vectors) -> Iterator[tuple[LogisticRegression, np.ndarray]]:
        """The classifier after each round; the cost of its plan, and its loss on the labels that this brought."""
        ot, known = transport(), found.source_labels >= 0
        classes, places = np.unique(found.source_labels[known], return_inverse=True)
        one_hot = np.eye(len(classes))[places]
        of_inputs = ot.dist(found.source[known], found.target)
        of_inputs /= of_inputs.mean() or 1.0
        # Before there is a classifier all labels cost alike, which moves no plan.
        of_labels, cost = np.full_like(of_inputs, _BEFORE), (1 - self.alpha) * of_inputs
        for _ in range(self.rounds):
            plan = ot.emd([], [], cost, numItermax=_ITERATIONS)
            joint = float((plan * ((1 - self.alpha) * of_inputs + self.alpha * of_labels)).sum())
            model, own = self._fitted(found, plan.T @ one_hot * len(found.target), classes)
            yield model, np.array([joint, own])
            of_labels = -one_hot @ model.predict_log_proba(found.target).T
            cost = (1 - self.alpha) * of_inputs + self.alpha * of_labels

    def _fitted(self, found: Vectors, brought: np.ndarray, classes: np.ndarray) -> tuple[LogisticRegression, float]:
        """A classifier of soft labels `(m, k)`, given as examples of several classes by weight, and its loss."""
        given = found.target_labels >= 0
        brought[given] = found.target_labels[given, None] == classes
        rows, columns = np.nonzero(brought > _SHARE * brought.max())
        weights = brought[rows, columns]
        model = LogisticRegression(C=self.penalty, max_iter=1_000)
        model.fit(found.target[rows], classes[columns], weights)
        logs = model.predict_log_proba(found.target)[rows, np.searchsorted(model.classes_, classes[columns])]
        return model, float(-(logs * weights).sum() / len(found.target))
