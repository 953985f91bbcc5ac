"""Judges of translations tell right, wrong and blurred ones apart, and ask for enough labels."""

from dataclasses import replace

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.methods.translation.vae_gan import SharedLatentVAEGAN
from acclimate.problems.translation import judge
from acclimate.problems.translation.judge import translation_scores
from acclimate.training.fitted import Fitted
from acclimate.training.inference import Translated
from worlds import quick_fit


def bars(n: int, seed: int, *, upright: bool) -> Domain:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    images = rng.integers(0, 60, (n, 8, 8, 1)).astype(np.uint8)
    for image, label in zip(images, y, strict=True):
        image[2 * label : 2 * label + 2] = 230
    return Domain(images.transpose(0, 2, 1, 3).copy() if upright else images, y, ("a", "b", "c", "d"))


@pytest.fixture(scope="module")
def task() -> Task:
    made = [bars(600, seed, upright=seed % 2 == 1) for seed in range(4)]
    return Task(made[0], made[1], source_test=made[2], target_test=made[3])


@pytest.fixture(scope="module")
def fitted(task: Task) -> Fitted:
    return quick_fit(SharedLatentVAEGAN(maps=2), task, steps=2)


def scores(fitted: Fitted, task: Task, monkeypatch: pytest.MonkeyPatch, change: object) -> dict[str, float]:
    """What judges say of a translator that turns images over its diagonal, and then does something to them."""
    monkeypatch.setattr(judge, "_STEPS", 120)

    def translated(self: Fitted, domain: Domain, side: str) -> Translated:
        right = domain.array.transpose(0, 2, 1, 3)
        made = change(right)  # type: ignore[operator]
        return Translated(domain.array, domain.array, made, domain.array)

    monkeypatch.setattr(Fitted, "translated", translated)
    return translation_scores(fitted, task)


def test_a_perfect_translator_reaches_the_judges_own_accuracy(
    fitted: Fitted, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = scores(fitted, task, monkeypatch, lambda images: images.copy())
    assert found.keys() == {
        f"{name}{to}{what}"
        for to in ("source", "target")
        for name, what in (("to_", "_kept"), ("to_", "_frechet"), ("", "_frechet"), ("", "_judge"))
    }
    for to in ("source", "target"):
        assert found[f"{to}_judge"] > 0.95
        assert found[f"to_{to}_kept"] > 0.95
        assert found[f"to_{to}_frechet"] < 3 * found[f"{to}_frechet"]


def test_a_translator_that_mixes_classes_up_makes_good_images_of_the_wrong_class(
    fitted: Fitted, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = scores(fitted, task, monkeypatch, lambda images: np.roll(images, 1, axis=0))
    assert found["to_target_kept"] < 0.4
    assert found["to_target_frechet"] < 3 * found["target_frechet"]


def test_a_translator_to_grey_is_far_from_real_images(
    fitted: Fitted, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = scores(fitted, task, monkeypatch, lambda images: np.full_like(images, 90))
    assert found["to_target_kept"] < 0.4
    assert found["to_target_frechet"] > 20 * found["target_frechet"]


def test_sides_without_answers_or_test_images_are_not_judged(fitted: Fitted, task: Task) -> None:
    hidden = Task(task.source, task.target.unlabelled(), target_test=task.target_test.unlabelled())
    assert translation_scores(fitted, hidden) == {}
    few = replace(task.source, inputs=task.source.inputs, labels=task.source.labels).take(slice(100))
    assert translation_scores(fitted, Task(few, few, source_test=few, target_test=few)) == {}
