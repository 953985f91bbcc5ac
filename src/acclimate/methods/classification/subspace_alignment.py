"""Subspace alignment (Fernando, Habrard, Sebban & Tuytelaars, ICCV 2013)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from acclimate.methods.base import Networks, collected, label_loss, of_rows, sample_weights
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.types import Batch, Passes, Update


class AlignedSVM(nn.Module):
    """A linear classifier on target features seen through the aligned subspace; weights are set, not trained."""

    def __init__(self, width: int, components: int, num_classes: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, components).requires_grad_(False)
        self.score = nn.Linear(components, num_classes).requires_grad_(False)
        self.register_buffer("fitted", torch.tensor(False))
        self.fitted: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """`(b, d)` features to `(b, k)` scores."""
        return self.score(self.project(features))  # type: ignore[no-any-return]


class SubspaceAlignment(Stepwise[Batch]):
    """The source's principal subspace turned onto the target's, and a linear SVM there.

        M = P_sᵀ P_t,    source → S P_s M,    target → T P_t

    P_s and P_t hold the first p principal directions of the z-scored source and target features (each side by its own
    mean and deviation). As in the DANN paper, the features are the last hidden layer of the label predictor, or of
    the feature extractor where the predictor is a single layer, of a network trained on the source alone, which stays
    as it is. That paper chose p in 2…60 by the target's test labels; here p is fixed beforehand.

    Source: Fernando et al., "Unsupervised Visual Domain Adaptation Using Subspace Alignment", ICCV 2013, section 3.
    """

    name: ClassVar[str] = "sa"
    also: ClassVar[tuple[str, ...]] = ("SA",)
    title: ClassVar[str] = "SA"
    paper: ClassVar[str] = "Fernando et al., ICCV 2013"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "all at once")

    components: int = Field(40, ge=1, description="p, dimensions of the subspaces.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """The source-only networks and the aligned classifier."""
        nets = super().networks(architecture, num_classes)
        _, width = hidden_layers(nets["classifier"], architecture.width)
        return {**nets, "aligned": AlignedSVM(width, min(self.components, width), num_classes)}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the source's label loss."""
        loss = label_loss(lambda x: nets["classifier"](nets["features"](x)), *batch.labelled)
        yield Update(loss, trains=("features", "classifier"), logs={"label_loss": loss.detach()})

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """The aligned SVM once it is fitted; the network's own classifier until then."""
        if not nets["aligned"].fitted:
            return nets["classifier"](features)  # type: ignore[no-any-return]
        hidden, _ = hidden_layers(nets["classifier"], features.shape[1])
        return nets["aligned"](hidden(features))  # type: ignore[no-any-return]

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """Find both subspaces, align them, and fit the SVM."""
        aligned = nets["aligned"]
        assert isinstance(aligned, AlignedSVM)
        hidden, _ = hidden_layers(nets["classifier"], aligned.project.in_features)
        source, labels = collected(lambda x: hidden(nets["features"](x)), passes.source)
        target, target_labels = collected(lambda x: hidden(nets["features"](x)), passes.target)
        p = min(aligned.project.out_features, len(source) - 1, len(target) - 1)

        source_scale, target_scale = StandardScaler().fit(source), StandardScaler().fit(target)
        source_z, target_z = source_scale.transform(source), target_scale.transform(target)
        source_basis = PCA(p, svd_solver="covariance_eigh").fit(source_z).components_.T  # (d, p)
        target_basis = PCA(p, svd_solver="covariance_eigh").fit(target_z).components_.T  # (d, p)
        moved = source_z @ source_basis @ (source_basis.T @ target_basis)  # (n_s, p)

        given = target_labels >= 0
        inputs = np.concatenate([moved, (target_z @ target_basis)[given]])
        weights = of_rows(sample_weights(passes.source, passes.target), np.append(labels >= 0, given))
        svm = LinearSVC(random_state=0).fit(inputs, np.concatenate([labels, target_labels[given]]), weights)
        projection = target_basis / target_scale.scale_[:, None]
        _set_linear(aligned.project, projection.T, -(target_scale.mean_ @ projection))
        _set_scores(aligned.score, svm)
        aligned.fitted.fill_(True)


def hidden_layers(classifier: nn.Module, width: int) -> tuple[nn.Module, int]:
    """All layers of a label predictor but the last, sharing its weights, and the width of what they give.

    Args:
        classifier: maps `(b, d)` features to logits.
        width: d; what comes out of a predictor that has no hidden layer.
    """
    if isinstance(classifier, nn.Sequential) and isinstance(classifier[-1], nn.Linear):
        return classifier[:-1], classifier[-1].in_features
    return nn.Identity(), width


def _set_linear(layer: nn.Linear, weight: np.ndarray, bias: np.ndarray) -> None:
    """Set a layer's first rows; any rows beyond become zero."""
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[: len(weight)] = torch.from_numpy(weight).to(layer.weight)
        layer.bias[: len(bias)] = torch.from_numpy(bias).to(layer.bias)


def _set_scores(layer: nn.Linear, svm: LinearSVC) -> None:
    """Copy the SVM's decision function, one row per class; classes it never saw can never win."""
    weight = np.zeros((layer.out_features, layer.in_features))
    bias = np.full(layer.out_features, -1e9)
    coefficients, intercepts = svm.coef_, svm.intercept_
    if len(svm.classes_) == 2:
        coefficients, intercepts = (
            np.concatenate([-coefficients, coefficients]),
            np.array([-intercepts[0], intercepts[0]]),
        )
    weight[svm.classes_, : coefficients.shape[1]] = coefficients
    bias[svm.classes_] = intercepts
    _set_linear(layer, weight, bias)
