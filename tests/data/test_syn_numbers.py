"""Our own street numbers: what is drawn, where, and that every block stands alone."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from acclimate.data import catalog
from acclimate.data.catalog import blocks
from acclimate.data.catalog.syn_numbers import SynNumbers, _blur, _colours, _Layout, _paint, render_block
from acclimate.data.fonts import FONTS, _bitmap
from acclimate.data.home import data_home
from acclimate.errors import WorkError

SANS = FONTS.index("DejaVuSans.ttf")


def layout(digits: list[tuple[int, int, int]], present: tuple[bool, bool, bool], height: float) -> _Layout:
    """Upright texts in one font, their centre digit in the middle."""
    n = len(digits)
    drawn = _Layout.draw(np.zeros(n, dtype=int), np.random.default_rng(0))
    return replace(
        drawn,
        fonts=np.full(n, SANS),
        digits=np.array(digits),
        present=np.tile(present, (n, 1)),
        height=np.full(n, height),
        width=np.ones(n),
        steps=np.full((n, 2), 0.9),
        edge=np.full(n, 0.45),
        angle=np.zeros(n),
        shift=np.zeros((n, 2)),
    )


ALONE = layout([(0, digit, 0) for digit in range(10)], (False, True, False), 28)


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


def test_images_are_colourful_bytes() -> None:
    images, _ = render_block("train", 0, 256)
    assert images.shape == (256, 32, 32, 3)
    assert images.dtype == np.uint8
    assert images.min() < 10
    assert images.max() > 245
    np.testing.assert_allclose(images.mean(axis=(0, 1, 2)), 127.5, atol=12)


def test_labels_are_balanced_over_blocks() -> None:
    labels = np.concatenate([render_block("train", number, size)[1] for number, size in ((0, 4096), (1, 904))])
    np.testing.assert_array_equal(np.bincount(labels), 500)


@pytest.mark.parametrize("cores", [1, 2])
def test_a_split_is_its_blocks_in_order(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    monkeypatch.setattr(SynNumbers, "sizes", {"train": 160, "test": 64})
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    with joblib.parallel_config(backend="threading"):
        domain = catalog.load("syn_numbers", "train")
    made = [render_block("train", number, size) for number, size in ((0, 64), (1, 64), (2, 32))]
    np.testing.assert_array_equal(domain.inputs, np.concatenate([images for images, _ in made]))
    np.testing.assert_array_equal(domain.labels, np.concatenate([labels for _, labels in made]))
    np.testing.assert_array_equal(np.bincount(domain.labels), 16)
    assert isinstance(domain.inputs, np.memmap)
    assert domain.name == "syn_numbers/train"
    left = [path.name for path in (data_home() / "arrays" / "syn_numbers").iterdir()]
    assert left == ["train"], "no temporary file stays"


def test_a_disk_that_is_too_small_is_said_before_anything_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")  # noqa: PYI024
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(2.9e9))
    with pytest.raises(WorkError, match=r"takes 2\.9 GB in .*syn_numbers, and 2\.9 GB are free.*ACCLIMATE_DATA"):
        catalog.load("syn_numbers", "train")
    assert not any(Path(data_home() / "arrays" / "syn_numbers").iterdir())


def test_it_is_called_ours_and_not_the_papers() -> None:
    data = catalog.dataset("syn_numbers")
    assert "(ours)" in data.title
    assert any("not the DANN paper's" in trap for trap in data.traps)


def test_a_digit_alone_is_that_digit() -> None:
    cover = ALONE.coverage()
    drawn = np.stack([_drawn(digit) for digit in range(10)])
    distances = np.abs(cover[:, None] - drawn[None]).mean(axis=(2, 3))
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(10))
    assert distances.diagonal().max() < 0.03


def _drawn(digit: int) -> np.ndarray:
    """The digit 28 pixels high in the middle of 32 × 32, by Pillow's own scaling."""
    ink = Image.fromarray(_bitmap(FONTS[SANS], str(digit)))
    width = round(28 * ink.width / ink.height / 2) * 2
    scaled = np.asarray(ink.convert("L").resize((width, 28), Image.Resampling.BOX)) / 255
    return np.pad(scaled, ((2, 2), ((32 - width) // 2,) * 2))


def test_neighbours_stand_on_their_sides_and_nothing_is_cut() -> None:
    texts = [(1, 8, 4), (4, 1, 0)]
    whole = layout(texts, (True, True, True), 10).coverage()
    left, centre, right = (
        layout(texts, present, 10).coverage()
        for present in ((True, False, False), (False, True, False), (False, False, True))
    )
    np.testing.assert_allclose(whole, left + centre + right, atol=1e-6)
    columns = np.arange(32)
    for part, middle in ((left, 15.5 - 9), (centre, 15.5), (right, 15.5 + 9)):
        for ink in part.sum(axis=1):
            seen = columns[ink > 0.01]
            assert (seen[0] + seen[-1]) / 2 == pytest.approx(middle, abs=0.6)


def test_the_text_is_moved_turned_and_narrowed() -> None:
    zero = replace(ALONE.take(slice(0, 1)), height=np.array([16.0]))
    (cover,) = zero.coverage()
    (moved,) = replace(zero, shift=np.array([[3.0, -2.0]])).coverage()
    np.testing.assert_allclose(moved, np.roll(cover, (-2, 3), axis=(0, 1)), atol=1e-3)
    (narrow,) = replace(zero, width=np.array([0.5])).coverage()
    assert narrow.any(axis=0).sum() == pytest.approx(cover.any(axis=0).sum() / 2, abs=1)
    assert narrow.any(axis=1).sum() == cover.any(axis=1).sum()
    (quarter,) = replace(zero, angle=np.array([np.pi / 2])).coverage()
    np.testing.assert_allclose(quarter, cover.T, atol=0.1)
    one = replace(zero, digits=np.array([[0, 7, 0]]), angle=np.array([np.pi / 2]))
    right_side_heavy = one.coverage()[0].sum(axis=0)
    assert right_side_heavy[16:].sum() > right_side_heavy[:16].sum() * 1.2, "clockwise: the bar of the 7 is right"


def test_the_centre_digit_is_always_the_nearest_to_the_middle() -> None:
    drawn = _Layout.draw(np.arange(2000) % 10, np.random.default_rng(3))
    to_neighbour = drawn.steps.min(axis=1) * drawn.height * drawn.width
    assert (np.abs(drawn.shift).max(axis=1) < 0.36 * to_neighbour).all()
    assert np.abs(drawn.shift).max() <= 4
    assert 16 <= drawn.height.min() < drawn.height.max() <= 28
    lengths = np.bincount(drawn.present.sum(axis=1), minlength=4)
    assert (np.abs(lengths[1:] - 2000 / 3) < 100).all()
    assert drawn.present[:, 1].all()
    np.testing.assert_array_equal(drawn.digits[:, 1], np.arange(2000) % 10)


def test_colours_of_an_image_are_apart() -> None:
    inks, grounds = _colours(5000, np.random.default_rng(0))
    apart = np.linalg.norm(inks - grounds, axis=1)
    assert 100 <= apart.min() < 105
    assert min(inks.min(), grounds.min()) >= 0
    assert max(inks.max(), grounds.max()) <= 255


def test_blur_is_gaussian_inside_and_keeps_what_is_flat() -> None:
    sigmas = np.array([0.0, 0.7, 1.5])
    cover = np.random.default_rng(0).random((1, 32, 32)).astype(np.float32).repeat(3, axis=0)
    blurred = _blur(cover, sigmas)
    np.testing.assert_allclose(blurred[0], cover[0], atol=1e-6)
    for image, sigma in zip(blurred[1:], sigmas[1:], strict=True):
        inside = slice(10, -10)
        expected = gaussian_filter(cover[0].astype(float), sigma, truncate=6)
        np.testing.assert_allclose(image[inside, inside], expected[inside, inside], atol=1e-4)
    np.testing.assert_allclose(_blur(np.ones((3, 32, 32), np.float32), sigmas), 1, atol=1e-5)


def test_paint_mixes_two_colours_and_adds_noise() -> None:
    cover = np.zeros((2, 32, 32), np.float32)
    cover[:, :, 16:] = 1
    cover[:, 0, 0] = 0.5
    inks, grounds = np.array([[200, 100, 0]] * 2, np.float32), np.array([[100, 140, 60]] * 2, np.float32)
    clean, noisy = _paint(cover, inks, grounds, np.array([0.0, 10.0]), np.random.default_rng(0))
    np.testing.assert_array_equal(clean[5, 20], [200, 100, 0])
    np.testing.assert_array_equal(clean[5, 5], [100, 140, 60])
    np.testing.assert_array_equal(clean[0, 0], [150, 120, 30])
    rest = noisy[:, :16, 0].astype(float)
    assert rest.std() == pytest.approx(10, rel=0.15)
    assert noisy[..., 2].min() == 0, "clipped, not wrapped"
