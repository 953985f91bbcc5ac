"""What several tests need: tiny networks and quick fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.given_sources import join_sources
from acclimate.data.task import Task
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.metrics.classification import accuracy
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.training.fitted import Fitted
from acclimate.training.plan import Plan


class TinyNet(nn.Sequential):
    """Two convolutions with batch norm and dropout, so that every kind of state is in play; 8×8 → 16 features.

    The weights of the second have several channels on both sides, so that their layout in memory can be told.
    """

    def __init__(self, channels: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels, 3, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Dropout(0.2),
            nn.Flatten(),
        )


def small(method: type[Method]) -> Method:
    """The method, with narrow networks where it brings its own."""
    return method(**{option: 2 for option in ("maps", "critic_maps") if option in method.model_fields})


def with_numbers(task: Task, scale: float = 50.0, offset: float = -20.0) -> Task:
    """The task with numbers in the place of its classes: the class, and a little of what it looks like."""

    def numbered(domain: Domain, labels: np.ndarray) -> Domain:
        looks = domain.array.reshape(len(domain), -1).astype(np.float64).mean(axis=1)
        numbers = offset + scale * (labels + 0.1 * looks / (1 + np.abs(looks).max()))
        return Domain(domain.inputs, numbers=np.where(labels < 0, np.nan, numbers), name=domain.name, ids=domain.ids)

    assert task.hidden is not None
    assert task.target_test is not None
    return Task(
        numbered(task.source, task.source.labels),
        numbered(task.target, task.hidden.target),
        target_test=numbered(task.target_test, task.hidden.target_test),
    )


def tiny_plan(method: Method, task: Task, **options: Any) -> Plan:
    """A plan small enough for a test; images get `TinyNet`."""
    torch.manual_seed(0)
    network = TinyNet() if task.source.kind == "images" and needs.only_network(method) is None else None
    settings = {"steps": 6, "batch_size": 16, "precision": "fp32", "evaluations": 2, **options}
    return make_plan(method, task.source, task.target, network=network, options=settings)


def quick_fit(method: Method, task: Task, **options: Any) -> Fitted:
    """Fit a tiny plan."""
    return fit(tiny_plan(method, task, **options), task.source, task.target)


def target_accuracy(fitted: Fitted, task: Task) -> float:
    """Accuracy on the held-out target."""
    assert task.target_test is not None
    assert task.hidden is not None
    return accuracy(fitted.outputs(task.target_test).logits, task.hidden.target_test)


def weights(fitted: Fitted) -> dict[str, torch.Tensor]:
    """All weights and buffers, by network and name."""
    return {f"{n}.{k}": v for n, net in fitted.nets.items() for k, v in net.state_dict().items()}


def same_weights(one: Fitted, two: Fitted) -> bool:
    """Bit for bit."""
    a, b = weights(one), weights(two)
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def at_odds(n: int = 120, seed: int = 0) -> Task:
    """Two sources in two places, of opposite labels; the target lies where the second one does."""
    rng = np.random.default_rng(seed)

    def place(at: float, turned: bool, name: str) -> Domain:
        points = rng.normal(size=(n, 2)).astype(np.float32)
        labels = (points[:, 0] > 0).astype(int)
        return Domain(points + np.array([0, at], np.float32), 1 - labels if turned else labels, ("a", "b"), name)

    sources = join_sources({"far": place(0, False, "far"), "near": place(8, True, "near")})
    return Task(sources, place(8, True, "target"), target_test=place(8, True, "test"))
