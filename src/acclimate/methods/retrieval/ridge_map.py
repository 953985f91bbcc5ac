"""Retrieval in closed form: sketches mapped to the means of photos' classes, and a metric that makes these round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, collected
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.networks.cross_modal import CrossModal
from acclimate.networks.linear import ComputedLinear
from acclimate.objectives.class_means import class_means, ridge_map, within_scatter, within_whitening
from acclimate.types import Examples, Passes, Side

_LEAST = 1e-6


class RidgeMap(ClosedForm):
    """What is learnt of classes is kept so general that it holds for classes that training never saw.

    With x a standardised sketch, v a standardised photo and m_y the mean photo of a class:

        u = T W x,   W = argmin  E ‖W x − m_y‖² + λ ‖W − W₀‖²
        v = T v,     T = S_w^−½,   S_w the scatter within classes, of mapped sketches and photos, shrunk by γ

    W₀ is the identity where both sides come in the same features, so that what the encoder knows of other classes
    stays, and 0 elsewhere. Searches compare u and v by their cosine. Nothing is trained by steps: it takes seconds.
    acclimate's own combination. λ and γ were chosen by playing 25 of the 100 other categories of Sketchy as
    unseen, in three draws, never on the 25 of the literature.

    Source: Romera-Paredes & Torr, "An Embarrassingly Simple Approach to Zero-Shot Learning", ICML 2015 (regression to
    what stands for a class); Hatch, Kajarekar & Stolcke, Interspeech 2006 (whitening within classes).
    """

    name: ClassVar[str] = "ridge-map"
    title: ClassVar[str] = "Ridge map to class means"
    paper: ClassVar[str] = "this project"
    problem: ClassVar[str] = "retrieval"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target labels")
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    recipe: ClassVar[Mapping[str, Any]] = {"batch_size": 256}

    ridge: float = Field(3.0, gt=0, le=1e6, description="λ, how strongly the map holds to where it starts.")
    shrinkage: float = Field(0.9, gt=0, le=1, description="γ, how far the metric goes back to a round one.")
    scale: float = Field(20.0, gt=0, le=1000, description="Of the cosines to the classes' means in the logits.")

    def networks(self, architecture: CrossModal, num_classes: int) -> dict[str, nn.Module]:
        """The encoder of queries as it is, and three maps that `solve` fills."""
        width = architecture.width
        return {
            "query_features": architecture.features().requires_grad_(False),
            "query_head": ComputedLinear(architecture.query.width, width, unit=True),
            "item_head": ComputedLinear(width, width, unit=True),
            "classifier": ComputedLinear(width, num_classes),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """The means of the photos' classes, the map to them, the metric, and the means in it as classifier."""
        classifier = nets["classifier"]
        assert isinstance(classifier, ComputedLinear)
        x, labels = _labelled(nets["query_features"], passes.source)
        items, item_labels = _labelled(nn.Identity(), passes.target)
        asked, found = _Standard.of(x), _Standard.of(items)
        x, items = asked(x), found(items)
        means = class_means(items, item_labels, len(classifier.bias))
        same = x.shape[1] == items.shape[1]
        start = np.eye(x.shape[1]) if same else np.zeros((x.shape[1], items.shape[1]))
        mapped = ridge_map(x, means[labels], start, self.ridge)
        scatters = [within_scatter(x @ mapped, labels), within_scatter(items, item_labels)]
        metric = within_whitening(scatters, self.shrinkage)
        _set(nets["query_head"], mapped @ metric, asked)
        _set(nets["item_head"], metric, found)
        towards = np.nan_to_num(means @ metric)
        lengths = np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), _LEAST)
        classifier.set_weights(self.scale * towards / lengths, np.zeros(len(means)))

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """Unit vectors `(b, d)` whose cosines rank."""
        if side == "source":
            x = nets["query_features"](x)
        vectors: Tensor = nets["query_head" if side == "source" else "item_head"](x)
        return vectors


class _Standard:
    """Features less their mean, by their deviation; a feature that never changes by 1."""

    def __init__(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        self.mean, self.deviation = mean, deviation

    @classmethod
    def of(cls, x: np.ndarray) -> _Standard:
        deviation = x.std(axis=0)
        return cls(x.mean(axis=0), np.where(deviation > _LEAST, deviation, 1.0))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.asarray((x - self.mean) / self.deviation)


def _labelled(net: nn.Module, batches: Callable[[], Iterator[Examples]]) -> tuple[np.ndarray, np.ndarray]:
    x, labels = collected(net, batches)
    known = labels >= 0
    return x[known].astype(np.float64), labels[known]


def _set(net: nn.Module, matrix: np.ndarray, standard: _Standard) -> None:
    """Let a layer standardise and then apply a matrix `(d, e)`."""
    assert isinstance(net, ComputedLinear)
    weight = (matrix / standard.deviation[:, None]).T
    net.set_weights(weight, -weight @ standard.mean)
