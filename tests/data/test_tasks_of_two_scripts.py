"""The tasks between MNIST and Kannada-MNIST, on the real data where they are."""

from pathlib import Path

import numpy as np
import pytest

from acclimate.data import catalog
from acclimate.data.task import Task
from acclimate.data.tasks import load_task
from acclimate.types import UNLABELLED


@pytest.fixture(autouse=True)
def _real_data(imported_packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))


@pytest.fixture
def task() -> Task:
    return load_task("mnist-kannada")


def test_5000_of_each_side_are_set_aside_by_class_and_always_the_same(task: Task) -> None:
    assert len(task.source) == len(task.target) == 55_000
    shares = np.bincount(catalog.load("mnist", "train").labels) / 60_000
    assert np.abs(np.bincount(task.source.labels) / 55_000 - shares).max() < 1e-4
    assert np.bincount(task.hidden.target).tolist() == [5_500] * 10
    assert np.array_equal(load_task("mnist-kannada", seed=3).target.inputs, task.target.inputs)


def test_all_three_sets_of_the_target_are_there_without_labels(task: Task) -> None:
    assert (len(task.target_test), len(task.target_shifted)) == (10_000, 10_240)
    assert all(d.num_labelled == 0 for role, d in task.domains().items() if role.startswith("target"))
    assert "which group of target images is which digit" in " ".join(task.all_notes)


@pytest.mark.parametrize(("budget", "labels"), [("1", 10), ("10", 100), ("1%", 550), ("5%", 2_750), ("10%", 5_500)])
def test_budgets_are_the_published_ones_and_stratified(task: Task, budget: str, labels: int) -> None:
    given = task.with_label_budget(budget, seed=2).target.labels
    assert np.bincount(given[given != UNLABELLED]).tolist() == [labels // 10] * 10
