"""Drawings cut to what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from acclimate.data.domain import Domain
from acclimate.data.trim import SIDE, has_ink, trimmed


def cut(sheet: np.ndarray) -> np.ndarray:
    """One sheet, `(h, w)` or `(h, w, 3)`, trimmed to `(128, 128)`."""
    found = trimmed(Domain(sheet.reshape(1, *sheet.shape[:2], -1))).array
    assert found.shape == (1, SIDE, SIDE, 1)
    assert found.dtype == np.uint8
    return found[0, ..., 0]


drawings = arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.integers(0, 255))


def on_sheet(drawing: np.ndarray, top: int, left: int, side: int = 60) -> np.ndarray:
    sheet = np.full((side, side), 255, np.uint8)
    sheet[top : top + drawing.shape[0], left : left + drawing.shape[1]] = drawing
    return sheet


@given(drawings.filter(has_ink), st.lists(st.tuples(st.integers(5, 35), st.integers(5, 35)), min_size=2, max_size=2))
def test_where_on_the_sheet_it_was_drawn_does_not_matter(drawing: np.ndarray, places: list[tuple[int, int]]) -> None:
    one, two = (cut(on_sheet(drawing, *at)) for at in places)
    np.testing.assert_array_equal(one, two)


@given(drawings.filter(has_ink), st.integers(0, 60), st.integers(0, 60))
def test_no_ink_is_cut_off_and_it_fills_the_square(drawing: np.ndarray, top: int, left: int) -> None:
    """A white sheet around the whole drawing, at the border too, keeps the weight of the ink."""
    h, w = drawing.shape
    sheet = on_sheet(np.where(drawing < 200, 0, 255).astype(np.uint8), min(top, 60 - h), min(left, 60 - w))
    ink = sheet < 200
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    longest = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    side = int(np.ceil(longest * 1.16))
    found = cut(sheet)
    weight = (255.0 - found).sum() * (side / SIDE) ** 2
    assert weight == pytest.approx(255.0 * ink.sum(), rel=0.08)
    shown = found < 250
    extent = max(np.ptp(np.flatnonzero(shown.any(axis=axis))) + 1 for axis in (0, 1))
    assert extent >= SIDE * longest / side - 2


def figure(scale: float, side: int = 512) -> np.ndarray:
    image = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(image)
    at = side / 2 - 40 * scale
    pen.ellipse([at, at, at + 80 * scale, at + 50 * scale], outline=0, width=round(4 * scale))
    pen.line([at, at, at + 60 * scale, at + 80 * scale], fill=0, width=round(4 * scale))
    return np.asarray(image)


@pytest.mark.parametrize("scale", [1.5, 2.0, 3.0, 5.0])
def test_how_large_it_was_drawn_hardly_matters(scale: float) -> None:
    one, two = cut(figure(1.0)).astype(float), cut(figure(scale)).astype(float)
    blank = np.full_like(one, 255)
    assert np.abs(one - two).mean() < 0.35 * np.abs(one - blank).mean()


@pytest.mark.parametrize(("h", "w"), [(30, 30), (128, 128), (20, 50)])
def test_a_sheet_without_ink_stays_blank(h: int, w: int) -> None:
    assert (cut(np.full((h, w), 255, np.uint8)) == 255).all()
    assert (cut(np.full((h, w), 201, np.uint8)) == 201).all()


@pytest.mark.parametrize("at", [(0, 0), (0, 39), (39, 0), (39, 39), (17, 22)])
def test_one_pixel_of_ink_is_shown(at: tuple[int, int]) -> None:
    sheet = np.full((40, 40), 255, np.uint8)
    sheet[at] = 0
    found = cut(sheet)
    assert found.min() == 0
    assert found.max() == 255


def test_ink_at_all_borders_keeps_the_whole_sheet_with_a_margin() -> None:
    sheet = np.full((50, 50), 255, np.uint8)
    sheet[0] = sheet[-1] = sheet[:, 0] = sheet[:, -1] = 0
    found = cut(sheet)
    assert (found[:6] == 255).all()
    assert (found[:, -6:] == 255).all()
    assert (found < 128).any(axis=1).sum() == pytest.approx(SIDE * 50 / 58, abs=4)


def test_a_long_stroke_is_not_squeezed() -> None:
    sheet = np.full((60, 60), 255, np.uint8)
    sheet[10, 5:55] = 0
    found = cut(sheet) < 200
    assert np.ptp(np.flatnonzero(found.any(axis=0))) > 100
    assert np.ptp(np.flatnonzero(found.any(axis=1))) < 8


@given(drawings.filter(has_ink))
def test_colour_is_read_as_grey(drawing: np.ndarray) -> None:
    grey = on_sheet(drawing, 9, 9)
    np.testing.assert_array_equal(cut(np.repeat(grey[..., None], 3, axis=2)), cut(grey))


def test_coloured_ink_is_ink_by_its_luma() -> None:
    sheet = np.full((40, 40, 3), 255, np.uint8)
    sheet[10:14, 10:30] = (200, 0, 0)
    assert cut(sheet).min() < 100
    assert has_ink(sheet)
    assert not has_ink(np.full((4, 4), 230, np.uint8))


def test_many_sheets_keep_labels_and_ids_and_none_is_none() -> None:
    sheets = np.stack([on_sheet(np.zeros((3, 3), np.uint8), i, i) for i in range(4)])[..., None]
    domain = Domain(sheets, np.array([0, 1, 0, -1]), ("a", "b"), "sketches", tuple("wxyz"))
    found = trimmed(domain)
    assert (found.labels.tolist(), found.classes, found.ids) == ([0, 1, 0, -1], ("a", "b"), tuple("wxyz"))
    assert trimmed(domain.take(slice(0))).array.shape == (0, SIDE, SIDE, 1)
