"""SSAN against the same equations written as loops over classes and examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.data.synthetic import two_views
from acclimate.data.task import Task
from acclimate.data.tasks import load_task
from acclimate.methods.heterogeneous.ssan import SSAN
from acclimate.objectives.adversarial import reverse_gradient
from acclimate.objectives.schedules import reversal_ramp
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.training.hooks import Hooks
from acclimate.training.plan import Plan
from acclimate.types import Examples, Passes


def loss_by_loops(
    nets: dict[str, nn.Module], xs: Tensor, ys: Tensor, xl: Tensor, yl: Tensor, xu: Tensor, progress: float
) -> Tensor:
    """Items 1 to 5 of the method's description, in its order, without a matrix over classes."""
    alpha, beta, gamma, temperature = 0.1, 0.004, 0.1, 5.0
    fs, fl, fu = nets["source_features"](xs), nets["target_features"](xl), nets["target_features"](xu)
    gs, gl, gu = (nets["classifier"](f) for f in (fs, fl, fu))
    k = gs.shape[1]
    loss = F.cross_entropy(gs, ys) + (1 - alpha) * F.cross_entropy(gl, yl)
    for c in range(k):
        q = sum(torch.softmax(gs[i] / temperature, 0) for i in range(len(ys)) if ys[i] == c) / int((ys == c).sum())
        rows = [j for j in range(len(yl)) if yl[j] == c]
        soft = sum((q * torch.log(torch.softmax(gl[j], 0) + 1e-5)).sum() for j in rows) / len(rows)
        loss = loss - alpha * soft
    features = torch.cat([fs, fl, fu])
    says = nets["discriminator"](reverse_gradient(features, reversal_ramp(progress))).flatten()
    truth = torch.tensor([0.0] * len(xs) + [1.0] * (len(xl) + len(xu)), dtype=says.dtype)
    loss = loss + gamma * F.binary_cross_entropy(torch.sigmoid(says), truth)

    known = [(f, int(y)) for f, y in zip([*fs, *fl], [*ys, *yl], strict=True)]
    means = [torch.stack([f for f, y in known if y == c]).mean(0) for c in range(k)]
    pseudo = []
    for f, g in zip(fu, gu, strict=True):
        cosines = [float((f @ m / (f.norm() * m.norm())).detach()) for m in means]
        pseudo.append(int(g.argmax()) if int(g.argmax()) == int(np.argmax(cosines)) else -1)
    for c in range(k):
        source = [f for f, y in zip(fs, ys, strict=True) if y == c]
        target = [f for f, y in zip([*fl, *fu], [*yl.tolist(), *pseudo], strict=True) if y == c]
        s, t, st = (torch.stack(rows).mean(0) for rows in (source, target, source + target))
        loss = loss + beta * ((s - t) ** 2).sum() + beta * ((s - st) ** 2).sum() + beta * ((t - st) ** 2).sum()
    return loss


def agree_over_steps(plan: Plan, task: Task, steps: int) -> None:
    """Train with acclimate and by loops from the same weights, in double precision, and compare the weights."""
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    ours, theirs = trainer.nets, make_trainer(plan, task.source, task.target, Hooks()).nets
    for net in (*ours.values(), *theirs.values()):
        net.double()
    for stream in trainer.streams.streams.values():
        inputs = stream.domain.inputs.astype(np.float64)
        object.__setattr__(stream.domain, "inputs", inputs)
    batch = trainer.streams.batch(0.0, torch.device("cpu"))
    parameters = [p for net in theirs.values() for p in net.parameters()]
    options = plan.options
    optimizer = torch.optim.SGD(
        parameters, options.lr, options.momentum, nesterov=True, weight_decay=options.weight_decay
    )
    given = batch.labelled_target
    for step in range(steps):
        trainer.train_step()
        optimizer.zero_grad()
        loss_by_loops(
            theirs, batch.source.x, batch.source.y, given.x, given.y, batch.target.x, step / trainer.steps
        ).backward()
        optimizer.step()
    for name, net in ours.items():
        for mine, other in zip(net.parameters(), theirs[name].parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


def plan_of(task: Task, **options: object) -> Plan:
    method = SSAN(common=16, initial_deviation=0.3)
    return make_plan(method, task.source, task.target, options={"steps": 20, "precision": "fp32", **options})


def test_ten_steps_are_those_of_the_loops() -> None:
    task = two_views(30).with_label_budget(3)
    agree_over_steps(plan_of(task), task, 10)


def test_ten_steps_on_real_features_are_those_of_the_loops(
    imported_packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))
    task = load_task("office:surf_webcam-decaf_dslr", 0).with_label_budget(3, 0)
    agree_over_steps(plan_of(task), task, 10)


