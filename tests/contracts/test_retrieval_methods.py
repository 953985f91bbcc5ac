"""What every method that retrieves must do; a new one is examined as soon as its file is there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate import discovery
from acclimate.data.synthetic import sketched_things
from acclimate.data.task import Task
from acclimate.methods.base import Method
from acclimate.metrics.retrieval import rank
from acclimate.problems.fitting import fit, make_trainer
from acclimate.problems.planning import make_plan
from acclimate.problems.retrieval.searches import retrieval_scores
from acclimate.training.hooks import Hooks
from worlds import quick_fit, weights

COMPONENTS = {name: c for name, c in discovery.methods().items() if c.fact("problem") == "retrieval"}
OPTIONS = {"steps": 300, "batch_size": 32, "lr": 1e-3}


@pytest.fixture(params=sorted(COMPONENTS))
def method(request: pytest.FixtureRequest) -> Method:
    found: Method = COMPONENTS[request.param].load()()
    return found


def world(n: int = 200, seed: int = 0) -> Task:
    return sketched_things(n, seed=seed).with_label_budget("all")


def test_sketches_of_unseen_things_find_photos_of_their_class(method: Method) -> None:
    task = world(200)
    scores = retrieval_scores(quick_fit(method, task, **OPTIONS), task)
    assert scores["search_precision_at_1"] > 0.8  # 4 classes
    assert scores["search_map"] > 0.6


def test_both_sides_are_mapped_into_one_space(method: Method) -> None:
    task = world(40)
    fitted = quick_fit(method, task)
    assert task.source_test is not None
    assert task.target_test is not None
    queries, items = fitted.codes(task.source_test, "source"), fitted.codes(task.target_test, "target")
    assert queries.shape == items.shape
    assert queries.dtype == items.dtype == np.float32


def test_labels_of_held_out_photos_reach_no_weight(method: Method) -> None:
    task = world(40)
    shuffled = sketched_things(40)
    assert shuffled.target_test is not None
    assert shuffled.hidden is not None
    assert shuffled.hidden.target_test is not None
    np.random.default_rng(0).shuffle(shuffled.hidden.target_test)
    one, two = quick_fit(method, task), quick_fit(method, shuffled.with_label_budget("all"))
    first, second = weights(one), weights(two)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weights_are_chosen_by_photos_that_no_step_sees(method: Method) -> None:
    task = world(100)
    plan = make_plan(method, task.source, task.target, options={**OPTIONS, "steps": 60, "patience": 3})
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    assert trainer.validation is not None
    aside = {name.removesuffix("-1") for name in trainer.validation.domain.ids}
    assert len(aside) == 10
    assert not aside & set(trainer.target.ids)
    assert not aside & {name.removesuffix("-1") for name in trainer.source.ids}
    trainer.train()
    rule, step = trainer.selection
    assert rule == "validation-map"
    assert 0 < step <= 60


def test_classes_without_a_photo_are_refused(method: Method) -> None:
    task = world(40)
    kept = task.target.take(task.target.labels != 2)
    with pytest.raises(ValueError, match="labelled example of every class that has queries; got none of 'thing 2'"):
        make_trainer(make_plan(method, task.source, kept), task.source, kept, Hooks())


def test_pictures_of_sketches_are_encoded_by_a_network_of_their_own(method: Method) -> None:
    task = world(24)
    pictures = np.random.default_rng(0).integers(0, 256, (24, 20, 20, 1), dtype=np.uint8)
    source = type(task.source)(pictures, task.source.labels, task.source.classes, "sketches", task.source.ids)
    plan = make_plan(
        method, source, task.target, network="sketch-cnn", options={"steps": 2, "batch_size": 8, "patience": 0}
    )
    fitted = fit(plan, source, task.target)
    found = fitted.codes(source, "source")
    assert found.shape == fitted.codes(task.target, "target").shape
    ranked = rank(found, fitted.codes(task.target, "target"), source.labels, task.target.labels)
    assert 0 <= ranked.mean_average_precision() <= 1


def test_photos_that_are_no_features_are_refused(method: Method) -> None:
    task = world(24)
    pictures = np.zeros((24, 8, 8, 3), np.uint8)
    photos = type(task.target)(pictures, task.target.labels, task.target.classes, "photos")
    with pytest.raises(ValueError, match="must hold features of a photo encoder"):
        make_plan(method, task.source, photos)
