from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from acclimate.data.readers import duplicates_between
from acclimate.data.synthetic import dimmed_bars, shifted_blobs, two_shops
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.problems.fitting import make_trainer
from acclimate.problems.pairs import set_aside_by_class
from acclimate.problems.planning import make_plan
from acclimate.reports.page import write_report
from acclimate.running.adaptation import Callbacks, adapt, resume
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.hooks import Hooks
from acclimate.training.trainer import Interrupted
from acclimate.training.validation import Validation
from acclimate.types import Outputs
from worlds import tiny_plan


def same(a: dict[str, torch.nn.Module], b: dict[str, torch.nn.Module]) -> bool:
    one, two = ({f"{n}.{k}": v for n, net in nets.items() for k, v in net.state_dict().items()} for nets in (a, b))
    return one.keys() == two.keys() and all(one[key].equal(two[key]) for key in one)


# Learning rates that learn a small noisy world by heart within a few epochs.
FAST = {"steps": None, "epochs": 40, "batch_size": 20, "lr": 0.03}


def noisy(n: int = 100):
    """Blobs of which every fourth label is wrong."""
    task = shifted_blobs(n)
    labels = task.source.labels.copy()
    labels[::4] = (labels[::4] + 1) % task.num_classes
    return replace(task, source=replace(task.source, labels=labels)).with_source_test(0.3)


def test_ends_with_the_weights_of_the_best_epoch() -> None:
    task = noisy()
    rows: list[dict[str, object]] = []
    plan = tiny_plan(SourceOnly(), task, patience=3, **FAST)
    trainer = make_trainer(plan, task.source, task.target, Hooks(record=rows.append), task.source_test)  # type: ignore[arg-type]
    trainer.train()
    losses = [(row["source_validation_loss"], row["step"]) for row in rows if row["kind"] == "validation"]
    best = min(losses)[1]
    assert trainer.selection == ("source-validation", best)
    assert trainer.step == best + 3 * trainer.calendar.steps_per_epoch < trainer.steps
    assert losses == sorted(losses, key=lambda pair: pair[1])  # one look after every epoch

    # A training that ends there has the same weights: looking and waiting changed nothing.
    plain = tiny_plan(SourceOnly(), task, **{**FAST, "steps": best})
    shorter = make_trainer(plain, task.source, task.target, Hooks())
    shorter.train()
    assert same(trainer.nets, shorter.nets)


def test_without_patience_the_last_step_counts() -> None:
    task = noisy()
    trainer = make_trainer(tiny_plan(SourceOnly(), task), task.source, task.target, Hooks(), task.source_test)
    trainer.train()
    assert trainer.selection == ("last", 6)


def test_a_tenth_of_the_source_is_set_aside_where_there_is_no_source_test() -> None:
    task = shifted_blobs(100)
    plan = tiny_plan(SourceOnly(), task, patience=1)
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    assert trainer.validation is not None
    assert len(trainer.source) + len(trainer.validation.domain) == 100
    assert len(trainer.validation.domain) == 10
    rows = {row.tobytes() for row in trainer.source.array}
    assert not any(row.tobytes() in rows for row in trainer.validation.domain.array)


def test_classes_too_small_for_that_keep_the_last_step() -> None:
    task = shifted_blobs(12)
    trainer = make_trainer(tiny_plan(SourceOnly(), task, patience=1), task.source, task.target, Hooks())
    assert trainer.validation is None
    assert len(trainer.source) == 12


def test_the_loss_is_the_mean_cross_entropy_of_labelled_examples() -> None:
    task = shifted_blobs(20)
    labels = task.source.labels.copy()
    labels[3] = -1
    validation = Validation(replace(task.source, labels=labels), patience=2)
    assert len(validation.domain) == 19
    logits = np.random.default_rng(0).normal(size=(19, task.num_classes)).astype(np.float32)
    loss = validation.loss(lambda domain, role: Outputs(logits, np.empty((19, 0), dtype=np.float32)))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-np.log(shares[np.arange(19), validation.domain.labels]).mean(), rel=1e-5)


