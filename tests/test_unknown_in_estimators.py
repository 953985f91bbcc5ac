"""`unknown` in Python: among the classes, in answers and in scores."""

from __future__ import annotations

import numpy as np
import pytest

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs


@pytest.mark.parametrize("named", [True, False])
def test_an_estimator_answers_unknown_whatever_classes_are_called(named: bool) -> None:
    task = shifted_blobs(120, shift=0.3, num_classes=3)
    assert task.hidden is not None
    known = task.source.labels < 2
    names = np.array(["cup", "pen", "lamp"]) if named else np.array([3, 7, 9])
    source = task.source.array[known], names[task.source.labels[known]]
    model = ac.ProgressiveSeparation(epochs=10, batch_size=16, seed=0).fit(source, task.target.array)
    assert model.classes_.tolist() == [*names[:2].tolist(), "unknown"]
    answers = model.predict(task.target.array)
    assert set(answers.tolist()) <= set(model.classes_.tolist())
    assert model.predict_proba(task.target.array).shape == (120, 3)
    truth = np.where(task.hidden.target < 2, names[task.hidden.target].astype(object), "unknown")
    score = model.score(task.target.array, names[task.hidden.target])
    assert score == pytest.approx(float((answers.astype(object) == truth).mean()))
