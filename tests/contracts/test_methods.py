"""The exam every method sits, by being discovered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import polars as pl
import pytest
import torch
from pins import written
from safetensors.torch import load_file
from sklearn.base import clone

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.given_sources import join_sources
from acclimate.data.sources import by_origin
from acclimate.data.synthetic import dimmed_bars, shifted_blobs, sketched_things, two_clinics, two_shops, two_views
from acclimate.data.task import HiddenLabels, Task
from acclimate.data.text import TextPreprocess
from acclimate.data.unknown import open_task
from acclimate.errors import RequestError
from acclimate.estimators import estimator
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.stepwise import Stepwise
from acclimate.problems.fitting import make_trainer
from acclimate.running.adaptation import adapt
from acclimate.runs import checkpoint_files
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import checkpoints
from acclimate.training.fitted import Fitted
from acclimate.training.gradients import backward
from acclimate.training.hooks import Hooks
from acclimate.training.randomness import seeded
from acclimate.training.trainer import Interrupted
from acclimate.types import UNLABELLED, Examples, GalleryBatch, SeveralBatch
from worlds import quick_fit, same_weights, small, target_accuracy, tiny_plan, weights, with_numbers

COMPONENTS = discovery.methods()


@pytest.fixture(params=sorted(COMPONENTS))
def method(request: pytest.FixtureRequest) -> Method:
    return small(COMPONENTS[request.param].load())


def with_strangers(task: Task) -> Task:
    """The task, a third of whose target examples are labelled as of a class that the source lacks."""
    classes = (*task.classes, "stranger")
    sides = {role: replace(getattr(task, role), classes=classes) for role in ("target", "target_test")}
    rows = np.arange(len(task.target)) % 3 == 0
    hidden = (np.where(rows, len(classes) - 1, getattr(task.hidden, role)) for role in sides)
    return open_task(replace(task, **sides, hidden=HiddenLabels(*hidden)))


def from_two_places(task: Task) -> Task:
    """The task with the first half of its source as one source, and the second as another."""
    half = len(task.source) // 2
    halves = {"one": task.source.take(slice(half)), "two": task.source.take(slice(half, None))}
    return replace(task, source=join_sources(halves))


def granted(method: Method, task: Task) -> Task:
    """The task, or another of its size for methods that are not made for its kind; with the labels it needs."""
    if method.problem == "regression":
        kind = task.source.kind
        return with_numbers(task if kind in needs.kinds(method) else shifted_blobs(len(task.source), num_classes=2))
    if method.problem == "open-set":
        return with_strangers(task)
    if method.problem == "several-sources":
        return from_two_places(task)
    if method.problem == "retrieval":
        return sketched_things(len(task.source)).with_label_budget("all")
    if needs.takes_shared_columns(method):
        return two_clinics(len(task.source)).with_label_budget(2 if len(task.source) < 20 else 3)
    if method.problem == "heterogeneous":
        return two_views(len(task.source)).with_label_budget(2 if len(task.source) < 20 else 3)
    if task.source.kind not in needs.kinds(method):
        n = len(task.source)
        if needs.kinds(method) == ("images",):
            return dimmed_bars(n)
        return two_shops(n) if "features" not in needs.kinds(method) else shifted_blobs(n, num_classes=2)
    if needs.takes_few_labels(method):
        return task.with_label_budget(2)
    return task.with_label_budget("all") if needs.takes_target_labels(method) else task


@cache
def common_fit(name: str) -> tuple[Task, Fitted]:
    """A method's fit with seed 0 that several tests compare another with, and what it was fitted on."""
    method = small(COMPONENTS[name].load())
    task = granted(method, dimmed_bars(40))
    return task, quick_fit(method, task)


def test_states_its_facts(method: Method) -> None:
    component = COMPONENTS[method.name]
    assert method.title
    assert method.paper
    assert component.summary.endswith((".", ":"))
    TrainingOptions.resolve(method.recipe, {})  # every option of the recipe exists and is valid
    assert not set(type(method).model_fields) & {*TrainingOptions.model_fields, "network"}
    assert all(field.description for field in type(method).model_fields.values())
    if method.paper not in ("baseline", "upper bound"):
        assert "Source:" in (type(method).__doc__ or "")


def test_gets_the_architecture_that_it_asks_for(method: Method) -> None:
    asked = get_type_hints(type(method).networks)["architecture"]
    built = tiny_plan(method, granted(method, dimmed_bars(40))).architecture
    assert asked is Any or isinstance(built, asked), (asked, built)


