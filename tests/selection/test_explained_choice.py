"""A diagnosis that explains a shift of few columns names what `auto` tries first, and takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.data.tasks import load_task
from acclimate.running import auto
from acclimate.running.comparison import Row
from acclimate.running.diagnosing import explaining
from acclimate.running.requests import task_of
from acclimate.runs.request import Request
from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.rule import choose


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("simulated-label", 0)


def test_of_few_columns_what_explains_the_shift_is_tried_first_and_no_target_label_plays_a_part(task: Task) -> None:
    rng = np.random.default_rng(0)
    shuffled = replace(task.target, labels=rng.permutation(task.target.labels))
    assert explaining(task.source, task.target) == explaining(task.source, shuffled) == "mlls"
    assert auto.order(task, "features")[:2] == ("mlls", "mcd")


def test_of_many_columns_and_without_a_shift_none_is_named() -> None:
    rng = np.random.default_rng(0)

    def side(columns: int, move: float) -> Domain:
        x = rng.normal(size=(200, columns)) + move
        return Domain(x.astype(np.float32), np.arange(200) % 2, ("a", "b"), "side")

    assert explaining(side(6, 0.0), side(6, 1.0)) == ""
    assert explaining(side(2, 0.0), side(2, 0.0)) == ""


def test_too_few_examples_name_none(task: Task) -> None:
    assert explaining(task.source, task.target.take(np.arange(20))) == ""


def candidate(name: str, right: float, **changes: object) -> Candidate:
    rng = np.random.default_rng([*name.encode()])
    labels = rng.integers(2, size=60)
    scores = 3.0 * np.eye(2)[np.where(rng.random(60) < right, labels, 1 - labels)]
    shown = Evidence(labels[:30], scores[:30], scores, target_features=scores + rng.normal(size=(60, 2)))
    return Candidate(name, (replace(shown, **changes), shown))


def test_what_explains_the_shift_is_taken_unless_it_diverged_or_nothing_can_be_told() -> None:
    baseline, named, other = candidate("source-only", 0.8), candidate("mlls", 0.6), candidate("mcc", 0.9)
    choice = choose([baseline, named, other], "source-only", "mlls")
    assert (choice.name, choice.guarded) == ("mlls", False)
    assert "explains all of the shift" in choice.reasons[0]
    assert choose([baseline, other], "source-only", "mlls").name != "mlls"
    nan = np.full((60, 2), np.nan)
    failed = Candidate("mlls", tuple(replace(copy, target_scores=nan) for copy in named.copies))
    assert choose([baseline, failed, other], "source-only", "mlls").name != "mlls"
    blind = Candidate("source-only", tuple(replace(copy, target_features=None) for copy in baseline.copies))
    assert choose([blind, named, other], "source-only", "mlls").name == "source-only"


def test_every_copy_of_a_candidate_answers_the_same_examples_of_a_task_that_is_drawn_by_seed() -> None:
    def make(name: str) -> Row:
        return Row(name=name, request=Request(task="simulated-label", method=name))

    found = auto.candidates([], make, 3, lambda request, task: None)
    assert [row.name for row in found.rows] == ["source-only", "mlls", "mcd"]
    one, two = (
        task_of(found.rows[0].request.model_copy(update={"training": {"seed": seed}})).target for seed in (0, 1)
    )
    np.testing.assert_array_equal(one.array, two.array)
    drawn = task_of(make("mcd").request.model_copy(update={"training": {"seed": 1}})).target
    assert not np.array_equal(one.array, drawn.array)