def test_where_classes_count_alike_in_training_they_do_in_the_choice() -> None:
    """Of 1 : 9, the weights that find the rare class are chosen, not those that forget it."""
    task = shifted_blobs(20)
    labels = np.arange(20) // 18  # 18 of one class, 2 of the other
    source = replace(task.source, labels=labels, classes=("common", "rare"))
    options = {"weights": "balanced", "patience": 2, "batch_size": 16}
    plan = make_plan(SourceOnly(), source, task.target.unlabelled(), options=options)
    trainer = make_trainer(plan, source, task.target.unlabelled(), Hooks(), source_test=source)
    assert trainer.validation is not None
    logits = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    loss = trainer.validation.loss(lambda domain, role: Outputs(logits, np.empty((20, 0), dtype=np.float32)))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    losses = -np.log(shares[np.arange(20), labels])
    assert loss == pytest.approx((losses[:18].mean() + losses[18:].mean()) / 2, rel=1e-5)
    assert loss != pytest.approx(losses.mean(), rel=1e-3)


@pytest.mark.parametrize("stop_at", [3, 9, 21])
def test_a_run_that_was_stopped_chooses_as_if_it_never_was(stop_at: int, tmp_path: Path) -> None:
    task = dimmed_bars(60)
    for side, domain in (("source", task.source), ("target", task.target)):
        np.savez(tmp_path / f"{side}.npz", X=domain.array, y=domain.labels)
    request = Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        method="dann",
        network="tiny",
        baseline=False,
        training={"epochs": 12, "patience": 4, "batch_size": 16, "lr": 0.01, "precision": "fp32", "evaluations": 2},
    )
    whole = adapt(request, tmp_path / "whole")
    asked = iter(range(1000))
    with pytest.raises(Interrupted):
        adapt(request, tmp_path / "run", Callbacks(stop=lambda: next(asked) == stop_at))
    resumed = resume(tmp_path / "run")
    assert resumed.metrics_path.read_bytes() == whole.metrics_path.read_bytes()
    chosen = [(run.summary or {})[key] for run in (whole, resumed) for key in ("selection", "chosen_step", "steps")]
    assert chosen[:3] == chosen[3:]
    assert chosen[0] == "source-validation"
    assert resumed.predictions_path.read_bytes() == whole.predictions_path.read_bytes()


def test_the_report_says_how_the_weights_were_chosen(tmp_path: Path) -> None:
    task = dimmed_bars(60)
    for side, domain in (("source", task.source), ("target", task.target)):
        np.savez(tmp_path / f"{side}.npz", X=domain.array, y=domain.labels)
    paths = {side: str(tmp_path / f"{side}.npz") for side in ("source", "target")}
    training = {"epochs": 3, "patience": 2, "batch_size": 16}
    run: Run = adapt(Request(**paths, method="source-only", network="tiny", training=training), tmp_path / "run")
    text = write_report(run).read_text(encoding="utf-8")
    assert "had the lowest loss on source examples that no step trained on" in text


def test_target_labels_have_no_say() -> None:
    task = dimmed_bars(60).with_source_test()
    other = replace(task, hidden=None, target=replace(task.target, labels=np.zeros(60, dtype=np.int64)))
    trainers = []
    for each in (task, other):
        plan = tiny_plan(DANN(), task, **{**FAST, "epochs": 4, "patience": 2})
        trainers.append(make_trainer(plan, each.source, each.target, Hooks(), each.source_test))
        trainers[-1].train()
    assert trainers[0].selection == trainers[1].selection
    assert same(trainers[0].nets, trainers[1].nets)


def test_copies_of_a_text_do_not_stand_on_both_sides_of_what_chooses_the_weights() -> None:
    source = two_shops(100).source
    kept, validation = set_aside_by_class(source.take(np.tile(np.arange(100), 2)), seed=0)
    assert validation is not None
    assert duplicates_between(kept, validation) == 0
    assert len(kept) + len(validation) > 95
