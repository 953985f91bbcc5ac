"""Names as a bridge: class-geometry transfer, and one regression that shared columns tie to the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from acclimate.methods.base import Networks, collected
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.heterogeneous.cgt import CGT
from acclimate.networks.columns import Columns
from acclimate.networks.linear import ComputedLinear, class_rows
from acclimate.networks.projectors import Projectors
from acclimate.types import Examples, Passes

_Rows = tuple[np.ndarray, np.ndarray]
_Batches = Callable[[], Iterator[Examples]]


class Bridge(ClosedForm):
    """Where some columns stand on both sides by name, what the source knows of them and what few labels know of all.

    1. A(c | x): the answers of CGT, from the target's few labels and its unlabelled rows.
    2. Each shared column is brought to one scale on both sides by moments in which every class counts the same,

        μ = meanᶜ E[x | c],    σ² = meanᶜ E[x² | c] − μ²,

    with c the source's labels and, on the target, A. Neither units nor how frequent the classes are matter then.
    3. Q: logistic regression of the source on the shared columns. The labelled target, from which it has not learnt,
    says how much it counts: ρ = max(0, 1 + mean log Q(y | x) / log k) is 1 if it is sure and right, and 0 if it knows
    no more than chance.
    4. J: one logistic regression over all of the target's columns; a source row has its shared ones, and the mean, 0,
    in the others. Both sides weigh the same, and in Q and J so does each class of the source.

        min_W,b CE(source) + CE(labelled target) + ‖W‖² / (2 C n_s)

    5. P(c | x) ∝ A(c | x) J(c | x) Q(c | x)^ρ

    J and Q are linear in the columns, so their product is one linear map.

    Source: this project; ρ is the share of uncertainty removed, McFadden's R², 1974.
    """

    name: ClassVar[str] = "bridge"
    title: ClassVar[str] = "Bridge of shared columns"
    paper: ClassVar[str] = "this project"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "few target labels", "shared columns")
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 2**20, "normalisation": "standard"}

    penalty: float = Field(0.1, gt=0, description="C of the regression J, the weight of a source row's loss.")
    weight: float = Field(1.0, ge=0, description="Power of J and of Q^ρ in the answer; 0 leaves CGT's alone.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """CGT's maps, and beside each the columns that J reads."""
        common, width = CGT().networks(architecture, num_classes), architecture.channels
        source, target = zip(*architecture.shared, strict=True)
        return {
            "source_features": Views(common["source_features"], Columns(source, target, width)),
            "target_features": Views(common["target_features"], Columns(range(width), range(width), width)),
            "classifier": Product(common["classifier"], ComputedLinear(width, num_classes), self.weight),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Steps 1 to 4; the fifth is the classifier."""
        source, target, classifier = nets["source_features"], nets["target_features"], nets["classifier"]
        assert isinstance(source, Views)
        assert isinstance(target, Views)
        assert isinstance(classifier, Product)
        common = {"source_features": source.common, "target_features": target.common}
        CGT().solve({**common, "classifier": classifier.common}, passes)
        answers, labels = collected(lambda x: classifier.common(target.common(x)).softmax(dim=1), passes.target)
        known = labels >= 0
        answers[known] = np.eye(answers.shape[1])[labels[known]]
        _to_one_scale(source.columns, target.columns, passes, answers)
        ours, theirs = _labelled(source.columns, passes.source), _labelled(target.columns, passes.target)
        shared = source.columns.places.numpy(force=True)
        classifier.columns.set_weights(*self._by_names(ours, theirs, shared, answers.shape[1]))

    def _by_names(self, source: _Rows, target: _Rows, shared: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Steps 3 and 4: weights `(k, d)` and offsets `(k,)` of log J + ρ log Q."""
        (x, y), (u, v) = source, target
        alone = LogisticRegression(class_weight="balanced", max_iter=1000).fit(x[:, shared], y)
        weight, bias = class_rows(alone.coef_, alone.intercept_, alone.classes_, k, never=0.0)
        logs = log_softmax(u[:, shared] @ weight.T + bias, axis=1)
        trust = max(0.0, 1 + float(logs[np.arange(len(v)), v].mean()) / np.log(k))

        per_class = 1 / np.bincount(y)[y]
        each = np.concatenate([per_class * len(y) / per_class.sum(), np.full(len(v), max(1.0, len(y) / len(v)))])
        joint = LogisticRegression(C=self.penalty, max_iter=1000)
        joint.fit(np.concatenate([x, u]), np.concatenate([y, v]), sample_weight=each)
        rows, offsets = class_rows(joint.coef_, joint.intercept_, joint.classes_, k)
        rows[:, shared] += trust * weight
        return rows, offsets + trust * bias


def _to_one_scale(source: Columns, target: Columns, passes: Passes, answers: np.ndarray) -> None:
    """Step 2. The target's other columns are z-scored as they are."""
    x, y = _labelled(source, passes.source)
    rows, _ = collected(target, passes.target)
    shared = source.places.numpy(force=True)
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    mean[shared], std[shared] = balanced_moments(rows[:, shared], answers)
    target.scale_by(mean, std)
    source.scale_by(*balanced_moments(x[:, shared], np.eye(answers.shape[1])[y]))


def _labelled(columns: Columns, batches: _Batches) -> _Rows:
    """Rows `(n, d)` and labels `(n,)` of a side's labelled examples."""
    rows, labels = collected(columns, batches)
    return rows[labels >= 0], labels[labels >= 0]


def balanced_moments(rows: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation `(d,)` of each column with every class counting the same.

    Args:
        rows: `(n, d)`.
        classes: `(n, k)` how much each row is of each class, ≥ 0; classes that no row is of do not count.
    """
    weights = classes[:, classes.sum(axis=0) > 0]
    weights = weights / weights.sum(axis=0)
    mean = (weights.T @ rows).mean(axis=0)
    variance = (weights.T @ (rows - mean) ** 2).mean(axis=0)
    return mean, np.sqrt(variance)


class Views(nn.Module):
    """What CGT reads of a row, then what J reads of it."""

    def __init__(self, common: nn.Module, columns: Columns) -> None:
        super().__init__()
        self.common, self.columns = common, columns

    def forward(self, x: Tensor) -> Tensor:
        """`(b, d)` to both side by side."""
        return torch.cat([self.common(x), self.columns(x)], dim=1)


class Product(nn.Module):
    """log A + w log J of both views."""

    def __init__(self, common: nn.Module, columns: ComputedLinear, weight: float) -> None:
        super().__init__()
        assert isinstance(common, ComputedLinear)
        self.common, self.columns, self.weight = common, columns, weight

    def forward(self, views: Tensor) -> Tensor:
        """Both views side by side to logits `(b, k)`."""
        width = self.common.weight.shape[1]
        by_labels, by_names = self.common(views[:, :width]), self.columns(views[:, width:])
        logits: Tensor = by_labels.log_softmax(dim=1) + self.weight * by_names.log_softmax(dim=1)
        return logits
