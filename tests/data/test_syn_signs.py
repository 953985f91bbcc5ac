"""Our own traffic signs: what stands on them, how they are seen, and that every block stands alone."""

from __future__ import annotations

from dataclasses import replace

import joblib
import numpy as np
import pytest
from PIL import Image

from acclimate.data import catalog
from acclimate.data.catalog import blocks
from acclimate.data.catalog.gtsrb import Gtsrb
from acclimate.data.catalog.syn_signs import SynSigns, _grounds, _Lights, _over, _Views, render_block
from acclimate.data.domain import Domain
from acclimate.data.signs.faces import FACES, SIDE, faces
from acclimate.data.tasks import load_task

NAMES = Gtsrb.classes
DRAWN = faces(NAMES)
PLACES = {name: i for i, name in enumerate(NAMES)}


def face(name: str) -> np.ndarray:
    return DRAWN[PLACES[name]]


def colour(name: str, x: float, y: float) -> np.ndarray:
    """What a sign shows at a place in [−1, 1]², as red, green and blue."""
    at = [int((v + 1) / 2 * SIDE) for v in (y, x)]
    return face(name)[at[0], at[1], :3]


def straight(n: int) -> _Views:
    """Each sign from the front, as large as the frame."""
    return _Views(np.tile(np.eye(3), (n, 1, 1)))


def plain(n: int) -> _Lights:
    """Light and camera that change nothing."""
    zero, one = np.zeros(n), np.ones(n)
    return _Lights(one, zero, np.ones((n, 3)), np.zeros((n, 2)), zero, np.full((n, 2), 1e-3), zero)


def test_every_sign_of_gtsrb_has_a_face_and_no_two_are_alike() -> None:
    assert set(FACES) == set(NAMES)
    apart = np.abs(DRAWN[:, None] - DRAWN[None]).mean(axis=(2, 3, 4))
    assert apart[~np.eye(43, dtype=bool)].min() > 0.005


@pytest.mark.parametrize(
    ("name", "x", "y", "red", "green", "blue"),
    [
        ("stop", 0, 0.6, "high", "low", "low"),
        ("no entry", 0, 0, "high", "high", "high"),
        ("no entry", 0, 0.5, "high", "low", "low"),
        ("give way", 0, -0.3, "high", "high", "high"),
        ("give way", 0, -0.78, "high", "low", "low"),
        ("priority road", 0, 0, "high", "high", "low"),
        ("no vehicles", 0, 0, "high", "high", "high"),
        ("no vehicles", 0, -0.85, "high", "low", "low"),
        ("straight on", 0, 0.2, "high", "high", "high"),
        ("straight on", 0.6, 0.2, "low", "low", "high"),
        ("traffic lights", 0, -0.2, "high", "low", "low"),
        ("traffic lights", 0, 0.4, "low", "high", "low"),
        ("end of all limits", 0, 0, "low", "low", "low"),
    ],
)
def test_colours_are_where_the_regulations_have_them(
    name: str, x: float, y: float, red: str, green: str, blue: str
) -> None:
    for value, level in zip(colour(name, x, y), (red, green, blue), strict=True):
        assert (value > 0.5) == (level == "high")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("turn right ahead", "turn left ahead"),
        ("straight on or right", "straight on or left"),
        ("keep right", "keep left"),
        ("bend to the right", "bend to the left"),
    ],
)
def test_left_is_right_mirrored(one: str, other: str) -> None:
    assert np.abs(face(one) - face(other)[:, ::-1]).mean() < 0.01
    assert np.abs(face(one) - face(other)).mean() > 0.01


@pytest.mark.parametrize(
    ("name", "white", "blue"),
    [
        ("turn right ahead", (0.4, -0.08), (-0.5, -0.08)),
        ("turn left ahead", (-0.4, -0.08), (0.5, -0.08)),
        ("keep right", (0.35, 0.35), (-0.35, 0.35)),
        ("keep left", (-0.35, 0.35), (0.35, 0.35)),
        ("straight on", (0, -0.45), (0.4, 0)),
        ("straight on or right", (0.4, 0.18), (-0.5, 0.18)),
    ],
)
def test_arrows_point_to_where_their_names_say(
    name: str, white: tuple[float, float], blue: tuple[float, float]
) -> None:
    assert colour(name, *white).min() > 0.8
    assert colour(name, *blue)[0] < 0.3


def test_around_signs_there_is_nothing() -> None:
    round_ones = [i for i, name in enumerate(NAMES) if name.startswith("speed limit")]
    assert (DRAWN[round_ones, 0, 0, 3] == 0).all()
    assert (DRAWN[..., :3] <= DRAWN[..., 3:] + 1e-6).all(), "colours are times coverage"


def test_seen_from_the_front_in_plain_light_a_sign_is_its_face_made_smaller() -> None:
    labels = np.arange(43)
    scene = _over(straight(43).seen(labels, slice(None)), np.zeros((43, 40, 40, 3), np.float32))
    images = plain(43).recorded(scene, slice(None), np.random.default_rng(0))
    for label in labels:
        drawn = Image.fromarray(np.rint(DRAWN[label, ..., :3] * 255).astype(np.uint8))
        expected = np.asarray(drawn.resize((40, 40), Image.Resampling.BOX)).astype(int)
        assert np.abs(images[label] - expected).mean() < 6, NAMES[label]


