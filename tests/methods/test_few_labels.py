"""Methods of few target labels: whose gradient goes which way, and which labels are learnt from when."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from acclimate.data.synthetic import shifted_blobs
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods.few_labels.cdac import CDAC
from acclimate.methods.few_labels.fine_tune import FineTune, FineTuneNewHead
from acclimate.methods.few_labels.mme import MME
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.cosine import CosineClassifier
from acclimate.objectives.clustering import pairwise_agreement_loss, same_top_features
from acclimate.types import UNLABELLED, Batch, Examples
from worlds import quick_fit, same_weights, target_accuracy, tiny_plan

N, D, K = 5, 4, 3


def a_batch(progress: float = 0.25) -> Batch:
    generator = torch.Generator().manual_seed(1)
    source, target, few = (torch.randn(N, 2, generator=generator, dtype=torch.float64) for _ in range(3))
    labels = torch.randint(0, K, (2, N), generator=generator)
    return Batch(Examples(source, labels[0]), Examples(target, labels[0] * 0 - 1), progress, Examples(few, labels[1]))


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {"features": nn.Linear(2, D).double(), "cosine_classifier": CosineClassifier(D, K, 0.05).double()}


def gradients(loss: Tensor, nets: dict[str, nn.Module]) -> dict[str, Tensor]:
    """Of each network, as one vector."""
    parameters = [[*net.parameters()] for net in nets.values()]
    found = iter(torch.autograd.grad(loss, [p for own in parameters for p in own], retain_graph=True))
    return {name: torch.cat([next(found).flatten() for _ in own]) for name, own in zip(nets, parameters, strict=True)}


def entropy_by_hand(method: Stepwise[Batch], nets: dict[str, nn.Module], batch: Batch) -> Tensor:
    f = nets["features"](batch.target.x)
    z = f / f.norm(dim=1, keepdim=True) @ nets["cosine_classifier"].prototypes.weight.T / 0.05
    p = z.exp() / z.exp().sum(dim=1, keepdim=True)
    return 0.1 * -(p * p.log()).sum(dim=1).mean()


def clusters_by_hand(method: Stepwise[Batch], nets: dict[str, nn.Module], batch: Batch) -> Tensor:
    f = nets["features"](batch.target.x)
    p = nets["cosine_classifier"](f).softmax(dim=1)
    top = [{*row.argsort()[-2:]} for row in f.detach().numpy()]
    total = torch.zeros((), dtype=torch.float64)
    for i in range(N):
        for j in range(N):
            alike = (p[i] * p[j]).sum().clamp(1e-6, 1 - 1e-6)
            total = total - (alike.log() if top[i] == top[j] else (1 - alike).log())
    return total / N**2


@pytest.mark.parametrize(
    ("method", "by_hand"), [(MME(), entropy_by_hand), (CDAC(top=2, threshold=1, consistency=0), clusters_by_hand)]
)
def test_features_lower_what_the_classifier_raises(
    method: Stepwise[Batch],
    by_hand: Callable[[Stepwise[Batch], dict[str, nn.Module], Batch], Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for view in ("slightly", "strongly"):
        monkeypatch.setattr(f"acclimate.methods.few_labels.cdac.{view}", lambda x: x)
    nets, batch = networks(), a_batch()
    (update,) = method.updates(nets, batch)
    assert batch.labelled_target is not None
    labels = sum(
        nn.functional.cross_entropy(nets["cosine_classifier"](nets["features"](e.x)), e.y)
        for e in (batch.source, batch.labelled_target)
    )
    found, of_labels = gradients(update.loss, nets), gradients(labels, nets)
    against = gradients(by_hand(method, nets, batch), nets)
    assert against["features"].abs().max() > 1e-3
    torch.testing.assert_close(found["features"], of_labels["features"] + against["features"])
    torch.testing.assert_close(
        found["cosine_classifier"], of_labels["cosine_classifier"] - against["cosine_classifier"]
    )


def test_two_views_come_to_agree_more_and_more(monkeypatch: pytest.MonkeyPatch) -> None:
    views = iter(range(100))
    monkeypatch.setattr("acclimate.methods.few_labels.cdac.slightly", lambda x: x)
    monkeypatch.setattr("acclimate.methods.few_labels.cdac.strongly", lambda x: x - next(views) % 2)
    nets, losses = networks(), {}
    for weight in (0.0, 30.0):
        for progress in (0.0, 1.0):
            (update,) = CDAC(threshold=1, consistency=weight).updates(nets, replace(a_batch(), progress=progress))
            losses[weight, progress] = float(update.loss.detach()), float(update.logs["consistency"])
    for progress, ramp in ((0.0, math.exp(-5)), (1.0, 1.0)):
        with_it, apart = losses[30.0, progress]
        assert apart > 0
        assert with_it - losses[0.0, progress][0] == pytest.approx(30 * ramp * apart, rel=1e-6)


def test_pairs_agree_with_a_loop_and_with_finite_differences() -> None:
    generator = np.random.default_rng(0)
    logits = torch.from_numpy(generator.normal(size=(2, 4, 3))).requires_grad_()
    same = torch.from_numpy(generator.random((4, 4)) < 0.5)
    assert torch.autograd.gradcheck(lambda z: pairwise_agreement_loss(*z.softmax(dim=2), same), logits)
    features = generator.normal(size=(9, 6))
    strongest = [{*row.argsort()[-3:]} for row in features]
    expected = [[one == two for two in strongest] for one in strongest]
    assert same_top_features(torch.from_numpy(features), 3).tolist() == expected
    assert same_top_features(torch.from_numpy(features), 99).all()


def relabelled(task: Task, side: str) -> Task:
    """The task with other labels where a side has some."""
    domain = getattr(task, side)
    given = domain.labels != UNLABELLED
    return replace(task, **{side: replace(domain, labels=np.where(given, (domain.labels + 1) % 2, UNLABELLED))})


def test_fine_tuning_learns_from_the_source_and_then_from_the_target() -> None:
    task = shifted_blobs(40, num_classes=2).with_label_budget(3)
    for side, start in (("target", 0.99), ("source", 0.0)):
        fits = [quick_fit(FineTune(start=start), t, weight_decay=0) for t in (task, relabelled(task, side))]
        assert same_weights(*fits), f"the {side} has no turn"
    for side in ("source", "target"):
        assert not same_weights(*(quick_fit(FineTune(), t) for t in (task, relabelled(task, side))))


def test_a_new_head_is_fitted_to_the_features_before_it_moves_them() -> None:
    nets, batch = networks(), a_batch(progress=0.1)
    nets |= {name: nn.Linear(D, K).double() for name in ("classifier", "target_classifier")}
    first, then = (next(iter(FineTuneNewHead().updates(nets, replace(batch, progress=p)))) for p in (0.1, 0.6))
    assert set(first.trains) == {"features", "classifier", "target_classifier"}
    assert set(then.trains) == {"features", "target_classifier"}
    loss = nn.functional.cross_entropy(nets["classifier"](nets["features"](batch.source.x)), batch.source.y)
    of_features = torch.autograd.grad(loss, [*nets["features"].parameters()])
    found = torch.autograd.grad(first.loss, [*nets["features"].parameters()], retain_graph=True)
    assert all(torch.equal(one, two) for one, two in zip(of_features, found, strict=True)), (
        "the probe moves no feature"
    )
    heads = torch.autograd.grad(first.loss, [*nets["target_classifier"].parameters()])
    assert all(gradient.abs().max() > 0 for gradient in heads)


@pytest.mark.parametrize("method", [MME(), CDAC(), FineTune(), FineTuneNewHead()])
def test_what_training_is_not_given_is_told_before_it(method: Stepwise[Batch]) -> None:
    task = shifted_blobs(30, num_classes=3)
    with pytest.raises(RequestError, match="label_budget must grant target labels of every class .* got none"):
        quick_fit(method, task)
    one_class = task.with_labels_of(np.flatnonzero(task.hidden.target == 1)[:4])
    with pytest.raises(RequestError, match="target must have a labelled example of every class .* none of 'blob 0'"):
        quick_fit(method, one_class)
    with pytest.raises(RequestError, match="target must have at least two examples without a granted label"):
        quick_fit(method, task.with_label_budget("all"))


def test_solves_a_world_that_labels_alone_or_the_source_alone_do_not() -> None:
    """Two clouds of each class: the target swaps two of the source's four."""
    task = shifted_blobs(300, shift=4.0).with_label_budget(1, seed=1)
    options = {"steps": 300, "batch_size": 64, "optimizer": "adam", "lr": 1e-3, "normalisation": "standard"}
    found = {type(m).__name__: target_accuracy(quick_fit(m, task, **options), task) for m in (MME(), CDAC())}
    assert min(found.values()) > 0.85, found
    assert tiny_plan(MME(), task).classes == task.source.classes
