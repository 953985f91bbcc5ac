"""Estimators whose copies learn from what they have answered."""

from __future__ import annotations

import numpy as np
import pytest

import acclimate as ac
from acclimate.data.synthetic import dimmed_bars
from acclimate.errors import DataWarning, RequestError
from worlds import TinyNet


@pytest.fixture(scope="module")
def model() -> ac.SourceOnly:
    task = dimmed_bars(80)
    return ac.SourceOnly(network=TinyNet(), steps=100, lr=1e-2, batch_size=16, seed=0).fit(task.source, task.target)


def test_a_stream_is_predict_with_adapt_call_after_call(model: ac.SourceOnly) -> None:
    x = dimmed_bars(80).target.inputs
    alone = model.predict(x)
    adapted = model.predict_proba(x, adapt="tent")
    np.testing.assert_array_equal(model.predict(x), alone, "the model stays as it is")
    stream = model.adapting("tent")
    np.testing.assert_array_equal(stream.predict_proba(x), adapted)
    assert stream.facts_["batches"] == 1
    again = stream.predict_proba(x)
    assert not np.array_equal(again, adapted), "it has learnt"
    stream.reset()
    np.testing.assert_array_equal(stream.predict(x), stream.classes_[adapted.argmax(axis=1)])
    np.testing.assert_array_equal(model.adapting(ac.TENT(), batch_size=80).predict_proba(x), adapted)
    assert not np.array_equal(model.predict_proba(x, adapt=ac.BN(prior=0)), model.predict_proba(x))


def test_what_the_guard_did_is_a_warning(model: ac.SourceOnly) -> None:
    source = dimmed_bars(80).source
    by_class = source.inputs[np.argsort(source.labels, kind="stable")].repeat(4, axis=0)
    with pytest.warns(DataWarning, match="The guard stopped TENT at batch .*The guard's reason: "):
        model.adapting("tent", batch_size=16).predict(by_class)


def test_what_is_no_method_of_test_time_is_refused(model: ac.SourceOnly) -> None:
    with pytest.raises(RequestError, match="adapt must be a method of test time or its name; got <class"):
        model.adapting(ac.TENT)
    with pytest.raises(RequestError, match="adapt must be a known name; got 'dann'. Known: bn, eta, lame, tent"):
        model.predict(dimmed_bars(80).target.inputs, adapt="dann")
