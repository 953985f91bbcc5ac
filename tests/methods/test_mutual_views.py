"""Mutual views: its loss by hand, its turn, its groups and their names, and a world it must solve."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.methods.classification import mutual_views as module
from acclimate.methods.classification.mutual_views import MutualViews, named, spectral_groups
from acclimate.objectives.information import mutual_information
from acclimate.problems.fitting import make_trainer
from acclimate.runs import checkpoint_files
from acclimate.training import checkpoints
from acclimate.training.hooks import Hooks
from acclimate.training.randomness import seeded
from acclimate.training.trainer import Interrupted
from acclimate.types import Batch, Examples, Passes
from worlds import quick_fit, target_accuracy, tiny_plan


class Means(nn.Module):
    """Features without batch statistics, so that a batch and its parts give the same."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.mean(dim=(1, 2, 3)), x.amax(dim=(1, 2, 3))], dim=1)


def made(progress: float, labels: bool) -> tuple[dict[str, nn.Module], Batch]:
    torch.manual_seed(0)
    nets = {"features": Means(), "source_classifier": nn.Linear(2, 2), "groups": nn.Linear(2, 3)}
    nets["classifier"] = nn.Linear(2, 2)
    source, target = (Examples(torch.rand(4, 1, 6, 6), torch.tensor([0, 1, 1, 0])) for _ in range(2))
    hidden = Examples(target.x, torch.full((4,), -1))
    return nets, Batch(source, hidden, progress, Examples(target.x[:2], target.y[:2]) if labels else None)


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("progress", [0.1, 0.9])
def test_the_loss_is_the_documented_sum(monkeypatch: pytest.MonkeyPatch, progress: float, labels: bool) -> None:
    monkeypatch.setattr(module, "warp", lambda x, strength: x * (1 - 0.1 * strength))
    monkeypatch.setattr(module, "restroke", lambda x, strength: x + 0.01 * strength)
    method = MutualViews(certain=0.5, information=2.0, source_weight=3.0)
    nets, batch = made(progress, labels)
    (update,) = method.updates(nets, batch)

    def strongly(x: torch.Tensor) -> torch.Tensor:
        return x * 0.9 + 0.007

    embed, heads = nets["features"], nets
    slight, strong = embed(batch.target.x * 0.965), embed(strongly(batch.target.x))
    expected = 3 * F.cross_entropy(heads["source_classifier"](embed(strongly(batch.source.x))), batch.source.y)
    views = (heads["groups"](view).softmax(1) for view in (slight, strong))
    expected = expected - 2 * mutual_information(*views)
    if batch.labelled_target is not None:
        known = batch.labelled_target
        expected = expected + F.cross_entropy(heads["classifier"](embed(strongly(known.x))), known.y)
    if progress > 0.6:
        answers = heads["classifier"](slight)
        for i in range(4):  # each is certain enough: two classes, at least ½
            y = answers[i].argmax()
            for view in (slight, strong):
                expected = expected - 0.5 * heads["classifier"](view[i : i + 1]).log_softmax(1)[0, y] / 4
    assert update.loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert ("classifier" in update.trains) == (labels or progress > 0.6)


def test_uncertain_answers_are_not_trained_on() -> None:
    nets, batch = made(0.9, labels=False)
    with torch.no_grad():
        nets["classifier"].weight.zero_()
        nets["classifier"].bias.zero_()
    (update,) = MutualViews(certain=0.51).updates(nets, batch)
    assert float(update.logs["certain"]) == float(update.logs["own_loss"]) == 0.0


def test_names_are_the_assignment_that_most_labelled_examples_fit() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    labels = np.array([2, 2, 0, 0, -1, 1, -1, -1])
    assert named(groups, labels, 3).tolist() == [2, 2, 2, 0, 0, 1, 1, 1]
    # Two groups want class 0; the one with more labelled examples gets it, the other what is left.
    assert named(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 0, 0, -1]), 2).tolist() == [0, 0, 0, 1, 1]
    assert named(groups, np.full(8, -1), 3).tolist() == groups.tolist()


def test_groups_are_found_and_are_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 10, (4, 5))
    true = rng.integers(0, 4, 200)
    features = centres[true] + rng.normal(size=(200, 5))
    found = spectral_groups(features, 4)
    assert len({(a, b) for a, b in zip(found.tolist(), true.tolist(), strict=True)}) == 4
    assert np.array_equal(found, spectral_groups(features, 4))
    assert spectral_groups(features[:3], 4).tolist() == [0, 1, 2]


def turned(labels: np.ndarray, k: int, few: int = 5) -> tuple[np.ndarray, np.ndarray, nn.Linear]:
    """The answers of a classifier that took its turn on k blobs of 40, their truth, and the classifier."""
    rng = np.random.default_rng(1)
    true = np.repeat(np.arange(k), 40)
    x = torch.from_numpy((np.eye(k)[true] * 8 + rng.normal(size=(40 * k, k))).astype(np.float32))
    nets = {"features": nn.Identity(), "classifier": nn.Linear(k, k)}
    whole = Examples(x, torch.from_numpy(labels))
    with torch.no_grad():
        MutualViews(few=few).between_steps(nets, Passes(lambda: iter(()), lambda: iter([whole])))
        return nets["classifier"](x).argmax(dim=1).numpy(), true, nets["classifier"]


