"""How near each of several sources is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.data.domain import Domain
from acclimate.selection.nearness import nearness


def cloud(seed: int, at: float, n: int = 60) -> Domain:
    points = np.random.default_rng(seed).normal(at, 1, size=(n, 4)).astype(np.float32)
    return Domain(points, np.arange(n) % 2, ("a", "b"))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2), st.integers(0, 50))
def test_the_source_that_the_target_was_drawn_like_is_nearest(which: int, seed: int) -> None:
    sources = [cloud(seed + i, 4.0 * i) for i in range(3)]
    found = nearness(sources, cloud(seed + 9, 4.0 * which).unlabelled(), seed)
    assert sum(found) == pytest.approx(1)
    assert np.argmax(found) == which
    assert max(found) > 0.8


def test_sources_that_nothing_tells_apart_count_alike_whatever_their_size() -> None:
    found = nearness([cloud(0, 0.0, 400), cloud(1, 0.0, 100)], cloud(2, 0.0, 400), 0)
    assert found == pytest.approx((0.5, 0.5), abs=0.1)


def test_a_mixture_is_found() -> None:
    mixed = np.concatenate([cloud(5, 0.0, 90).array, cloud(6, 6.0, 30).array])
    assert nearness([cloud(0, 0.0), cloud(1, 6.0)], Domain(mixed), 0) == pytest.approx((0.75, 0.25), abs=0.03)


def test_labels_say_nothing() -> None:
    sources, target = [cloud(0, 0.0), cloud(1, 1.0)], cloud(2, 0.5)
    turned = [replace(part, labels=1 - part.labels) for part in sources]
    assert nearness(sources, target, 0) == nearness(turned, target.unlabelled(), 0)


def test_texts_pictures_and_gaps_have_a_nearness() -> None:
    shops = [Domain(["fine pan", "good pan"] * 9), Domain(["fine book", "good book"] * 9)]
    assert np.argmax(nearness(shops, Domain(["poor book", "new book"] * 4), 0)) == 1
    pictures = [Domain(np.full((9, 4, 4, 1), shade, np.uint8)) for shade in (10, 200)]
    assert np.argmax(nearness(pictures, Domain(np.full((5, 9, 9, 3), 190, np.uint8)), 0)) == 1
    holed = cloud(3, 4.0)
    holed.array[0, 0] = np.nan
    assert np.argmax(nearness([cloud(0, 0.0), holed], cloud(1, 4.0), 0)) == 1
