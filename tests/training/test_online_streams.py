"""Answering a stream while adapting: order, batches, resets, the guard, and what may not be seen."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

import acclimate as ac
from acclimate.data.domain import Domain
from acclimate.data.synthetic import dimmed_bars
from acclimate.data.task import Task
from acclimate.errors import RequestError, UnknownNameError
from acclimate.methods.classification.mcd import MCD
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.online import Model, Online, Said
from acclimate.metrics.classification import accuracy
from acclimate.reports.adapting import answered, reasons
from acclimate.training.fitted import Fitted
from acclimate.training.online import Adapting, StreamOptions, adapted_by
from worlds import quick_fit


@pytest.fixture(scope="module")
def task() -> Task:
    return dimmed_bars(200)


@pytest.fixture(scope="module")
def fitted(task: Task) -> Fitted:
    return quick_fit(SourceOnly(), task, steps=100, lr=1e-2)


def target(task: Task) -> tuple[Domain, np.ndarray]:
    assert task.target_test is not None
    assert task.hidden.target_test is not None
    return task.target_test, task.hidden.target_test


def dimmed(domain: Domain) -> Domain:
    """The same pictures in far less contrast, and brighter."""
    return replace(domain, inputs=(domain.inputs // 3 + 80).astype(np.uint8))


class Spoils(Online[list[int]]):
    """Answers as the model does, and from its second batch on the opposite."""

    def begin(self, model: Model) -> list[int]:
        """How many batches there were."""
        return []

    @torch.no_grad()
    def step(self, model: Model, state: list[int], x: Tensor) -> Said:
        """Opposite answers but for the first batch."""
        said = model(x)
        state.append(len(x))
        spoilt = -said.logits if len(state) > 1 else said.logits
        return Said(spoilt, said.features)


Spoils.name, Spoils.title = "spoils", "Spoils"  # set apart, so that it is no method of the library's


def test_batch_statistics_mend_a_shift_of_contrast_and_the_model_stays(fitted: Fitted, task: Task) -> None:
    domain, labels = target(task)
    domain = dimmed(domain)
    before = {name: copy.deepcopy(net.state_dict()) for name, net in fitted.nets.items()}
    as_it_is = accuracy(fitted.outputs(domain).logits, labels)
    for online in (ac.BN(prior=0), ac.TENT(), ac.ETA()):
        found = Adapting(fitted, online).answers(domain)
        assert accuracy(found.logits, labels) > as_it_is + 0.2
        assert found.adapted.all()
        assert not found.resets
    for name, net in fitted.nets.items():
        assert all(torch.equal(value, before[name][key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("online", [ac.BN(), ac.TENT(lr=0.1), ac.ETA(lr=0.1), ac.LAME()], ids=lambda o: o.name)
def test_hidden_labels_reach_no_answer(online: ac.TENT, fitted: Fitted, task: Task) -> None:
    domain, labels = target(task)
    drawn = np.random.default_rng(0).permutation(labels)
    seen = [
        Adapting(fitted, online).answers(replace(domain, labels=given, classes=task.classes)).logits
        for given in (labels, drawn, np.full(len(labels), -1))
    ]
    assert np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[0], seen[2])


def test_a_later_batch_changes_no_earlier_answer(fitted: Fitted, task: Task) -> None:
    domain, _ = target(task)
    online, options = ac.TENT(lr=0.05), StreamOptions(batch_size=20, guard=1)
    whole = Adapting(fitted, online, options).answers(domain.take(slice(60)))
    other = replace(domain, inputs=domain.inputs[::-1].copy())
    first, stream = domain.take(slice(40)), Adapting(fitted, online, options)
    parts = [stream.answers(first).logits, stream.answers(other.take(slice(20))).logits]
    np.testing.assert_array_equal(whole.logits[:40], parts[0])
    assert not np.allclose(whole.logits[40:], parts[1])
    assert whole.batch.tolist() == [0] * 20 + [1] * 20 + [2] * 20


def test_a_stream_goes_on_over_calls_and_begins_anew_when_asked(fitted: Fitted, task: Task) -> None:
    domain, _ = target(task)
    first, second = domain.take(slice(40)), domain.take(slice(40, 80))
    options = StreamOptions(batch_size=20, guard=1)
    stream = Adapting(fitted, ac.TENT(lr=0.05), options)
    once, going_on = stream.answers(first), stream.answers(second)
    stream.reset()
    anew = stream.answers(second)
    np.testing.assert_array_equal(anew.logits, Adapting(fitted, ac.TENT(lr=0.05), options).answers(second).logits)
    assert not np.allclose(anew.logits, going_on.logits)
    assert (once.batch.max(), going_on.batch.min(), anew.batch.min()) == (1, 2, 0)
    every = Adapting(fitted, ac.TENT(lr=0.05), options.model_copy(update={"reset": 2}))
    every.answers(first)
    np.testing.assert_array_equal(every.answers(second).logits, anew.logits)


def test_shuffled_examples_are_told_in_the_order_given(fitted: Fitted, task: Task) -> None:
    domain, _ = target(task)
    found = Adapting(fitted, ac.LAME(), StreamOptions(batch_size=1, order="shuffled")).answers(domain)
    np.testing.assert_allclose(found.logits, fitted.outputs(domain).logits, atol=1e-5, err_msg="alone, as it is")
    assert sorted(found.batch) == list(range(len(domain)))
    assert found.batch.tolist() != sorted(found.batch)


def test_batches_too_small_to_adapt_on_are_told_as_the_models_own(fitted: Fitted, task: Task) -> None:
    domain, _ = target(task)
    alone, whole = (Adapting(fitted, ac.LAME(), StreamOptions(batch_size=size)) for size in (1, len(domain)))
    found = alone.answers(domain)
    assert not found.adapted.any()
    facts = alone.facts(found)
    assert answered(facts) == "LAME adapted nothing, as its batches are too small; the run is unchanged"
    assert reasons(facts)[-1] == f"{len(domain)} answers (100.0\u00a0%) are those of the model as it is."
    assert whole.answers(domain).adapted.all()


def test_the_guard_ends_what_spoils_answers_and_the_model_as_it_is_answers(fitted: Fitted, task: Task) -> None:
    domain = task.source.take(np.tile(np.arange(len(task.source)), 3))
    labels, as_it_is = domain.labels, fitted.outputs(domain).logits
    assert accuracy(as_it_is, labels) > 0.9
    unguarded = Adapting(fitted, Spoils(), StreamOptions(batch_size=10, guard=1)).answers(domain)
    assert accuracy(unguarded.logits, labels) < 0.2
    stream = Adapting(fitted, Spoils(), StreamOptions(batch_size=10))
    found = stream.answers(domain)
    assert len(found.resets) == 3
    assert found.stopped
    assert "to be lost by adapting" in found.resets[0].why
    last = found.batch >= found.resets[-1].batch
    assert not found.adapted[last].any()
    np.testing.assert_allclose(found.logits[last], as_it_is[last], rtol=1e-3, atol=1e-4)
    assert stream.facts(found)["adapted"] == found.adapted.sum() < found.adapted.size
    assert not stream.answers(domain).adapted.any(), "it stays ended"
    stream.reset()
    assert stream.answers(domain.take(slice(10))).adapted.all(), "until another stream begins"


def test_sorted_examples_end_what_takes_a_batch_for_a_sample_and_nothing_else(fitted: Fitted, task: Task) -> None:
    """Normalised by itself, a batch of one class looks like one of both."""
    domain = task.source.take(np.argsort(task.source.labels, kind="stable").repeat(2))
    mixed = Adapting(fitted, ac.TENT(), StreamOptions(batch_size=20)).answers(task.source)
    assert not mixed.resets
    for online in (ac.BN(prior=0), ac.TENT(), ac.ETA()):
        found = Adapting(fitted, online, StreamOptions(batch_size=20)).answers(domain)
        assert found.stopped
        unguarded = Adapting(fitted, online, StreamOptions(batch_size=20, guard=1)).answers(domain)
        assert accuracy(found.logits, domain.labels) > accuracy(unguarded.logits, domain.labels) + 0.05
    assert not Adapting(fitted, ac.LAME(), StreamOptions(batch_size=20)).answers(domain).resets


def test_answers_that_are_no_numbers_are_those_of_the_model_even_unguarded(fitted: Fitted, task: Task) -> None:
    domain, _ = target(task)
    stream = Adapting(fitted, ac.ETA(lr=1e38, margin=1, likeness=1), StreamOptions(batch_size=20, guard=1))
    found = stream.answers(domain)
    assert np.isfinite(found.logits).all()
    assert "no longer numbers" in found.resets[0].why


def test_a_model_adapts_with_its_own_methods_way_to_answer(task: Task) -> None:
    """MCD answers by the sum of two classifiers, and has no network of the name `classifier`."""
    domain, _ = target(task)
    fitted = quick_fit(MCD(), task)
    assert "classifier" not in fitted.nets
    as_it_is = fitted.outputs(domain).logits
    for online in (ac.BN(prior=1e12), ac.LAME(neighbours=64)):
        found = Adapting(fitted, online, StreamOptions(batch_size=64, guard=1)).answers(domain.take(slice(64)))
        np.testing.assert_allclose(found.logits, as_it_is[:64], rtol=1e-3, atol=1e-4)
    assert not np.allclose(Adapting(fitted, ac.TENT()).answers(domain).logits, as_it_is, atol=1e-2)


def test_too_few_examples_and_too_small_batches_are_refused_by_name(fitted: Fitted, task: Task) -> None:
    domain, _ = target(task)
    with pytest.raises(RequestError, match="^batch_size must give 'tent' batches of at least 2"):
        Adapting(fitted, ac.TENT(), StreamOptions(batch_size=1))
    with pytest.raises(RequestError, match="^data must give 'eta' batches of at least 2"):
        Adapting(fitted, ac.ETA()).answers(domain.take(slice(1)))


def test_options_of_method_and_stream_go_by_their_names() -> None:
    online, options = adapted_by("EATA", {"lr": 0.1, "batch_size": 8})
    assert (online, options.batch_size) == (ac.ETA(lr=0.1), 8)
    with pytest.raises(UnknownNameError, match="adapt must be a known name; got 'tnt'. Did you mean 'tent'"):
        adapted_by("tnt", {})
    with pytest.raises(UnknownNameError, match="'priory'. Did you mean 'prior'"):
        adapted_by("bn", {"priory": 1})
    with pytest.raises(RequestError, match="^guard must be at most 1"):
        adapted_by("bn", {"guard": 2})