def test_is_frozen_and_refuses_unknown_options(method: Method) -> None:
    with pytest.raises(ValueError, match="xtra"):
        type(method)(no_such_option=1)
    with pytest.raises((ValueError, AttributeError)):
        method.extra = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("world", [dimmed_bars, shifted_blobs])
def test_answers_with_the_promised_shapes(method: Method, world: Callable[[int], Task]) -> None:
    task, fitted = common_fit(method.name)
    if world is not dimmed_bars:
        fitted = quick_fit(method, task := granted(method, world(40)))
    seen = fitted.outputs(task.target_test)
    assert seen.logits.shape == (40, task.num_classes)
    assert seen.features.shape[0] == 40
    assert seen.logits.dtype == np.float32
    assert np.isfinite(seen.logits).all()
    assert np.isfinite(seen.features).all()


def test_each_update_moves_the_networks_it_names_and_only_their_weights(method: Method) -> None:
    task = granted(method, dimmed_bars(64))
    trainer = make_trainer(tiny_plan(method, task, batch_size=32), task.source, task.target, Hooks())
    for net in trainer.nets.values():
        net.train()
    batch = trainer.streams.batch(0.5, torch.device("cpu"))

    def state() -> dict[str, list[torch.Tensor]]:
        return {name: [p.detach().clone() for p in net.parameters()] for name, net in trainer.nets.items()}

    if not isinstance(method, Stepwise):
        assert isinstance(method, ClosedForm)
        return
    count = 0
    for update in method.updates(trainer.nets, batch):
        count += 1
        assert set(update.trains) <= set(trainer.nets)
        assert update.loss.ndim == 0
        assert torch.isfinite(update.loss)
        assert all(not (isinstance(v, torch.Tensor) and v.requires_grad) for v in update.logs.values())
        before = state()
        backward(update, trainer.nets)
        for name in update.trains:
            trainer.optimizers[name].step()
        after = state()
        moved = {
            name
            for name in before
            if any(not torch.equal(a, b) for a, b in zip(before[name], after[name], strict=True))
        }
        assert moved == set(update.trains)
    assert count


def test_the_header_of_the_weights_tells_how_many_classes_there_are(method: Method, tmp_path: Path) -> None:
    plan = tiny_plan(method, granted(method, dimmed_bars(40)))
    checkpoints.save(tmp_path, checkpoints.of_networks(plan.networks()))
    assert checkpoint_files.classes_told_apart(tmp_path) == len(plan.classes)


def _rows(examples: Examples, rows: Callable[[int], slice]) -> Examples:
    return Examples(examples.x[rows(len(examples))], examples.y[rows(len(examples))])


def taken(batch: Any, rows: Callable[[int], slice]) -> Any:
    """A batch of those rows of each of its sets."""
    sets = {field.name: found for field in fields(batch) if isinstance(found := getattr(batch, field.name), Examples)}
    cut: dict[str, Any] = {name: _rows(s, rows) for name, s in sets.items()}
    if isinstance(batch, SeveralBatch):
        cut["sources"] = tuple(_rows(examples, rows) for examples in batch.sources)
    if isinstance(batch, GalleryBatch):
        cut["counterparts"] = batch.counterparts[rows(len(batch.queries)), rows(len(batch.items))]
    return replace(batch, **cut)


