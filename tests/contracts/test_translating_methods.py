"""What every method that translates must do; a new one is examined as soon as its file is there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate import discovery
from acclimate.data.synthetic import dimmed_bars
from acclimate.methods.base import Method
from acclimate.problems.translation.examples import translations_of_run
from acclimate.types import Side
from worlds import quick_fit, small, weights

COMPONENTS = {name: c for name, c in discovery.methods().items() if c.fact("problem") == "translation"}
SIDES: tuple[Side, Side] = ("source", "target")


@pytest.fixture(params=sorted(COMPONENTS))
def method(request: pytest.FixtureRequest) -> Method:
    return small(COMPONENTS[request.param].load())


def test_images_of_each_side_become_images_of_the_other(method: Method) -> None:
    task = dimmed_bars(20)
    fitted = quick_fit(method, task.with_label_budget(2), steps=1)
    before = {name: tensor.clone() for name, tensor in weights(fitted).items()}
    for side in SIDES:
        seen = fitted.translated(getattr(task, side), side)
        shapes = {pictures.shape for pictures in (seen.inputs, seen.reconstructed, seen.translated, seen.returned)}
        assert len(shapes) == 1
        assert seen.translated.dtype == np.uint8
        codes = fitted.codes(getattr(task, side), side)
        assert codes.ndim == 2
        for to in SIDES:
            assert fitted.decoded(codes, to).shape in shapes
        again = fitted.translated(getattr(task, side), side)
        assert np.array_equal(seen.translated, again.translated)  # nothing is drawn at random
    content = translations_of_run(fitted, task)
    assert content is not None
    assert len(content["codes"]) == 40
    after = weights(fitted)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_monitored_losses_are_finite_numbers_of_both_sides(method: Method) -> None:
    task = dimmed_bars(20)
    fitted = quick_fit(method, task.with_label_budget(2), steps=1)
    names = []
    for side in SIDES:
        preprocess = fitted.plan.preprocess.of(side)
        x = preprocess.batch(preprocess.fit(getattr(task, side)).array, None)
        with torch.no_grad():
            losses = method.monitor(fitted.nets, x, side)
        assert all(loss.ndim == 0 and bool(loss.isfinite()) for loss in losses.values())
        names.append(set(losses))
    assert names[0] == names[1]
