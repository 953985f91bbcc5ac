"""SHOT: what its steps see and move, its rounds, and a world where the source is nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acclimate.data.synthetic import shifted_blobs
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.source_free.shot import SHOT
from acclimate.networks.centroids import Centroids
from acclimate.objectives.information import information_maximisation
from acclimate.problems.fitting import make_trainer
from acclimate.training.checkpoints import network_tensors
from acclimate.training.hooks import Hooks
from acclimate.training.trainer import Trainer
from acclimate.types import Examples, Passes, TargetBatch
from worlds import quick_fit, target_accuracy, tiny_plan, weights

TASK = shifted_blobs(80, shift=1.0)


def trainer(method: SHOT, **options: object) -> Trainer:
    return make_trainer(tiny_plan(method, TASK, **options), TASK.source, TASK.target, Hooks())


def a_batch(n: int = 12) -> TargetBatch:
    x = torch.from_numpy(TASK.target.array[:n])
    return TargetBatch(Examples((x - x.mean(0)) / x.std(0), torch.full((n,), -1)), 0.0)


def nearest(centroids: nn.Module, x: torch.Tensor) -> int:
    assert isinstance(centroids, Centroids)
    cosines = {
        c: float(x @ vector / vector.norm()) for c, vector in enumerate(centroids.vectors) if centroids.present[c]
    }
    return max(cosines, key=lambda c: cosines[c])


def test_the_loss_is_its_terms_added_up_and_moves_the_features_alone() -> None:
    method = SHOT(weight=0.7, rounds=1)
    made = trainer(method)
    nets, batch = made.nets, a_batch()
    for net in nets.values():
        net.eval()
    with torch.no_grad():
        method.between_steps(nets, Passes(lambda: iter(()), lambda: iter([batch.target])))
    (update,) = method.updates(nets, batch)
    logits = method.logits(nets, batch.target.x)
    with torch.no_grad():
        unit = F.normalize(torch.cat([nets["features"](batch.target.x), torch.ones(12, 1)], dim=1), dim=1)
    near = [nearest(nets["centroids"], row) for row in unit]
    expected = information_maximisation(logits) + 0.7 * F.cross_entropy(logits, torch.tensor(near))
    assert float(update.loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert update.trains == ("features",)


def test_the_sources_classifier_is_the_one_that_answers_in_the_end() -> None:
    made = trainer(SHOT(), steps=5)
    before = {name: value.clone() for name, value in made.nets["classifier"].state_dict().items()}
    made.train()
    assert all(torch.equal(value, before[name]) for name, value in made.nets["classifier"].state_dict().items())


@pytest.mark.parametrize(("rounds", "steps", "expected"), [(1, 6, {0}), (3, 6, {0, 2, 4}), (15, 6, set(range(6)))])
def test_rounds_are_spread_evenly_and_the_first_comes_before_any_step(
    rounds: int, steps: int, expected: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, seen = trainer(SHOT(rounds=rounds), steps=steps), []
    monkeypatch.setattr(SHOT, "between_steps", lambda self, nets, passes: seen.append(made.step))
    monkeypatch.setattr(SHOT, "_pseudo_labels", lambda self, nets, x: torch.zeros(len(x), dtype=torch.long))
    made.train()
    assert set(seen) == expected


def test_between_two_rounds_labels_keep_still_while_features_move() -> None:
    made, method = trainer(SHOT(rounds=1), steps=8, lr=0.5), SHOT(rounds=1)
    made.train_step = lambda: setattr(made, "step", made.step + 1)  # type: ignore[method-assign]
    made.train()
    x = a_batch().target.x
    before = method._pseudo_labels(made.nets, x)
    for parameter in made.nets["features"].parameters():
        torch.nn.init.normal_(parameter)
    assert torch.equal(method._pseudo_labels(made.nets, x), before)


def test_no_step_is_shown_a_source_example() -> None:
    """With the same first weights, other source examples and other labels of theirs change nothing."""
    other = replace(TASK.source, inputs=-TASK.source.array, labels=np.roll(TASK.source.labels, 7))
    found = []
    for source in (TASK.source, other):
        made = make_trainer(tiny_plan(SHOT(), TASK), source, TASK.target, Hooks())
        with torch.random.fork_rng():
            torch.manual_seed(0)
            made.train()
        found.append(network_tensors(made.nets))
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_fitted_to_both_sides_it_first_learns_from_the_source() -> None:
    options = {"steps": 120, "lr": 0.05}
    alone, adapted = quick_fit(SourceOnly(), TASK, **options), quick_fit(SHOT(), TASK, **options)
    assert target_accuracy(adapted, TASK) >= target_accuracy(alone, TASK)
    assert target_accuracy(adapted, TASK) > 0.9
    before, after = weights(alone), weights(adapted)
    assert not torch.equal(before["features.0.weight"], after["features.0.weight"])