def test_a_loss_is_a_mean_over_examples_unless_it_is_said_to_be_of_the_batch(method: Method) -> None:
    if not isinstance(method, Stepwise):
        pytest.skip("is solved, not trained by steps")
    # No part of a loss is so small beside the others that it cannot be seen.
    method = method.model_copy(update={name: 1.0 for name in type(method).model_fields if name.endswith("weight")})
    # Of more examples than features RSD says nothing.
    task = granted(method, shifted_blobs(64) if method.name == "rsd" else dimmed_bars(64))
    trainer = make_trainer(tiny_plan(method, task, batch_size=32), task.source, task.target, Hooks())
    for net in trainer.nets.values():
        net.eval()  # batch norm and dropout are told of by themselves
        for parameter in net.parameters():
            parameter.data.mul_(3)  # fresh networks take all examples for nearly the same
    drawn = trainer.streams.batch(0.5, torch.device("cpu"))

    def losses(rows: Callable[[int], slice], seed: int = 0) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.stack([update.loss.detach() for update in method.updates(trainer.nets, taken(drawn, rows))])

    whole, again = (losses(lambda n: slice(n // 2 * 2), seed) for seed in (0, 1))
    if not torch.equal(whole, again):
        pytest.skip("draws noise, which two halves cannot share")
    halves = [losses(lambda n: slice(n // 2)), losses(lambda n: slice(n // 2, n // 2 * 2))]
    assert whole.allclose(sum(halves) / 2, rtol=1e-5, atol=0) == (not method.batch_statistics), (whole, halves)


def test_reads_the_signs_that_it_says(method: Method) -> None:
    if "text" not in needs.kinds(method):
        pytest.skip("takes no texts")
    texts = ["good! bad. or, so? yes; it is"] * 4
    source = Domain(texts, np.array([0, 1, 0, 1]), ("a", "b"))
    task = Task(source, Domain(texts, classes=("a", "b")))
    task = (
        replace(task, target=replace(task.target, labels=source.labels))
        if needs.takes_target_labels(method)
        else task
    )
    try:
        plan = tiny_plan(method, task, word_vectors="random")
    except RequestError as error:
        pytest.skip(f"takes no texts: {error}")
    assert isinstance(plan.preprocess, TextPreprocess)
    assert {word for word in plan.preprocess.read(texts[0]) if not word.isalpha()} == set(needs.punctuation(method))


def test_same_seed_same_weights_other_seed_other_weights(method: Method) -> None:
    task, one = common_fit(method.name)
    two, other = (quick_fit(method, task, seed=seed) for seed in (0, 1))
    assert same_weights(one, two)
    drawn = any(p.requires_grad for net in one.nets.values() for p in net.parameters())
    assert not drawn or not same_weights(one, other)


def test_leaves_the_callers_random_state_alone(method: Method) -> None:
    task = granted(method, dimmed_bars(40))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    plan = tiny_plan(method, task)
    torch.manual_seed(5)
    make_trainer(plan, task.source, task.target, Hooks())
    from acclimate.problems.fitting import fit

    fit(plan, task.source, task.target)
    assert torch.equal(torch.rand(3), expected)


def test_hidden_target_labels_reach_nothing(method: Method) -> None:
    if needs.takes_target_labels(method):
        pytest.skip("learns from target labels only, all of them given by the user")
    task, one = common_fit(method.name)
    shuffled = replace(
        task,
        hidden=HiddenLabels(
            *(np.random.default_rng(0).permutation(a) for a in (task.hidden.target, task.hidden.target_test))
        ),
    )
    deleted = replace(task, hidden=HiddenLabels())
    two, three = (quick_fit(method, t) for t in (shuffled, deleted))
    assert same_weights(one, two)
    assert same_weights(one, three)
    seen = [fitted.outputs(task.target_test) for fitted in (one, two, three)]
    assert all(np.array_equal(seen[0].logits, other.logits) for other in seen[1:])
    assert all(np.array_equal(seen[0].features, other.features) for other in seen[1:])


def test_hidden_target_labels_change_no_file_but_scores(method: Method, tmp_path: Path) -> None:
    if needs.takes_target_labels(method):
        pytest.skip("learns from target labels only, all of them given by the user")
    task = granted(method, dimmed_bars(40))
    answers = [getattr(task.hidden, role) for role in ("target", "target_test")]
    permuted = [np.random.default_rng(0).permutation(a) for a in answers]
    runs = [
        recorded(method, task, labels, tmp_path / name)
        for name, labels in (("true", answers), ("permuted", permuted), ("none", [None, None]))
    ]
    kept = [
        {
            "weights": load_file(checkpoint_files.latest(run.checkpoints_path)),
            "chosen": (run.summary["selection"], run.summary["steps"]),
            "losses": [row for row in run.metrics() if row["kind"] == "losses"],
            "predictions": pl.read_parquet(run.predictions_path).drop("label"),
        }
        for run in runs
    ]
    for other in kept[1:]:
        assert kept[0]["chosen"] == other["chosen"]
        assert kept[0]["losses"] == other["losses"]
        assert kept[0]["predictions"].equals(other["predictions"])
        assert all(value.equal(other["weights"][name]) for name, value in kept[0]["weights"].items())
    assert "target_test_accuracy" not in runs[2].summary["scores"]


def recorded(method: Method, task: Task, answers: list[np.ndarray | None], folder: Path) -> Run:
    """A run as the command makes it, from files, where the target's labels are read and set aside."""
    folder.mkdir()
    # Where some target labels are given, the file holds these and no others.
    given = method.problem == "heterogeneous" or needs.takes_few_labels(method)
    target = task.target.labels if given else answers[0]
    named = {"source": task.source.labels, "target": target, "test": answers[1]}
    domains = (task.source, task.target, task.target_test)
    unlabelled = np.full(len(task.target), UNLABELLED)
    paths = [
        written(folder / name, replace(domain, labels=unlabelled if labels is None else labels), task.classes)
        for (name, labels), domain in zip(named.items(), domains, strict=True)
    ]
    further: dict[str, Any] = {}
    if method.problem == "several-sources":
        first, *others = (written(folder / part.name, part, task.classes) for part in by_origin(task.source))
        paths[0], further = first, {"more_sources": (*others,)}
    request = Request(
        label_column="label" if needs.takes_shared_columns(method) else None,
        **dict(zip(("source", "target", "target_test"), paths, strict=True)),
        **further,
        method=method.name,
        method_options=method.model_dump(exclude_defaults=True),  # of `small`
        baseline=False,
        training={"steps": 4, "batch_size": 16, "precision": "fp32", "device": "cpu", "evaluations": 2},
    )
    return adapt(request, folder / "run")


def with_other_inputs(domain: Domain, *, another_set: bool) -> Domain:
    """The same labels and ids with inputs of other examples; or half of these, each twice."""
    order = np.roll(np.arange(len(domain)), 1)
    return replace(domain, inputs=domain.take(order // 2 * 2 if another_set else order).inputs)


def test_learns_from_what_it_says_and_from_nothing_else(method: Method) -> None:
    """Which side's examples reach the networks, or else no answer; preprocessing then sees the same ones."""
    task, before = common_fit(method.name)
    learns_from = set(type(method).learns_from)
    for side, words in (("source", {"source"}), ("target", {"target", "target labels", "few target labels"})):
        stated = bool(learns_from & words)
        changed = replace(task, **{side: with_other_inputs(getattr(task, side), another_set=stated)})
        after = quick_fit(method, changed)
        if stated:
            assert not same_weights(before, after), side
        else:
            one, two = (fitted.outputs(task.target_test).logits for fitted in (before, after))
            assert np.array_equal(one, two), side


def test_given_target_labels_are_used(method: Method) -> None:
    if needs.takes_target_labels(method) or method.problem in ("heterogeneous", "source-free"):
        pytest.skip("has no fit without them to compare with, or none with them")
    task, without = common_fit(method.name)
    given = quick_fit(method, task.with_label_budget(5))
    assert not same_weights(without, given)


def uneven(task: Task, seed: int = 0) -> Task:
    """The task without three quarters of the labels of every class but the first, on either side."""

    def thinned(domain: Domain) -> Domain:
        drawn = np.random.default_rng(seed).random(len(domain)) < 0.75
        first = np.unique(domain.labels, return_index=True)[1]  # one of each class stays
        lost = drawn & (domain.labels > 0) & ~np.isin(np.arange(len(domain)), first)
        return replace(domain, labels=np.where(lost, UNLABELLED, domain.labels))

    return replace(task, source=thinned(task.source), target=thinned(task.target))


def test_classes_can_be_made_to_count_alike_or_it_is_refused(method: Method) -> None:
    task = granted(method, dimmed_bars(40))
    task = uneven(
        task.with_label_budget(3 if needs.takes_shared_columns(method) else 8)
        if method.problem == "heterogeneous"
        else task
    )
    if not needs.weighs_classes(method):
        with pytest.raises(RequestError, match=f"weights must be left out for the method '{method.name}'"):
            quick_fit(method, task, weights="balanced")
        return
    without, balanced = (quick_fit(method, task, weights=weights) for weights in (None, "balanced"))
    assert not same_weights(without, balanced)
    assert all(torch.isfinite(v.float()).all() for v in weights(balanced).values())


def test_stopped_and_resumed_equals_never_stopped(method: Method, tmp_path: Path) -> None:
    task = granted(method, dimmed_bars(40))
    task = task if method.problem in ("heterogeneous", "source-free") else task.with_label_budget(3)
    plan = tiny_plan(method, task, pad=1, flip=True)

    def run(folder: Path, stop_at: int | None = None, resume: bool = False) -> dict[str, torch.Tensor]:
        folder.mkdir(exist_ok=True)
        trainer = make_trainer(plan, task.source, task.target, Hooks(folder=folder))
        trainer.hooks.stop = lambda: trainer.step == stop_at
        with seeded(1, torch.device("cpu")):
            if resume:
                trainer.restore(checkpoints.load(checkpoint_files.latest(folder)))
                assert trainer.step == 3
            if stop_at is None:
                trainer.train()
            else:
                with pytest.raises(Interrupted, match="step 3 of 6"):
                    trainer.train()
        return {f"{n}.{k}": v for n, net in trainer.nets.items() for k, v in net.state_dict().items()}

    whole = run(tmp_path / "whole")
    run(tmp_path / "stopped", stop_at=3)
    resumed = run(tmp_path / "stopped", resume=True)
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


def test_what_is_computed_again_instead_of_kept_changes_no_weight(method: Method) -> None:
    task = granted(method, dimmed_bars(40))
    as_it_is = method.problem in ("heterogeneous", "source-free") or needs.takes_target_labels(method)
    task = task if as_it_is else task.with_label_budget(3)
    kept, again = (quick_fit(method, task, activations=form) for form in ("keep", "recompute"))
    assert same_weights(kept, again)


def test_trains_in_bf16(method: Method) -> None:
    task = granted(method, dimmed_bars(40))
    fitted = quick_fit(method, task, precision="bf16")
    assert all(v.dtype != torch.bfloat16 for v in weights(fitted).values())
    assert all(torch.isfinite(v.float()).all() for v in weights(fitted).values())


def test_estimator_follows_scikit_learn(method: Method) -> None:
    kind = estimator(type(method))
    model = kind(steps=3, batch_size=8, seed=4)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(seed=5).seed == 5
    with pytest.raises(TypeError, match="no_such"):
        kind(no_such=1)


def test_pseudo_labels_are_one_for_each_target_example_and_change_nothing(method: Method) -> None:
    task = granted(method, dimmed_bars(40))
    trainer = make_trainer(tiny_plan(method, task), task.source, task.target, Hooks())
    trainer.train_step()
    before = {f"{n}.{k}": v.clone() for n, net in trainer.nets.items() for k, v in net.state_dict().items()}
    found = trainer.pseudo_labels()
    after = {f"{n}.{k}": v for n, net in trainer.nets.items() for k, v in net.state_dict().items()}
    assert all(torch.equal(before[k], after[k]) for k in before)
    if found is None:
        return
    assert found.labels.shape == found.kept.shape == (40,)
    assert found.kept.dtype == bool
    assert set(found.labels.tolist()) <= set(range(task.num_classes))


def test_handles_fewer_examples_than_a_batch_holds(method: Method) -> None:
    task = granted(method, dimmed_bars(10))
    quick_fit(method, task, batch_size=32, steps=2)


def has_a_world_of_its_own(method: Method) -> bool:
    """Whether its own tests show what it is for, where the common worlds do not: a `test_solves_…`."""
    path = Path(__file__).parents[1] / "methods" / f"test_{type(method).__module__.rpartition('.')[2]}.py"
    return path.is_file() and "\ndef test_solves_" in path.read_text(encoding="utf-8")


# Source-only gets about two thirds of this world right; what uses the target must do clearly better.
MOVED_BLOBS = {"steps": 400, "batch_size": 64, "optimizer": "adam", "lr": 1e-3, "normalisation": "standard"}


@cache
def baseline_of_moved_blobs() -> float:
    """Accuracy of source-only, the same for every method beside it."""
    task = shifted_blobs(400, shift=4.0)
    return target_accuracy(quick_fit(COMPONENTS["source-only"].load()(), task, **MOVED_BLOBS), task)


def test_beats_source_only_on_a_world_with_a_known_answer(method: Method) -> None:
    if method.problem in ("heterogeneous", "retrieval", "regression"):
        pytest.skip("cannot be compared with source-only")
    if "features" not in needs.kinds(method):
        pytest.skip("not made for points in a plane")
    if not needs.takes_target(method):
        pytest.skip("does not use the target")
    task, options = shifted_blobs(400, shift=4.0), MOVED_BLOBS
    baseline = baseline_of_moved_blobs()
    adapted = target_accuracy(quick_fit(method, granted(method, task), **options), task)
    assert adapted > baseline + 0.1 or has_a_world_of_its_own(method), (baseline, adapted)


def test_solves_a_world_of_two_views(method: Method) -> None:
    if method.problem != "heterogeneous":
        pytest.skip("takes sides with the same features only")
    if needs.takes_shared_columns(method):
        pytest.skip("needs names, which have a world of their own")
    task = two_views(200, noise=0.2).with_label_budget(3)
    fitted = quick_fit(method, task, steps=300, batch_size=512, optimizer="adam", lr=1e-3, normalisation="rows")
    assert target_accuracy(fitted, task) > 0.9 or has_a_world_of_its_own(method)
