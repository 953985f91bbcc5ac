"""The class `unknown`, and tasks that lack classes on one side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.protocols.class_subsets import of_fewer_classes, open_set_task, partial_task
from acclimate.data.specs import TaskSpec
from acclimate.data.synthetic import shifted_blobs
from acclimate.data.task import Task
from acclimate.data.unknown import UNKNOWN, in_classes, open_task, with_unknown
from acclimate.errors import DataError

X = np.zeros((4, 2), np.float32)


def test_what_the_source_lacks_becomes_unknown_by_name_in_every_role() -> None:
    source = Domain(X, np.array([0, 1, 0, 1]), ("cup", "pen"), "source")
    target = Domain(X, np.array([0, 1, 2, -1]), ("lamp", "pen", "cup"), "target")
    task = open_task(Task(source, target, target_test=target))
    assert task.classes == task.source.classes == ("cup", "pen", UNKNOWN)
    assert task.num_classes == 3
    assert task.hidden is not None
    for labels in (task.hidden.target, task.hidden.target_test):
        assert labels is not None
        assert labels.tolist() == [2, 1, 0, -1]
    assert task.target.num_labelled == 0
    assert any("'lamp'" in note for note in task.notes)
    assert not any("counts as wrong" in note for note in task.notes)
    assert open_task(task) is task, "once is enough"


def test_a_source_with_a_class_of_that_name_is_refused_and_one_that_only_names_it_is_not() -> None:
    named = Domain(X, np.array([0, 1, 0, 1]), ("cup", UNKNOWN), "source")
    with pytest.raises(DataError, match="must have no class named 'unknown'.*2 examples"):
        with_unknown(named)
    first = with_unknown(Domain(X, np.array([1, 1, 2, 2]), (UNKNOWN, "cup", "pen")))
    assert first.classes == ("cup", "pen", UNKNOWN)
    assert first.labels.tolist() == [0, 0, 1, 1]
    assert with_unknown(first) is first


def test_a_users_labels_are_read_in_a_models_classes() -> None:
    given = Domain(X, np.array([0, 1, 2, -1]), ("pen", "lamp", "cup"))
    assert in_classes(given, ("cup", "pen", UNKNOWN)).labels.tolist() == [1, 2, 0, -1]


def test_each_task_of_ten_classes_has_one_that_lacks_some_on_either_side() -> None:
    task = shifted_blobs(60, num_classes=4)
    partial, opened = partial_task(task, 2), open_set_task(task, 2)
    assert partial.hidden is not None
    assert set(partial.hidden.target) == set(partial.hidden.target_test) == {0, 1}
    assert len(partial.target) == len(partial.hidden.target)
    assert partial.num_classes == 4
    assert (opened.num_classes, len(opened.classes)) == (2, 4)
    assert set(opened.source.labels) == set(opened.source_test.labels) == {0, 1}
    assert len(opened.target) == len(task.target)
    names = ("mnist-usps", "demo", "office_features:amazon-webcam")
    specs = [TaskSpec(name, "", lambda seed: task, None) for name in names]
    made = {spec.name: spec for spec in of_fewer_classes(specs)}
    assert list(made) == [
        "mnist-usps-partial",
        "mnist-usps-open",
        "office_features:amazon-webcam-partial",
        "office_features:amazon-webcam-open",
    ]
    assert made["mnist-usps-open"].method == "progressive-separation"


def test_the_hidden_labels_of_what_is_unknown_are_given_back_by_a_budget_alone() -> None:
    task = open_task(open_set_task(shifted_blobs(60, num_classes=4), 2))
    assert (task.target.labels == -1).all()
    granted = task.with_label_budget(3)
    assert sorted(granted.target.labels[granted.target.labels >= 0].tolist()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert replace(task, hidden=None) is not task
