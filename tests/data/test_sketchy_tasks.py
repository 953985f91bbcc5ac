"""Photos searched by sketch: the public tasks on the real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acclimate.data.sketches import UNSEEN_CATEGORIES, counterparts, own_photo
from acclimate.data.task import Task
from acclimate.data.tasks import find_task, load_task
from acclimate.methods.retrieval.shared_prototypes import SharedPrototypes
from acclimate.metrics.searches import Gallery, search_scores
from acclimate.problems.retrieval.searches import retrieval_scores
from worlds import quick_fit


@pytest.fixture
def packs(imported_packs: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not (real_data / "sketchy" / "sketchy_mobilenetv2_1280.npz").is_file():
        pytest.skip(f"no sketchy/sketchy_mobilenetv2_1280.npz in {real_data}")
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))
    return imported_packs


def check(task: Task) -> None:
    """No photo, and no two sketches of one, on both sides."""
    assert task.source_test is not None
    assert task.target_test is not None
    assert not set(task.target.ids) & set(task.target_test.ids)
    assert not set(own_photo(task.source.ids)) & set(task.target_test.ids)
    assert not set(own_photo(task.source_test.ids)) & set(task.target.ids)
    assert not set(own_photo(task.source.ids)) & set(own_photo(task.source_test.ids))
    for sketches, photos in ((task.source, task.target), (task.source_test, task.target_test)):
        own = counterparts(sketches, photos)
        assert (own >= 0).all()
        names = [sketches.classes[label] for label in sketches.labels]
        assert names == [photos.ids[row].partition("/")[0] for row in own]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_tenth_of_the_photos_and_their_sketches_is_test(packs: Path, seed: int) -> None:
    task = load_task("sketchy_features", seed)
    check(task)
    assert task.source_test is not None
    assert task.target_test is not None
    assert (len(task.target), len(task.target_test)) == (2812, 313)
    assert len(task.source) + len(task.source_test) == 3125
    assert 200 < len(task.source_test) < 450
    assert task.source.array.shape[1] == task.target.array.shape[1] == 1280
    assert len(task.classes) == task.num_classes == 125
    assert set(task.source.labels) == set(range(125))
    assert (find_task("sketchy_features").method, find_task("sketchy_features").network) == (
        "shared-prototypes",
        "encoded",
    )
    assert (task.target.labels == -1).all()


def test_unseen_categories_are_in_the_test_alone(packs: Path) -> None:
    task = load_task("sketchy_features-unseen", 0)
    check(task)
    assert task.source_test is not None
    assert task.target_test is not None
    assert task.hidden is not None
    assert (len(task.source_test), len(task.target_test)) == (625, 625)
    assert (len(task.source), len(task.target)) == (2500, 2500)
    unseen = {task.classes.index(name) for name in UNSEEN_CATEGORIES}
    assert set(task.source_test.labels) == set(task.hidden.target_test) == unseen
    assert not set(task.source.labels) & unseen
    assert not set(task.hidden.target) & unseen


def test_a_run_says_what_there_was_without_training(packs: Path) -> None:
    task = load_task("sketchy_features", 0).with_label_budget("all")
    method = SharedPrototypes(width=8, hidden=8)
    fitted = quick_fit(method, task, steps=1, patience=0, batch_size=16)
    scores = retrieval_scores(fitted, task)
    assert task.source_test is not None
    assert task.target_test is not None
    assert task.hidden is not None
    own = counterparts(task.source_test, task.target_test)
    roles = task.source_test.array, task.source_test.labels, own
    gallery = Gallery(task.target_test.array, task.hidden.target_test, np.arange(len(task.target_test)))
    expected = search_scores(*roles, gallery)
    for name, score in expected.items():
        assert scores[f"untrained_search_{name}"] == pytest.approx(score)
    # By its own training examples alone: no query is judged by the others.
    even = [
        (test.array - train.array.mean(axis=0)) / np.where(train.array.std(axis=0) > 1e-8, train.array.std(axis=0), 1)
        for test, train in ((task.source_test, task.source), (task.target_test, task.target))
    ]
    gallery = Gallery(even[1], task.hidden.target_test, np.arange(len(task.target_test)))
    expected = search_scores(even[0], task.source_test.labels, own, gallery)
    assert scores["standardised_search_map"] == pytest.approx(expected["map"], abs=1e-4)
    assert scores["standardised_search_map"] > 1.5 * scores["untrained_search_map"]
