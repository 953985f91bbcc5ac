"""A few target labels in Python: those that are known, and −1 for the rest."""

from __future__ import annotations

import numpy as np
import pytest

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs

QUICK = {"steps": 20, "batch_size": 16, "seed": 0}


def test_the_labels_given_are_learnt_from_and_minus_one_is_none() -> None:
    task = shifted_blobs(60, num_classes=3)
    source, inputs = (task.source.inputs, task.source.labels), task.target.inputs
    few = task.with_label_budget(2).target.labels
    model = ac.MME(**QUICK).fit(source, (inputs, few))
    assert set(model.predict(inputs)) <= {0, 1, 2}
    others = np.where(few == -1, -1, (few + 1) % 3)
    told = [m.predict_proba(inputs) for m in (model, ac.MME(**QUICK).fit(source, (inputs, others)))]
    assert not np.array_equal(*told), "the labels given play no part"
    # Of a domain whose labels are known, those alone reach training that the budget granted.
    granted = ac.MME(**QUICK).fit(task.source, task.with_label_budget(2).target)
    assert np.array_equal(granted.predict_proba(inputs), told[0])


def test_labels_that_will_not_do_are_refused() -> None:
    task = shifted_blobs(60, num_classes=3)
    source, inputs = (task.source.inputs, task.source.labels), task.target.inputs
    with pytest.raises(
        ac.RequestError, match="label_budget must grant target labels of every class .* −1 for the rest"
    ):
        ac.CDAC(**QUICK).fit(source, inputs)
    one = np.where(np.arange(60) == 0, task.hidden.target, -1)
    with pytest.raises(ac.RequestError, match="must have a labelled example of every class"):
        ac.LPFT(**QUICK).fit(source, (inputs, one))
