"""Worlds of one kind of shift, with what weights can win there."""

from __future__ import annotations

import numpy as np

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.synthetic import other_proportions
from acclimate.data.task import Task
from worlds import quick_fit, target_accuracy


def a_corner(n: int = 600) -> Task:
    """The class changes at 0 and again at −2, which a source around 1 hardly sees and the target is all about."""
    rng = np.random.default_rng(0)

    def draw(name: str, centre: float, spread: float) -> Domain:
        x = rng.normal(centre, spread, size=(n, 1))
        labels = ((x[:, 0] > 0) | (x[:, 0] < -2)).astype(int)
        return Domain(x.astype(np.float32), labels, ("no", "yes"), name)

    return Task(draw("source", 1, 1.6), draw("target", -1.8, 0.5), target_test=draw("target test", -1.8, 0.5))


def other_shares() -> Task:
    """Overlapping classes, half and half in the source, nine to one in the target."""
    return other_proportions([0.5, 0.5], [0.9, 0.1], n=800, apart=1.8)


def accuracy(method: str, task: Task, **options: float) -> float:
    """Target accuracy of a method with these hyper-parameters."""
    made = discovery.find("method", method, discovery.methods()).load()(**options)
    return target_accuracy(quick_fit(made, task, normalisation="standard"), task)


def gain(method: str, task: Task, **options: float) -> float:
    """By how much it is more often right than the same model without weights."""
    return accuracy(method, task, **options) - accuracy("kernel-logistic", task, **options)
