"""Groups that survive deformation, named by the few labels there are: a method of acclimate's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import SpectralClustering
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.data.warp import restroke, warp
from acclimate.methods.base import Networks, class_loss
from acclimate.methods.facts import Reads
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture, stack
from acclimate.networks.linear import class_rows
from acclimate.objectives.information import mutual_information
from acclimate.types import UNLABELLED, Batch, Passes, Side, Update

_NETWORKS = ("features", "source_classifier", "groups", "classifier")


class MutualViews(Stepwise[Batch]):
    """Learns what two deformed views of a target image have in common, groups images by it, and names the groups.

    For every batch, with v a slightly and w a strongly deformed view of the target images:

        L = CE(C_s(w_s), y_s) + CE(C(w_l), y_l) − I(H(v); H(w)) + [late] CE(C(v), ŷ) + CE(C(w), ŷ)

    The source trains the features through a classifier C_s of its own: its classes need not look like the target's.
    H are more groups than classes, I is their mutual information over views. At the turn, a share `turn` of the way,
    where fewer than `few` labels a class are known, some thousand target images are grouped by spectral clustering of
    their features into k groups, each named by the labelled images in it (the assignment that most of them fit), and
    C starts again from logistic regression on those names. From then on C's certain answers to v, ŷ, are trained on.

    Without a single label the groups' names are arbitrary: read the Fowlkes-Mallows score, not the accuracy.

    Source: acclimate's own, of Ji, Henriques & Vedaldi, ICCV 2019 (mutual information, over-clustering), Ng, Jordan &
    Weiss, NIPS 2001 (spectral clustering), and Sohn et al., "FixMatch", NeurIPS 2020 (certain answers).
    """

    name: ClassVar[str] = "mutual-views"
    title: ClassVar[str] = "Mutual views"
    paper: ClassVar[str] = "this project, after Ji et al., ICCV 2019"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "all at once")
    reads: ClassVar[Reads] = {"images": {}}
    clusters: ClassVar[bool] = True
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar[Mapping[str, Any]] = {
        "steps": 3000,
        "optimizer": "adamw",
        "lr": 1e-3,
        "weight_decay": 1e-2,
        "lr_schedule": "cosine",
    }

    width: int = Field(256, ge=2, description="d, width of the features.")
    groups: int = Field(70, ge=2, description="g, how many groups the views are to agree on; more than classes.")
    turn: float = Field(0.6, gt=0, le=1, description="When to group and name: share of the training steps.")
    few: int = Field(5, ge=0, description="Groups are named where fewer labels a class than this are known.")
    certain: float = Field(0.95, ge=0, le=1, description="Least confidence of an answer that is trained on.")
    information: float = Field(1.0, ge=0, description="Weight of the mutual information.")
    source_weight: float = Field(1.0, ge=0, description="Weight of the source's loss.")
    slight: float = Field(0.35, ge=0, le=1, description="Strength of the slight deformation.")
    strong: float = Field(1.0, ge=0, le=2, description="Strength of the strong deformation.")
    stroke: float = Field(0.7, ge=0, le=1, description="How much strokes are thickened or thinned; 0 for photos.")
    sample: int = Field(6000, ge=10, description="How many target images are grouped; labelled ones always are.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """The architecture's feature extractor and a dense layer of width d, and three linear heads."""
        dense = [nn.Linear(architecture.width, self.width), nn.BatchNorm1d(self.width), nn.ReLU(inplace=True)]
        return {
            "features": stack(architecture.features(), dense),
            "source_classifier": nn.Linear(self.width, num_classes),
            "groups": nn.Linear(self.width, self.groups),
            "classifier": nn.Linear(self.width, num_classes),
        }

    @property
    def between_steps_at(self) -> tuple[float, ...]:
        """One, at the turn."""
        return (self.turn,)

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step over all losses at once."""
        target, labelled = batch.target.x, batch.labelled_target
        parts = [self._strongly(batch.source.x), warp(target, self.slight), self._strongly(target)]
        if labelled is not None:
            parts.append(self._strongly(labelled.x))
        source, slight, strong, *known = nets["features"](torch.cat(parts)).split([len(p) for p in parts])
        source_loss = class_loss(nets["source_classifier"](source), batch.source)
        agreed = mutual_information(*(nets["groups"](view).softmax(dim=1) for view in (slight, strong)))
        loss = self.source_weight * source_loss - self.information * agreed
        logs: dict[str, Tensor | float] = {"source_loss": source_loss.detach(), "information": agreed.detach()}
        trains: tuple[str, ...] = ("features", "source_classifier", "groups")
        if labelled is not None:
            target_loss = class_loss(nets["classifier"](known[0]), labelled)
            loss, logs["target_loss"] = loss + target_loss, target_loss.detach()
            trains = _NETWORKS
        if batch.progress >= self.turn:
            own, kept = self._of_certain_answers(nets["classifier"](slight), nets["classifier"](strong))
            loss, logs["own_loss"], logs["certain"] = loss + own, own.detach(), kept
            trains = _NETWORKS
        yield Update(loss, trains=trains, logs=logs)

    def _strongly(self, images: Tensor) -> Tensor:
        return restroke(warp(images, self.strong), self.stroke)

    def _of_certain_answers(self, slight: Tensor, strong: Tensor) -> tuple[Tensor, Tensor]:
        """Half the cross-entropy of both views with the certain answers to the first, and the share of these."""
        confidence, answers = slight.detach().softmax(dim=1).max(dim=1)
        kept = (confidence >= self.certain).float()
        losses = [F.cross_entropy(logits, answers, reduction="none") for logits in (slight, strong)]
        return 0.5 * ((losses[0] + losses[1]) * kept).mean(), kept.mean()

    def answer(self, nets: Networks, x: Tensor, features: Tensor, side: Side = "target") -> Tensor:
        """C for the target's images, C_s for the source's."""
        return nets["source_classifier" if side == "source" else "classifier"](features)  # type: ignore[no-any-return]

    def between_steps(self, nets: Networks, passes: Passes) -> None:
        """Group and name target images, and let the classifier start from that; nothing where labels are many."""
        classifier = nets["classifier"]
        assert isinstance(classifier, nn.Linear)
        k = classifier.out_features
        labels = np.concatenate([examples.y.cpu().numpy() for examples in passes.target()])
        known = labels != UNLABELLED
        if known.sum() >= self.few * k:
            return
        drawn = np.random.default_rng(0).permutation(len(labels))[: self.sample]
        chosen = np.union1d(drawn, np.flatnonzero(known))
        x, labels = self._features(nets, passes, chosen), labels[chosen]
        mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
        x = (x - mean) / deviation
        names = named(spectral_groups(x, k), labels, k)
        if len(np.unique(names)) < 2:
            return
        fitted = LogisticRegression(C=0.1, max_iter=300).fit(x, names)
        share = 0.5 if len(fitted.classes_) == 2 else 1.0  # of two rows, whose difference is the one logit
        rows = share * fitted.coef_ / deviation
        shifts = share * fitted.intercept_ - rows @ mean
        # Low, but no lower than training can mend: the layer goes on learning.
        weight, bias = class_rows(rows, shifts, fitted.classes_, k, never=-30.0)
        with torch.no_grad():
            classifier.weight.copy_(torch.from_numpy(weight))
            classifier.bias.copy_(torch.from_numpy(bias))

    def _features(self, nets: Networks, passes: Passes, chosen: np.ndarray) -> np.ndarray:
        """Features `(n, d)` of the target examples with these numbers, which rise."""
        found, first = [], 0
        for examples in passes.target():
            own = chosen[(chosen >= first) & (chosen < first + len(examples))] - first
            if len(own):
                found.append(self.embed(nets, examples.x[torch.from_numpy(own)]).double().cpu().numpy())
            first += len(examples)
        return np.concatenate(found)


def spectral_groups(features: np.ndarray, k: int) -> np.ndarray:
    """Groups `(n,)`, k of them, by spectral clustering of the graph of each example's 15 nearest neighbours.

    Args:
        features: `(n, d)`.
        k: how many groups; fewer where there are fewer examples.
    """
    n = len(features)
    if n <= k:
        return np.arange(n)
    found = SpectralClustering(
        k,
        affinity="nearest_neighbors",
        n_neighbors=min(15, n - 1),
        assign_labels="cluster_qr",
        eigen_solver="arpack",
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # parts without an edge between them are groups
        return found.fit_predict(features)  # type: ignore[no-any-return]


def named(groups: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Each example's group's class `(n,)`: the one-to-one assignment that is right for most labelled examples.

    Args:
        groups: `(n,)` in 0…k − 1.
        labels: `(n,)` classes, −1 where unknown; with none known, group i is called class i.
        k: how many there are of each.
    """
    counts = np.zeros((k, k))
    known = labels != UNLABELLED
    np.add.at(counts, (groups[known], labels[known]), 1)
    of_group, classes = linear_sum_assignment(-counts)
    return classes[np.argsort(of_group)][groups]  # type: ignore[no-any-return]
