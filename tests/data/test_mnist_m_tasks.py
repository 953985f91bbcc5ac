"""MNIST-M beside MNIST: digits of one size at one place, whichever is the source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acclimate.data import catalog, storage
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder
from acclimate.data.images import resize
from acclimate.data.task import Task
from acclimate.data.tasks import load_task


def some_images(name: str, part: str) -> Domain:
    """Images whose pixels tell where they stand."""
    side = {"mnist": 28, "mnist_m": 32}[name]
    row, column = np.indices((side, side), dtype=np.uint8)
    pixels = np.stack([row, column, row], axis=-1)[..., : 1 if name == "mnist" else 3]
    return Domain(np.repeat(pixels[None], 10, axis=0), np.arange(10), tuple("0123456789"), f"{name}/{part}")


@pytest.mark.parametrize("name", ["mnist-mnist_m", "mnist_m-mnist"])
def test_the_border_is_cut_off_and_that_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in ("mnist", "mnist_m"):
        monkeypatch.setattr(type(catalog.dataset(data)), "content_hashes", {})
        for part in ("train", "test"):
            storage.store(some_images(data, part), arrays_folder(data, part), made_from="a test")
    task = load_task(name)
    for domain in sides(task, name):
        assert domain.array.shape == (10, 28, 28, 3)
        assert domain.array[7, 0, 0].tolist() == [2, 2, 2]
        assert domain.array[7, -1, -2].tolist() == [29, 28, 29]
    assert any("cut to their middle 28×28 pixels" in note for note in task.all_notes)


def test_in_the_real_release_digits_lie_where_mnist_has_them(
    imported_packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))
    task = load_task("mnist-mnist_m")
    release = storage.load(arrays_folder("mnist_m", "test"))
    digits = catalog.load("mnist", "test").array[[int(i) for i in release.ids[:500]]]
    strokes = edges(np.where(digits > 0, 255, 0))
    assert task.target_test is not None
    cut, shrunk = task.target_test.array[:500], resize(np.asarray(release.array[:500]), 28)
    assert agreement(edges(cut), strokes) > 0.7
    assert agreement(edges(shrunk), strokes) < 0.5


def sides(task: Task, name: str) -> list[Domain]:
    """The domain parts that come from MNIST-M."""
    parts = (task.target, task.target_test) if name.endswith("mnist_m") else (task.source, task.source_test)
    return [part for part in parts if part is not None]


def edges(images: np.ndarray) -> np.ndarray:
    """How much the brightness changes at each pixel, `(n, 27·27)`."""
    grey = images.astype(float).mean(axis=3)
    across, down = np.abs(np.diff(grey, axis=2))[:, 1:], np.abs(np.diff(grey, axis=1))[:, :, 1:]
    return (across + down).reshape(len(images), -1)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation, mean over images."""
    return float(np.mean([np.corrcoef(x, y)[0, 1] for x, y in zip(a, b, strict=True)]))
