"""The teacher: who moves it, who answers, and what it sees."""

from __future__ import annotations

import pytest
import torch

from acclimate.data.synthetic import shifted_blobs
from acclimate.methods.classification.mean_teacher import MeanTeacher
from acclimate.problems.fitting import make_trainer
from acclimate.training.hooks import Hooks
from acclimate.training.trainer import Trainer
from acclimate.types import Passes, Side
from worlds import tiny_plan

TASK = shifted_blobs(80, shift=1.0)


def trainer(method: MeanTeacher, **options: object) -> Trainer:
    return make_trainer(tiny_plan(method, TASK, **options), TASK.source, TASK.target, Hooks())


def flat(made: Trainer, *names: str) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for name in names for p in made.nets[name].parameters()])


def test_the_student_begins_as_the_teacher_and_the_teacher_is_the_mean_of_what_it_was() -> None:
    made = trainer(MeanTeacher(decay=0.75))
    assert not torch.equal(flat(made, "features"), flat(made, "student_features"))
    MeanTeacher().between_steps(made.nets, Passes(lambda: iter(()), lambda: iter(())))
    mean = flat(made, "features", "classifier")
    for _ in range(3):
        made.train_step()
        now = flat(made, "student_features", "student_classifier")
        mean = 0.75 * mean + 0.25 * now
        assert torch.allclose(flat(made, "features", "classifier"), mean, atol=1e-6)
    assert not torch.allclose(mean, now, atol=1e-4)


def test_the_teacher_answers_and_sees_the_target_alone() -> None:
    method = MeanTeacher()
    made = trainer(method)
    seen: list[int] = []
    made.nets["features"].register_forward_hook(lambda *_: seen.append(1))
    made.train_step()
    assert len(seen) == 1  # one view of the target; neither the source nor the student's view
    x = torch.randn(4, 2)
    for net in made.nets.values():
        net.eval()
    sides: tuple[Side, Side] = ("source", "target")
    for side in sides:
        assert torch.equal(method.logits(made.nets, x, side), made.nets["classifier"](made.nets["features"](x)))


def test_a_teacher_that_is_sure_of_nothing_teaches_nothing() -> None:
    losses = []
    for weight in (0.0, 3.0):
        method = MeanTeacher(threshold=1.0, weight=weight)
        made = trainer(method)
        torch.manual_seed(0)
        (update,) = method.updates(made.nets, made.streams.batch(0.5, torch.device("cpu")))
        losses.append(update.loss.item())
    assert losses[0] == pytest.approx(losses[1])
