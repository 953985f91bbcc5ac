"""The nearest of several sources, and which that is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods.several_sources.closest_source import ClosestSource
from acclimate.methods.several_sources.m3sda import M3SDA
from acclimate.types import UNLABELLED
from worlds import at_odds, quick_fit, target_accuracy, tiny_plan


def test_solves_a_target_that_is_like_one_of_two_sources_at_odds() -> None:
    task = at_odds()
    fitted = quick_fit(ClosestSource(), task, steps=150, batch_size=32, optimizer="adam", lr=1e-2)
    assert target_accuracy(fitted, task) > 0.9


def test_weights_of_the_users_own_are_taken_as_shares_or_refused() -> None:
    task = at_odds(20)
    assert tiny_plan(ClosestSource(source_weights=(3, 1)), task).method.source_weights == (0.75, 0.25)
    for wrong in ((1.0,), (0.0, 0.0)):
        with pytest.raises(RequestError, match="for each of the 2 sources"):
            tiny_plan(ClosestSource(source_weights=wrong), task)


def test_a_source_without_a_label_left_is_refused() -> None:
    task = at_odds(20)
    lost = np.where(task.source.origins == 0, UNLABELLED, task.source.labels)
    with pytest.raises(RequestError, match="none of 'far'"):
        tiny_plan(M3SDA(), replace(task, source=replace(task.source, labels=lost)))


def test_one_source_is_refused_with_what_to_do() -> None:
    task = at_odds(20)
    alone = Task(Domain(task.source.inputs, task.source.labels, task.source.classes), task.target)
    with pytest.raises(RequestError, match=r"more than once for the method 'm3sda'.*join_sources"):
        tiny_plan(M3SDA(), alone)
