"""ATDOC: its centroids follow the target, and their answers are the labels."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acclimate.methods.classification.atdoc import ATDOC
from acclimate.networks.centroids import Centroids
from acclimate.types import Batch, Examples

X = torch.tensor([[2.0, 0.0], [4.0, 1.0], [0.0, 3.0]])


def networks() -> dict[str, nn.Module]:
    """Features as they come; the first of three classes where the first feature is larger, else the second."""
    classifier = nn.Linear(2, 3, bias=False)
    classifier.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    features = nn.Linear(2, 2, bias=False)
    features.weight.data = torch.eye(2)
    return {"features": features, "classifier": classifier, "centroids": Centroids(3, 2)}


def a_batch(progress: float, target: torch.Tensor = X) -> Batch:
    return Batch(Examples(X, torch.tensor([0, 0, 1])), Examples(target, torch.full((len(target),), -1)), progress)


def centroids(nets: dict[str, nn.Module]) -> Centroids:
    found = nets["centroids"]
    assert isinstance(found, Centroids)
    return found


def test_without_a_centroid_there_is_no_loss_and_then_each_moves_by_its_share() -> None:
    nets, method = networks(), ATDOC(momentum_of_centroids=0.5)
    (update,) = method.updates(nets, a_batch(1.0))
    labels_loss = F.cross_entropy(nets["classifier"](X), torch.tensor([0, 0, 1]))
    assert update.loss.item() == pytest.approx(labels_loss.item())
    assert centroids(nets).present.tolist() == [True, True, False]
    assert centroids(nets).vectors.tolist() == [[1.5, 0.25], [0.0, 1.5], [0.0, 0.0]]
    list(method.updates(nets, a_batch(1.0, X[:1])))  # names no second class, which keeps its centroid
    assert centroids(nets).vectors.tolist() == [[1.75, 0.125], [0.0, 1.5], [0.0, 0.0]]


def test_labels_are_of_the_nearest_centroid_whatever_the_classifier_says() -> None:
    nets, method = networks(), ATDOC(weight=2.0)
    centroids(nets).set(torch.tensor([[0.0, 1.0], [1.0, 0.0], [9.0, 9.0]]), torch.tensor([True, True, False]))
    (update,) = method.updates(nets, a_batch(0.25))
    logits = nets["classifier"](X)
    expected = F.cross_entropy(logits, torch.tensor([0, 0, 1])) + 0.5 * F.cross_entropy(
        logits, torch.tensor([1, 1, 0])
    )
    assert update.loss.item() == pytest.approx(expected.item())