@pytest.mark.parametrize("k", [2, 3, 6])
def test_one_label_a_class_names_every_group(k: int) -> None:
    labels = np.full(40 * k, -1)
    labels[::40] = (np.arange(k) + 1) % k  # other names than the blobs' numbers
    answers, true, _ = turned(labels, k)
    assert (answers == (true + 1) % k).mean() > 0.99


def test_without_labels_the_groups_are_right_and_their_names_arbitrary() -> None:
    answers, true, _ = turned(np.full(160, -1), 4)
    assert len(set(zip(answers.tolist(), true.tolist(), strict=True))) == 4


def test_only_a_sample_and_the_labelled_images_are_looked_at() -> None:
    seen: list[int] = []

    class Counting(nn.Identity):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(len(x))
            return super().forward(x)

    x, labels = torch.eye(4).repeat(25, 1) * 9 + torch.randn(100, 4), torch.full((100,), -1)
    labels[96:] = torch.arange(4)
    batches = [Examples(x[i : i + 10], labels[i : i + 10]) for i in range(0, 100, 10)]
    nets = {"features": Counting(), "classifier": nn.Linear(4, 4)}
    MutualViews(sample=10).between_steps(nets, Passes(lambda: iter(()), lambda: iter(batches)))
    assert 10 <= sum(seen) <= 14
    assert min(seen) > 0


def test_where_labels_are_many_the_classifier_is_left_alone() -> None:
    labels = np.full(120, -1)
    labels[::8] = np.repeat(np.arange(3), 40)[::8]  # five of each class
    torch.manual_seed(3)
    fresh = nn.Linear(3, 3).weight.clone()
    torch.manual_seed(3)
    assert torch.equal(turned(labels, 3)[2].weight, fresh)
    torch.manual_seed(3)
    assert not torch.equal(turned(labels, 3, few=6)[2].weight, fresh)


def corners(n: int, seed: int = 0) -> Task:
    """A source of bars and a target of corner blots: the same class names, nothing alike to see."""
    rng = np.random.default_rng(seed)

    def draw(shape: str) -> Domain:
        y = rng.integers(0, 4, n)
        images = rng.integers(0, 40, (n, 12, 12, 1)).astype(np.uint8)
        for image, label in zip(images, y, strict=True):
            row, column = divmod(int(label), 2)
            if shape == "bars":
                image[3 * label : 3 * label + 2] = 220
            else:
                top, left = 1 + 6 * row + rng.integers(0, 2), 1 + 6 * column + rng.integers(0, 2)
                image[top : top + 3, left : left + 3] = 220
        return Domain(images, y, ("a", "b", "c", "d"), shape)

    return Task(draw("bars"), draw("corners"), target_test=draw("corners"))


def test_solves_a_world_of_other_shapes_with_one_label_a_class() -> None:
    task = corners(400)
    method = MutualViews(groups=12, width=32, sample=400)
    options = {"steps": 150, "batch_size": 64, "optimizer": "adamw", "lr": 3e-3}
    right = target_accuracy(quick_fit(method, task.with_label_budget(1), **options), task)
    assert right > 0.9
    assert target_accuracy(quick_fit(method, task, **options), task) < right


@pytest.mark.parametrize("stop", [3, 4])
def test_a_training_stopped_at_its_turn_goes_on_the_same(tmp_path: object, stop: int) -> None:
    task = corners(60).with_label_budget(1)
    plan = tiny_plan(MutualViews(turn=0.5, groups=8, width=16, sample=60), task)  # 6 steps, the turn before the 4th

    def train(folder: object, stop_at: int | None = None, resume: bool = False) -> dict[str, torch.Tensor]:
        trainer = make_trainer(plan, task.source, task.target, Hooks(folder=folder))
        trainer.hooks.stop = lambda: trainer.step == stop_at
        with seeded(1, torch.device("cpu")):
            if resume:
                trainer.restore(checkpoints.load(checkpoint_files.latest(folder)))
            if stop_at is not None:
                with pytest.raises(Interrupted):
                    trainer.train()
            else:
                trainer.train()
        return checkpoints.network_tensors(trainer.nets)

    (tmp_path / "whole").mkdir()
    (tmp_path / "part").mkdir()
    whole = train(tmp_path / "whole")
    train(tmp_path / "part", stop_at=stop)
    resumed = train(tmp_path / "part", resume=True)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_turn_comes_once_and_without_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bool, bool]] = []

    def between_steps(self: MutualViews, nets: dict[str, nn.Module], passes: Passes) -> None:
        seen.append((torch.is_grad_enabled(), any(net.training for net in nets.values())))

    monkeypatch.setattr(MutualViews, "between_steps", between_steps)
    quick_fit(MutualViews(turn=1.0), corners(40))
    assert seen == [(False, False)]


def test_each_side_is_answered_by_its_own_classifier() -> None:
    task = corners(120)
    fitted = quick_fit(MutualViews(groups=8, width=16, sample=120), task.with_label_budget(5), steps=120, lr=1e-2)
    source = fitted.outputs(task.source, "source").logits.argmax(axis=1)
    assert (source == task.source.labels).mean() > 0.6
    assert not np.array_equal(source, fitted.outputs(task.source, "target").logits.argmax(axis=1))


def test_bounds_are_stated() -> None:
    assert MutualViews().between_steps_at == (0.6,)
    assert math.isclose(MutualViews(turn=1).turn, 1)
    with pytest.raises(ValueError, match="turn"):
        MutualViews(turn=0)