def test_a_moved_view_moves_the_sign() -> None:
    views = straight(2)
    views.maps[1, 0, 2] = -0.5  # what is seen at x lies at x − 0.5 on the sign: it stands half of half a frame right
    seen = views.seen(np.zeros(2, dtype=int), slice(None))
    np.testing.assert_allclose(seen[1, :, 10:], seen[0, :, :-10], atol=1e-5)
    assert (seen[1, :, :9] == 0).all()


@pytest.mark.parametrize(
    ("change", "brighter"),
    [
        ({"exposure": np.full(43, 0.25)}, False),
        ({"exposure": np.full(43, 1.2)}, True),
        ({"haze": np.full(43, 0.9)}, None),
        ({"faded": np.full(43, 1.0)}, None),
        ({"blur": np.full((43, 2), 3.0)}, None),
    ],
)
def test_light_and_camera_do_what_they_say(change: dict[str, np.ndarray], brighter: bool | None) -> None:
    scene = _over(straight(43).seen(np.arange(43), slice(None)), np.full((43, 40, 40, 3), 0.5, np.float32))
    before, after = (
        light.recorded(scene, slice(None), np.random.default_rng(0)).astype(float)
        for light in (plain(43), replace(plain(43), **change))
    )
    if brighter is not None:
        assert (after.mean() > before.mean()) == brighter
    if "haze" in change or "blur" in change:
        assert after.std() < before.std()
    if "faded" in change:
        saturation = [np.ptp(images, axis=-1).mean() for images in (before, after)]
        assert saturation[1] < 0.1 * saturation[0]


def test_grounds_are_smooth_and_colourful() -> None:
    grounds = _grounds(64, np.random.default_rng(0))
    assert grounds.shape == (64, 40, 40, 3)
    assert grounds.min() >= 0
    assert grounds.max() <= 1
    assert np.abs(np.diff(grounds, axis=1)).mean() < 0.02
    assert np.ptp(grounds, axis=-1).mean() > 0.02


def test_a_block_is_the_same_whatever_else_is_drawn() -> None:
    images, labels = render_block("test", 1, 64)
    render_block("train", 0, 32)
    again, labels_again = render_block("test", 1, 64)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, labels_again)


@pytest.mark.parametrize(("split", "number"), [("test", 2), ("train", 1)])
def test_other_blocks_are_others(split: str, number: int) -> None:
    images, labels = render_block("test", 1, 64)
    others, other_labels = render_block(split, number, 64)
    assert (images != others).mean() > 0.9
    assert (labels != other_labels).any()


def test_a_split_is_its_blocks_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 43)
    monkeypatch.setattr(SynSigns, "sizes", {"train": 100, "test": 43})
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    with joblib.parallel_config(backend="threading"):
        domain = catalog.load("syn_signs", "train")
    made = [render_block("train", number, size) for number, size in ((0, 43), (1, 43), (2, 14))]
    np.testing.assert_array_equal(domain.inputs, np.concatenate([images for images, _ in made]))
    np.testing.assert_array_equal(domain.labels, np.concatenate([labels for _, labels in made]))
    assert set(np.bincount(domain.labels, minlength=43)) == {2, 3}
    assert domain.classes == NAMES


def test_signs_can_be_told_from_their_images() -> None:
    """By the nearest face, seen plainly, in the colours of each image's own light: far above one in 43."""
    images, labels = render_block("test", 0, 430)
    plainly = DRAWN[..., :3].reshape(43, 40, 2, 40, 2, 3).mean(axis=(2, 4))

    def standardised(pictures: np.ndarray) -> np.ndarray:
        middle = pictures[:, 4:36, 4:36].reshape(len(pictures), -1).astype(float)
        middle -= middle.mean(axis=1, keepdims=True)
        return middle / np.linalg.norm(middle, axis=1, keepdims=True)

    found = (standardised(images) @ standardised(plainly).T).argmax(axis=1)
    assert (found == labels).mean() > 0.5


def test_it_is_called_ours_and_not_the_papers() -> None:
    data = catalog.dataset("syn_signs")
    assert "(ours)" in data.title
    assert any("not the DANN paper's" in trap for trap in data.traps)


@pytest.mark.parametrize("name", ["syn_signs-gtsrb", "syn_signs-gtsrb-official"])
def test_tasks_keep_the_labels_of_real_signs_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {("syn_signs", "train"): 86, ("syn_signs", "test"): 43, ("gtsrb", "train"): 39_209, ("gtsrb", "test"): 50}

    def load(data: str, split: str) -> Domain:
        n = sizes[data, split]
        return Domain(np.zeros((n, 1, 1, 3), np.uint8), np.arange(n) % 43, NAMES, f"{data}/{split}")

    monkeypatch.setattr(catalog, "load", load)
    task = load_task(name)
    assert (len(task.source), task.num_classes) == (86, 43)
    assert (task.target.labels == -1).all()
    assert len(task.target) == (31_367 if name == "syn_signs-gtsrb" else 39_209)
    assert task.hidden.target_test is not None
    assert len(task.hidden.target_test) == (7_842 if name == "syn_signs-gtsrb" else 50)
