"""How good translations are, judged by classifiers that were trained on real images of the side they claim to be of.

A judge learns from every label that is known of its side, hidden target labels included. So it is asked after the
fact only: nothing of what it says reaches a training or a choice.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.metrics.classification import accuracy
from acclimate.metrics.frechet import frechet_distance
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.problems.translation.examples import known_labels
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED, Side, other_side

_SIDES: tuple[Side, Side] = ("source", "target")
_STEPS = 1000
_LEAST, _MOST = 500, 5000  # fewer labelled examples make no judge, more images add nothing


def translation_scores(fitted: Fitted, task: Task) -> dict[str, float]:
    """How often translations keep their class, and how far they lie from real images, both ways.

    For each side S that something is translated to: `to_S_kept`, share of translated test images whose class S's
    judge tells; `to_S_frechet`, Fréchet distance of the judge's features between them and real test images of S;
    `S_frechet`, the same between real training and real test images of S, as many of each, a floor; `S_judge`, the
    judge's accuracy on real test images, a ceiling for `to_S_kept`.

    Args:
        fitted: a model of translation.
        task: with its answers. A side without test images or enough known labels is not judged.
    """
    scores: dict[str, float] = {}
    for to in _SIDES:
        origin = other_side(to)
        (train, test), (_, given) = _labelled(task, to), _labelled(task, origin)
        if train is None or test is None or given is None:
            continue
        judge = _judge(train)
        made = replace(given, inputs=fitted.translated(given, origin).translated)
        on_made, on_real, on_train = (judge.outputs(d) for d in (made, test, train.take(slice(len(test)))))
        scores |= {
            f"to_{to}_kept": accuracy(on_made.logits, given.labels),
            f"to_{to}_frechet": frechet_distance(on_made.features, on_real.features),
            f"{to}_frechet": frechet_distance(on_train.features, on_real.features),
            f"{to}_judge": accuracy(on_real.logits, test.labels),
        }
    return scores


def _labelled(task: Task, side: Side) -> tuple[Domain | None, Domain | None]:
    """Training and test images of a side with every label that is known, in an order of chance."""
    found: list[Domain | None] = []
    for role in (side, f"{side}_test"):
        domain: Domain | None = getattr(task, role)
        if domain is None:
            found.append(None)
            continue
        labels = known_labels(task, role)
        known = np.flatnonzero((labels != UNLABELLED) & (labels < task.num_classes))
        order = np.random.default_rng(0).permutation(known)[: _MOST if role != side else None]
        named = replace(domain, labels=labels, classes=task.classes).take(order)
        found.append(replace(named, classes=task.source.classes) if len(order) >= _LEAST else None)
    return found[0], found[1]


def _judge(train: Domain) -> Fitted:
    """A plain classifier of one side's images, always the same for the same images."""
    method = discovery.methods()["source-only"].load()()
    plan = make_plan(method, train, train.unlabelled(), options={"steps": _STEPS, "seed": 0})
    return fit(plan, train, train.unlabelled())
