"""Progressive separation where it is known what is unknown."""

from __future__ import annotations

from acclimate.data.protocols.class_subsets import open_set_task
from acclimate.data.synthetic import shifted_blobs
from acclimate.data.task import Task
from acclimate.data.unknown import open_task
from acclimate.methods.base import Method
from acclimate.methods.open_set.progressive import ProgressiveSeparation
from acclimate.methods.open_set.threshold import Threshold
from acclimate.metrics.open_set import open_set_scores
from worlds import quick_fit


def h_score(method: Method, task: Task) -> float:
    options = {"steps": 400, "batch_size": 64, "optimizer": "adam", "lr": 1e-3, "normalisation": "standard"}
    seen = quick_fit(method, task, **options).outputs(task.target_test)
    assert task.hidden is not None
    return open_set_scores(seen.logits.argmax(axis=1), task.hidden.target_test, task.num_classes)["h_score"]


def test_solves_a_world_whose_unknown_lies_beyond_what_a_threshold_can_tell() -> None:
    task = open_task(open_set_task(shifted_blobs(400, shift=0.5, num_classes=4), 2))
    assert h_score(Threshold(), task) < 0.2
    assert h_score(ProgressiveSeparation(), task) > 0.95
