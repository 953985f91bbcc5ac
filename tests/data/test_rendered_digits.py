"""Glyphs of free fonts, and the printed digits that go through NIST's preprocessing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, label

from acclimate.data import catalog, storage
from acclimate.data.catalog import rendered_digits
from acclimate.data.catalog.rendered_digits import (
    RenderedDigits,
    count_blocks,
    normalise_bitmaps,
    render,
    scan_digits,
)
from acclimate.data.fonts import DIGITS, FONTS, font_path, glyphs, rendering_versions
from acclimate.data.home import arrays_folder

ALL = pytest.mark.parametrize("font", range(len(FONTS)), ids=FONTS)


def inks(font: int) -> np.ndarray:
    """The ten digits of a font as bool `(10, 96, 96)`, one unit being 80 pixels."""
    axis = (np.arange(96) - 47.5) / 80
    digits = np.arange(10)[:, None, None]
    return glyphs().sample(np.array(font), digits, axis[None, None, :], axis[None, :, None]) > 0


def test_the_fonts_are_matplotlibs_in_a_fixed_order() -> None:
    assert list(FONTS) == sorted(FONTS)
    assert all(font_path(font).is_file() for font in FONTS)
    assert "freetype" in rendering_versions()


@ALL
def test_digits_are_one_unit_high_and_as_wide_as_stated(font: int) -> None:
    ink = inks(font)
    for digit in range(10):
        rows, columns = np.flatnonzero(ink[digit].any(axis=1)), np.flatnonzero(ink[digit].any(axis=0))
        assert abs(rows[-1] + rows[0] - 95) <= 2, "centred"
        assert abs(rows[-1] - rows[0] + 1 - 80) <= 3, "one unit high"
        assert abs(columns[-1] - columns[0] + 1 - 80 * glyphs().widths[font, digit]) <= 3


@ALL
def test_glyphs_are_those_digits(font: int) -> None:
    ink = inks(font)
    amount = ink.sum(axis=(1, 2))
    assert amount[1] < amount[8]
    assert amount[7] < amount[8]
    for a, b in itertools.combinations(range(10), 2):
        assert (ink[a] ^ ink[b]).sum() > 0.15 * min(amount[a], amount[b]), (a, b)
    open_four = FONTS[font] == "cmti10.ttf"
    assert [holes(digit) for digit in ink] == [1, 0, 0, 0, 0 if open_four else 1, 0, 1, 0, 2, 1]


def holes(ink: np.ndarray) -> int:
    return int(label(~np.pad(ink, 1))[1]) - 1


def test_distances_are_distances() -> None:
    # DejaVu Sans's 1 stands on a base as wide as its ink; below it there is nothing but growing distance.
    depths = np.linspace(0.5, 0.9, 9)
    measured = glyphs().sample(np.array(3), np.array(1), np.zeros(9), depths)
    np.testing.assert_allclose(measured, 0.5 - depths, atol=0.02)


def test_points_far_away_are_outside_every_digit() -> None:
    digits = np.arange(len(DIGITS))
    far = np.full(10, 1e6)
    assert (glyphs().sample(np.array(0), digits, far, -far) < -0.5).all()


def solid(height: int, width: int) -> np.ndarray:
    """A block of ink off the middle of a 40 × 40 bitmap."""
    bitmap = np.zeros((1, 40, 40), dtype=bool)
    bitmap[:, 3 : 3 + height, 5 : 5 + width] = True
    return bitmap


def test_the_box_is_stretched_to_20_by_32_in_the_middle() -> None:
    expected = np.zeros((1, 32, 32), dtype=bool)
    expected[:, 2:30, 8:24] = True  # 640 pixels are thinned twice
    for height, width in ((32, 20), (16, 10), (8, 30), (1, 1)):
        np.testing.assert_array_equal(normalise_bitmaps(solid(height, width)), expected)


def test_what_is_stretched_keeps_its_order() -> None:
    bitmap = solid(16, 10)
    bitmap[0, 3 + 6 : 3 + 12, 5 + 5 :] = False  # a 3 × 5 half-open box, doubled below
    (out,) = normalise_bitmaps(bitmap)
    assert out[4, 20]
    assert out[28, 20]
    assert not out[12:24, 16:].any()
    assert out[12:24, 8].all()


def filled(ink: int) -> np.ndarray:
    """A 32 × 20 bitmap with a flat left edge and so many pixels: the top row, then column after column."""
    bitmap = np.zeros((32, 20), dtype=bool)
    bitmap[0] = True
    rest = [(row, column) for column in range(20) for row in range(1, 32)]
    for place in rest[: ink - 20]:
        bitmap[place] = True
    return bitmap


@pytest.mark.parametrize(
    ("ink", "steps"), [(107, 2), (108, 1), (255, 1), (256, 0), (412, 0), (413, -1), (560, -1), (561, -2)]
)
def test_strokes_are_thinned_and_thickened_by_the_amount_of_ink(ink: int, steps: int) -> None:
    expected = np.pad(filled(ink), ((0, 0), (6, 6)))
    assert expected.sum() == ink
    for _ in range(abs(steps)):  # scipy's cross is the pixel and its four neighbours
        expected = binary_dilation(expected) if steps > 0 else binary_erosion(expected)
    (out,) = normalise_bitmaps(filled(ink)[None])
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("lean", [1, -1])
def test_a_leaning_stroke_is_set_upright(lean: int) -> None:
    bitmap = np.zeros((32, 20), dtype=bool)
    for row, start in enumerate(np.rint(np.linspace(10, 0, 32)).astype(int)[::lean]):
        bitmap[row, start : start + 10] = True
    (out,) = normalise_bitmaps(bitmap[None])
    left = out.argmax(axis=1)
    assert left[2] == left[29], "two rows inside either edge"
    assert np.ptp(left) <= 2, "both ways of rounding"
    assert (out.sum(axis=1) == 10).all(), "rows are moved, not changed"
    assert left[16] == 6 + bitmap[16].argmax(), "the row in the middle stays"


def test_blocks_are_counted() -> None:
    bitmap = np.zeros((1, 32, 32), dtype=bool)
    bitmap[0, :4, :4] = True
    bitmap[0, 7, 11] = True
    bitmap[0, 26:, 30:] = True
    expected = np.zeros((8, 8))
    expected[0, 0], expected[1, 2], expected[6, 7], expected[7, 7] = 16, 1, 4, 8
    np.testing.assert_array_equal(count_blocks(bitmap)[0], expected)


def test_scanned_digits_lie_whole_on_the_bitmap() -> None:
    bitmaps = scan_digits(np.arange(1000) % 10, np.random.default_rng(5))
    assert bitmaps.any(axis=(1, 2)).all()
    assert not any(edge.any() for edge in (bitmaps[:, 0], bitmaps[:, -1], bitmaps[:, :, 0], bitmaps[:, :, -1]))


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    first, labels = render(40, seed=1)
    again, labels_again = render(40, seed=1)
    other, other_labels = render(40, seed=2)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, labels_again)
    assert (first != other).any()
    assert (labels != other_labels).any()


def test_a_split_is_drawn_once_balanced_and_stored_with_its_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = catalog.load("rendered_digits", "test")
    assert domain.inputs.shape == (1000, 8, 8, 1)
    assert domain.inputs.dtype == np.uint8
    assert set(np.unique(domain.inputs)) <= set(np.rint(np.arange(17) * (255 / 16)).astype(int))
    assert (domain.inputs.min(), domain.inputs.max()) == (0, 255)
    np.testing.assert_array_equal(np.bincount(domain.labels), 100)
    made_from = storage.about(arrays_folder("rendered_digits", "test"))["made_from"]
    assert made_from.startswith(f"{RenderedDigits.generator}; freetype ")

    monkeypatch.setattr(rendered_digits, "render", lambda n, seed: pytest.fail("drawn again"))
    assert catalog.load("rendered_digits", "test").content_hash == domain.content_hash
    monkeypatch.setattr(RenderedDigits, "generator", "rendered_digits 999")
    with pytest.raises(pytest.fail.Exception, match="drawn again"):
        catalog.load("rendered_digits", "test")


def test_printed_digits_look_prepared_like_the_handwritten_ones() -> None:
    printed = catalog.load("rendered_digits", "test").inputs / 255
    written = catalog.load("digits", "all").inputs / 255
    assert printed.mean() == pytest.approx(written.mean(), rel=0.05)
    assert printed.std(axis=0).mean() == pytest.approx(written.std(axis=0).mean(), rel=0.15)
    for side in (printed, written):
        assert side[:, :, 0].mean() < 0.01
        assert side[:, 0].max(axis=(1, 2)).min() > 0.1, "the box reaches the top"