@pytest.mark.parametrize(
    "options",
    [
        {"refinement": "euclidean"},
        {"refinement": "none"},
        {"triplet": False},
        {"domain_weight": 0.0},
        {"distillation": 0.0},
        {"centroid_weight": 0.0},
        {"depth": "single"},
        {"least_similarity": 0.9},
        {"initial_deviation": None},
    ],
)
def test_every_option_trains_and_changes_the_result(options: dict[str, object]) -> None:
    task = two_views(60).with_label_budget(3)

    def trained(method: SSAN) -> list[Tensor]:
        plan = make_plan(method, task.source, task.target, options={"steps": 5, "lr": 0.5, "precision": "fp32"})
        trainer = make_trainer(plan, task.source, task.target, Hooks())
        trainer.train()
        return [
            p.detach() for name in ("source_features", "target_features") for p in trainer.nets[name].parameters()
        ]

    plain = trained(SSAN(common=8, initial_deviation=0.5))
    other = trained(SSAN(common=8, **{"initial_deviation": 0.5, **options}))  # type: ignore[arg-type]
    assert len(plain) != len(other) or any(not torch.equal(a, b) for a, b in zip(plain, other, strict=True))


def test_equal_widths_keep_their_sides_apart() -> None:
    task = two_views(40)
    same = Task(task.source, type(task.source)(task.target.inputs[:, :6].copy(), task.hidden.target, task.classes))
    same = same.with_label_budget(3)
    plan = plan_of(same)
    trainer = make_trainer(plan, same.source, same.target, Hooks())
    before = {name: [p.clone() for p in net.parameters()] for name, net in trainer.nets.items()}
    trainer.train()
    source, target = (list(trainer.nets[f"{side}_features"].parameters()) for side in ("source", "target"))
    assert all(not torch.equal(a, b) for a, b in zip(source, target, strict=True))
    for name in ("source_features", "target_features"):
        moved = zip(before[name], trainer.nets[name].parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in moved)


def test_mini_batches_train_too() -> None:
    task = two_views(60).with_label_budget(3)
    trainer = make_trainer(plan_of(task, batch_size=16), task.source, task.target, Hooks())
    batch = trainer.streams.batch(0.0, torch.device("cpu"))
    assert [len(batch.source), len(batch.target), len(batch.labelled_target)] == [16, 16, 9]
    trainer.train()


def passes_of(source: Examples, target: Examples, size: int) -> Passes:
    def split(whole: Examples) -> Iterator[Examples]:
        return (Examples(x, y) for x, y in zip(whole.x.split(size), whole.y.split(size), strict=True))

    return Passes(lambda: split(source), lambda: split(target))


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({}, None),
        ({"refinement": "euclidean"}, None),
        ({"refinement": "none"}, None),
        ({"least_similarity": 0.9}, 0.9),
    ],
)
@pytest.mark.parametrize("size", [7, 1000])
def test_pseudo_labels_for_the_report_are_those_of_a_step(
    options: dict[str, object], least: float | None, size: int
) -> None:
    task = two_views(60, noise=1.0).with_label_budget(3)
    method = SSAN(common=16, initial_deviation=0.3, **options)  # type: ignore[arg-type]
    plan = make_plan(method, task.source, task.target, options={"steps": 20, "precision": "fp32", "lr": 0.5})
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    trainer.train_step()
    batch = trainer.streams.batch(0.0, torch.device("cpu"))
    given = batch.labelled_target
    # The labelled examples amid the others, as in the stored order of a domain.
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    x, y = torch.cat([given.x, batch.target.x])[order], torch.cat([given.y, batch.target.y])[order]
    with torch.no_grad():
        found = method.pseudo_labels(trainer.nets, passes_of(batch.source, Examples(x, y), size))
    free = y.numpy() == -1
    (update,) = method.updates(trainer.nets, batch)
    assert found.kept[free].mean() == pytest.approx(float(update.logs["pseudo_labels_kept"]))
    labels, kept = pseudo_by_loops(trainer.nets, batch.source, given, x, method.refinement, least)
    assert found.labels.tolist() == labels
    assert found.kept.tolist() == kept
    assert all(kept) == (method.refinement == "none")


def pseudo_by_loops(
    nets: dict[str, nn.Module], source: Examples, given: Examples, x: Tensor, refinement: str, least: float | None
) -> tuple[list[int], list[bool]]:
    with torch.no_grad():
        known = [*zip(nets["source_features"](source.x), source.y, strict=True)]
        known += zip(nets["target_features"](given.x), given.y, strict=True)
        means = [torch.stack([f for f, y in known if y == c]).mean(0).numpy() for c in range(3)]
        features = nets["target_features"](x)
        answers = nets["classifier"](features).argmax(1).tolist()
    kept = []
    for f, answer in zip(features.numpy(), answers, strict=True):
        cosines = [float(f @ m / np.linalg.norm(f) / np.linalg.norm(m)) for m in means]
        distances = [float(np.linalg.norm(f - m)) for m in means]
        nearest = int(np.argmin(distances)) if refinement == "euclidean" else int(np.argmax(cosines))
        near_enough = least is None or cosines[answer] >= least
        kept.append(refinement == "none" or (nearest == answer and near_enough))
    return answers, kept
