"""Class-geometry transfer: target labels spread by neighbours, corrected by which classes the source finds alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.base import Networks, collected
from acclimate.methods.closed_form import ClosedForm
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.projectors import Projectors
from acclimate.objectives.class_geometry import centroid_gram, gram_alignment, mantel
from acclimate.objectives.graphs import spread_labels
from acclimate.types import Passes

_GRAPHS = ((20, 7), (20, 15), (20, 30), (40, 7), (40, 15), (40, 30), (80, 7), (80, 15), (80, 30))
_DAMPING, _SPREAD, _SHARPNESS = 0.25, 0.8, 6.0
_MATCHED = 40
# C of the last regression: large enough to answer as P does on nearly all rows it is fitted to.
_FIDELITY = 1000.0
_STEPS, _RATE, _DECAY, _LABELS = 100, 0.05, 0.01, 0.3


class CGT(ClosedForm):
    """Spreads few target labels over the target, then corrects them by which classes the source finds alike.

    1. Features x ≥ 0 become √x, all are scaled to length 1, centred, and turned to principal components z.
    2. A: logistic regression on the labelled target. G: labels spread over graphs of nearest neighbours, the mean of
       nine (20, 40, 80 components by 7, 15, 30 neighbours). Their geometric mean B ∝ √(A G) needs no source.
    3. The source enters by its class geometry Γ_s, the Gram matrix of its class centroids. Mantel's test against the
       target's, Γ_t by B, gives a correlation r and a p-value; the source's share is ρ = max(r, 0) max(0, 1 − 2p), so
       a source that tells nothing counts for nothing.
    4. P = softmax(log B + z W) is drawn to the blend of both:

        min_W KL(B ‖ P) + 0.3 CE(labelled) + 0.01 ‖W‖² / k − 2 cos(Γ(P), ρ Γ_s + (1 − ρ) Γ_t)

    5. Multinomial regression on P over all target rows is the classifier, for rows not seen as well. The source gets
       into the common space by ridge regression onto the target's centroids of its classes.

    No step but the fourth descends a gradient, and that takes a second, so there is nothing to schedule. What the
    source adds is small where the target has clear clusters; docs/results.md shows it beside sources that are
    permuted or random.

    Source: this project; step 2 rests on Zhou et al., NIPS 2003, step 3 on Mantel, 1967.
    """

    name: ClassVar[str] = "cgt"
    title: ClassVar[str] = "CGT"
    paper: ClassVar[str] = "this project"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "few target labels")
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 2**20, "normalisation": "rows"}

    common: int = Field(512, ge=1, description="Most principal components of the target that are kept.")
    penalty: float = Field(10.0, gt=0, description="C of the first regression, the losses' weight.")
    alignment: float = Field(2.0, ge=0, description="Weight of the class geometry in step 4.")
    source_weight: float = Field(1.0, ge=0, le=1, description="Factor on the source's share ρ; 0 leaves it out.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """Linear maps that `solve` computes."""
        width = min(self.common, architecture.channels)
        return {
            "source_features": RootProjection(architecture.source_channels, width),
            "target_features": RootProjection(architecture.channels, width),
            "classifier": ComputedLinear(width, num_classes),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Steps 1 to 5."""
        source, target, classifier = nets["source_features"], nets["target_features"], nets["classifier"]
        assert isinstance(source, RootProjection)
        assert isinstance(target, RootProjection)
        assert isinstance(classifier, ComputedLinear)
        k = len(classifier.bias)

        rows, labels = collected(nn.Identity(), passes.target)
        rows = target.take_roots(rows)
        pca = PCA(min(len(target.offset), len(rows) - 1), random_state=0).fit(rows)
        scales = pca.singular_values_[pca.singular_values_ > 1e-6 * pca.singular_values_[0]]
        directions = pca.components_[: len(scales)]
        target.set_weights(directions, directions @ pca.mean_)
        components = (rows - pca.mean_) @ directions.T
        known = np.eye(k)[labels] * (labels >= 0)[:, None]

        base = self._base(components, scales, known)
        matched = _unit(components[:, :_MATCHED])
        source_rows, source_labels = collected(nn.Identity(), passes.source)
        source_rows = source.take_roots(source_rows)
        goal = self._goal(matched, base, known, source_rows, np.eye(k)[source_labels])
        refined = self._refine(base, matched, labels, goal)
        refined = np.where(labels[:, None] >= 0, known, refined)

        unit = _unit(components)
        classifier.set_weights(*soft_regression(unit, refined, _FIDELITY))
        centroids = (refined.T @ unit) / refined.sum(axis=0)[:, None]
        ridge = Ridge(1.0).fit(source_rows, centroids[source_labels])
        source.set_weights(ridge.coef_, -ridge.intercept_)

    def _base(self, components: np.ndarray, scales: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Step 2: B `(n, k)`."""
        given = np.asarray(known.any(axis=1))
        unit = _unit(components)
        regression = LogisticRegression(C=self.penalty, max_iter=1000).fit(unit[given], known[given].argmax(axis=1))
        linear = regression.predict_proba(unit)
        graph: np.ndarray = np.mean(
            [
                spread_labels(_unit(components[:, :d] / scales[:d] ** _DAMPING), known, near, _SPREAD, _SHARPNESS)
                for d, near in _GRAPHS
            ],
            axis=0,
        )
        base: np.ndarray = softmax((np.log(linear + 1e-6) + np.log(graph + 1e-6)) / 2, axis=1)
        return base

    def _goal(
        self, rows: np.ndarray, base: np.ndarray, known: np.ndarray, source: np.ndarray, classes: np.ndarray
    ) -> np.ndarray:
        """Step 3: the blend of both sides' class geometries, `(k, k)`."""
        sharpened = base**3 / (base**3).sum(axis=1, keepdims=True)
        own = centroid_gram(rows, sharpened)
        theirs = centroid_gram(_unit(source - source.mean(axis=0)), classes)
        r, p = mantel(theirs, centroid_gram(rows, np.where(known.any(axis=1, keepdims=True), known, base)))
        share = self.source_weight * max(r, 0.0) * max(0.0, 1 - 2 * p)
        return share * theirs + (1 - share) * own

    def _refine(self, base: np.ndarray, rows: np.ndarray, labels: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Step 4: P `(n, k)`."""
        logs, z, wanted = (torch.from_numpy(a) for a in (np.log(base + 1e-4), rows, goal))
        given = torch.from_numpy(np.flatnonzero(labels >= 0))
        truth = torch.from_numpy(labels)[given]
        before = logs.log_softmax(dim=1)
        weights = torch.zeros(z.shape[1], base.shape[1], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([weights], _RATE)
        with torch.enable_grad():
            for _ in range(_STEPS):
                after = (logs + z @ weights).log_softmax(dim=1)
                loss = (
                    (before.exp() * (before - after)).sum(dim=1).mean()
                    + _LABELS * F.nll_loss(after[given], truth)
                    + _DECAY * weights.square().sum() / base.shape[1]
                    - self.alignment * gram_alignment(z, after.exp(), wanted)
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return (logs + z @ weights).softmax(dim=1).detach().numpy()


class RootProjection(nn.Module):
    """Square roots where there is nothing negative, rows of length 1, and an affine map onto rows of length 1.

    Args:
        inputs: width of the rows.
        outputs: width of the common space.
    """

    weight: Tensor
    offset: Tensor
    roots: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(outputs, inputs))
        self.register_buffer("offset", torch.zeros(outputs))
        self.register_buffer("roots", torch.tensor(False))

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs)` to `(b, outputs)`."""
        rows = F.normalize(x.clamp_min(0).sqrt() if self.roots else x)
        return F.normalize(F.linear(rows, self.weight, -self.offset))

    def take_roots(self, rows: np.ndarray) -> np.ndarray:
        """Decide whether to take square roots, and the rows `(n, inputs)` before the affine map."""
        self.roots.fill_(bool((rows >= 0).all()))
        return _unit(np.sqrt(rows) if self.roots else rows)

    def set_weights(self, weight: np.ndarray, offset: np.ndarray) -> None:
        """Set the first rows; any beyond stay zero."""
        self.weight[: len(weight)] = torch.from_numpy(weight).to(self.weight)
        self.offset[: len(offset)] = torch.from_numpy(offset).to(self.offset)


def soft_regression(rows: np.ndarray, targets: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression on soft labels.

        min_W,b −Σ_ic p_ic log softmax(W z_i + b)_c + ‖W‖² / (2 C)

    Args:
        rows: z `(n, d)`.
        targets: p `(n, k)`.
        penalty: C.

    Returns:
        W `(k, d)` and b `(k,)`.
    """
    n, d = rows.shape
    k = targets.shape[1]
    inputs = np.concatenate([rows, np.ones((n, 1))], axis=1)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(d + 1, k)
        logs = log_softmax(inputs @ weights, axis=1)
        shrunk = np.concatenate([weights[:-1], np.zeros((1, k))])
        gradient = inputs.T @ (np.exp(logs) - targets) + shrunk / penalty
        return float(-(logs * targets).sum() + (shrunk**2).sum() / (2 * penalty)), gradient.ravel()

    found = minimize(loss, np.zeros((d + 1) * k), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    weights = found.x.reshape(d + 1, k)
    return weights[:-1].T, weights[-1]


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; rows of zeros stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)  # type: ignore[no-any-return]
