"""Contact sheets: every picture where it belongs, and names that fit."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.reports.sheet import MOST, SIDE, Row, Shown, _fitting, _font, contact_sheet


def shown(value: int, name: str = "a.jpg") -> Shown:
    return Shown(np.full((SIDE, SIDE, 3), value, np.uint8), "1   0.900", name)


def cell(sheet: np.ndarray, across: int, down: int) -> np.ndarray:
    x, y = 240 + across * (SIDE + 14), 24 + down * (SIDE + 46)
    return sheet[y : y + SIDE, x : x + SIDE]


@pytest.mark.parametrize(("hits", "columns", "lines"), [(1, 1, 1), (3, 3, 1), (5, 5, 1), (6, 5, 2), (11, 5, 3)])
def test_hits_stand_in_lines_of_five(hits: int, columns: int, lines: int) -> None:
    row = Row(shown(7), [shown(10 + i) for i in range(hits)])
    sheet = np.asarray(contact_sheet([row]))
    assert sheet.shape == (48 + lines * (SIDE + 46), 240 + columns * (SIDE + 14) - 14 + 24, 3)
    assert (sheet[24 : 24 + SIDE, 24 : 24 + SIDE] == 7).all()
    for i in range(hits):
        assert (cell(sheet, i % 5, i // 5) == 10 + i).all()


def test_no_more_than_can_be_looked_at() -> None:
    row = Row(shown(7), [shown(i % 200) for i in range(MOST + 30)])
    assert contact_sheet([row]).height == contact_sheet([Row(shown(7), row.hits[:MOST])]).height


def test_rows_stand_below_each_other() -> None:
    rows = [Row(shown(7), [shown(1)] * 7), Row(shown(8), []), Row(shown(9), [Shown(None, "1", "gone.jpg")])]
    sheet = np.asarray(contact_sheet(rows))
    top = 24
    for lines, value in ((2, 7), (1, 8), (1, 9)):
        assert (sheet[top : top + SIDE, 24 : 24 + SIDE] == value).all()
        top += lines * (SIDE + 46) + 24
    assert sheet.shape[0] == top


@pytest.mark.parametrize(
    "name", ["", "a.jpg", "x" * 500, "写真" * 50 + ".jpg", "a\nb\x1b[31m.jpg", "W" * 24 + ".png"]
)
def test_names_fit_beneath_a_picture(name: str) -> None:
    short = _fitting(name)
    assert _font(12).getlength(short) <= SIDE
    assert short.isprintable()
    assert short.endswith(name[-4:])
    contact_sheet([Row(shown(7, name), [shown(1, name)])])
