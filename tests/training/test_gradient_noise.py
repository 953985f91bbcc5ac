"""Noise in gradients: as much as the formula says, the same everywhere and again, and none unless asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.synthetic import dimmed_bars, shifted_blobs, two_vocabularies
from acclimate.errors import RequestError
from acclimate.methods.classification.mcd import MCD
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.heterogeneous.ssan import SSAN
from acclimate.methods.sentiment.amn import AMN
from acclimate.problems.fitting import fit, make_trainer
from acclimate.problems.planning import make_plan
from acclimate.training.gradient_noise import add_gradient_noise, noise_variance
from acclimate.training.hooks import Hooks
from acclimate.training.randomness import seeded
from worlds import quick_fit, same_weights, tiny_plan, weights


def noise(*, eta: float = 0.3, seed: int = 0, step: int = 0, update: int = 0, numbers: int = 100_000) -> torch.Tensor:
    """What is added to gradients of zero."""
    net = nn.ParameterList([torch.zeros(numbers)])
    net[0].grad = torch.zeros(numbers)
    add_gradient_noise([net], eta, seed, step, update)
    return net[0].grad


@pytest.mark.parametrize(("eta", "step", "variance"), [(0.3, 0, 0.3), (1.0, 1, 0.68302), (0.01, 999, 0.00022387)])
def test_the_variance_is_that_of_the_formula(eta: float, step: int, variance: float) -> None:
    assert noise_variance(eta, step) == pytest.approx(variance, rel=1e-4)
    drawn = noise(eta=eta, step=step).double()
    # Five standard errors of a variance and of a mean of 100,000 normal numbers.
    assert drawn.var().item() == pytest.approx(variance, rel=5 * (2 / 100_000) ** 0.5)
    assert drawn.mean().item() == pytest.approx(0, abs=5 * (variance / 100_000) ** 0.5)


def test_every_step_update_and_seed_has_noise_of_its_own() -> None:
    drawn = [noise(), noise(step=1), noise(step=2), noise(update=1), noise(seed=1)]
    between = np.corrcoef(torch.stack([d / d.std() for d in drawn]).numpy()) - np.eye(len(drawn))
    assert np.abs(between).max() < 0.02
    assert torch.equal(noise(), drawn[0])


def test_no_other_draw_is_moved() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    noise()
    assert torch.equal(before, torch.get_rng_state())


def test_padding_and_what_has_no_gradient_get_none_and_shared_parameters_one() -> None:
    words, other = nn.Embedding(5, 3, padding_idx=0), nn.Linear(2, 2)
    words.weight.grad = torch.zeros_like(words.weight)
    add_gradient_noise([words, other, words], 0.3, 0, 0, 0)
    found = words.weight.grad
    assert not found[0].any()
    assert found[1:].all()
    assert other.weight.grad is None
    words.weight.grad = torch.zeros_like(words.weight)
    add_gradient_noise([words], 0.3, 0, 0, 0)
    assert torch.equal(words.weight.grad, found)


def test_it_is_what_an_update_trains_that_moves_and_after_clipping() -> None:
    task = shifted_blobs(64)
    settings = {"steps": 1, "optimizer": "sgd", "lr": 1.0, "momentum": 0.0, "clip_norm": 1e-9, "gradient_noise": 0.01}
    plan = make_plan(SourceOnly(), task.source, task.target, options={**settings, "precision": "fp32"})
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    before = {n: p.detach().clone() for net in trainer.nets.values() for n, p in net.named_parameters()}
    trainer.train_step()
    moved = [before[n] - p.detach() for net in trainer.nets.values() for n, p in net.named_parameters()]
    flat = torch.cat([m.flatten() for m in moved])
    assert flat.std().item() == pytest.approx(0.1, rel=5 / (2 * len(flat)) ** 0.5)


def test_it_stays_as_it_begins_where_it_does_not_decay() -> None:
    task = shifted_blobs(64)
    settings = {"steps": 9, "optimizer": "sgd", "lr": 1.0, "momentum": 0.0, "clip_norm": 1e-9, "gradient_noise": 0.01}
    for decay, deviation in ((0.0, 0.1), (2.0, 0.1 / 9)):
        options = {**settings, "gradient_noise_decay": decay, "precision": "fp32"}
        trainer = make_trainer(
            make_plan(SourceOnly(), task.source, task.target, options=options), task.source, task.target, Hooks()
        )
        for _ in range(8):
            trainer.train_step()
        before = torch.cat([p.detach().clone().flatten() for net in trainer.nets.values() for p in net.parameters()])
        trainer.train_step()
        after = torch.cat([p.detach().flatten() for net in trainer.nets.values() for p in net.parameters()])
        assert (after - before).std().item() == pytest.approx(deviation, rel=5 / (2 * len(after)) ** 0.5)


def test_none_is_bit_for_bit_what_it_was() -> None:
    task = dimmed_bars(40)
    plain, none, some, again = (
        quick_fit(MCD(), task, **options)
        for options in ({}, {"gradient_noise": 0}, {"gradient_noise": 0.01}, {"gradient_noise": 0.01})
    )
    assert same_weights(plain, none)
    assert same_weights(some, again)
    assert not same_weights(plain, some)


def test_a_training_that_is_resumed_adds_what_it_would_have_added() -> None:
    task = dimmed_bars(40)
    plan = tiny_plan(MCD(), task, gradient_noise=0.01, optimizer="adam")
    whole = weights(fit(plan, task.source, task.target))
    first = make_trainer(plan, task.source, task.target, Hooks())
    with seeded(1, first.device):
        for _ in range(3):
            first.train_step()
        snapshot = first.snapshot()
    second = make_trainer(plan, task.source, task.target, Hooks())
    with seeded(2, second.device):
        second.restore(snapshot)
        second.train()
    found = {f"{n}.{k}": v for n, net in second.nets.items() for k, v in net.state_dict().items()}
    assert all(torch.equal(whole[name], value) for name, value in found.items())


def test_the_vector_of_padding_stays_zero_in_a_memory_network() -> None:
    task = two_vocabularies(40)
    options = {"steps": 4, "word_vectors": "random", "gradient_noise": 1.0, "batch_size": 8}
    fitted = fit(make_plan(AMN(), task.source, task.target, options=options), task.source, task.target)
    words = fitted.nets["features"].words.weight  # type: ignore[union-attr]
    assert not words[0].any()
    assert words[1:].any()


def test_rows_are_trained_on_as_they_are() -> None:
    """In the space of a few rows, the weights that no row reaches would get no noise."""
    rng = np.random.default_rng(0)
    source = Domain(rng.normal(size=(8, 30)).astype("f"), np.arange(8) % 2, ("a", "b"))
    target = replace(source, inputs=rng.normal(size=(8, 40)).astype("f"))
    for eta, in_their_space in ((0.0, True), (0.1, False)):
        plan = make_plan(SSAN(), source, target, options={"gradient_noise": eta})
        assert bool(plan.preprocess.of("source").rank) is in_their_space


def test_it_must_not_be_negative() -> None:
    with pytest.raises(RequestError, match="gradient_noise must be at least 0"):
        quick_fit(SourceOnly(), dimmed_bars(10), gradient_noise=-1)
