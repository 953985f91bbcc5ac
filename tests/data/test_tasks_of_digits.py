"""MNIST and USPS, whole: the same images whichever way one adapts."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.data.tasks import load_task


def some_digits(name: str, part: str) -> Domain:
    """As many images as the data sets have, of one pixel, so that each can be told from all others."""
    first = {"mnist": 0, "usps": 10**6}[name] + 10**5 * (part == "test")
    n = {("mnist", "train"): 60_000, ("mnist", "test"): 10_000, ("usps", "train"): 7_291, ("usps", "test"): 2_007}
    number = first + np.arange(n[name, part])
    pixels = number.astype("<u4").view(np.uint8).reshape(-1, 1, 1, 4)[..., :3]
    return Domain(pixels, number % 10, tuple("0123456789"), f"{name} {part}")


@pytest.fixture(autouse=True)
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "load", some_digits)


def numbers(domain: Domain | None) -> np.ndarray:
    """What each image is known by."""
    assert domain is not None
    low, middle, high = domain.array.reshape(-1, 3).T.astype(int)
    return low + 256 * middle + 65_536 * high


def test_the_whole_sets_and_usps_pooled_and_split() -> None:
    task = load_task("mnist-usps-full", 3)
    assert [len(domain) for domain in (task.source, task.source_test, task.target, task.target_test)] == [
        55_000,
        10_000,
        7_438,
        1_860,
    ]
    pooled = np.sort(np.concatenate([numbers(task.target), numbers(task.target_test)]))
    assert pooled.tolist() == [*range(10**6, 10**6 + 7_291), *range(1_100_000, 1_100_000 + 2_007)]
    assert task.target.num_labelled == 0


def test_the_other_way_round_the_same_images_change_places() -> None:
    there, back = load_task("mnist-usps-full", 3), load_task("usps-mnist-full", 3)
    for one, other in (("source", "target"), ("target", "source"), ("source_test", "target_test")):
        assert np.array_equal(numbers(getattr(there, one)), numbers(getattr(back, other)))
    assert np.array_equal(back.source.labels, numbers(back.source) % 10)
    assert back.target.num_labelled == 0
    assert np.array_equal(back.hidden.target, numbers(back.target) % 10)
