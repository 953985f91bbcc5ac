"""Placing labels, and SVG that a page can hold."""

from __future__ import annotations

import re
import warnings

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.reports.drawing import BLUE, INK, halo, panel, separated, shortened, spread, standalone_svg, svg, title


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_spread_keeps_order_gap_and_bounds(wanted):
    placed = spread(wanted, 6, 0, 100)
    assert min(placed) >= -1e-9
    assert max(placed) <= 100 + 1e-9
    in_order = [placed[i] for i in np.argsort(wanted, kind="stable")]
    assert (np.diff(in_order) >= 6 - 1e-9).all()


def test_spread_moves_nothing_that_has_room():
    assert spread([90, 10, 50], 6, 0, 100) == pytest.approx([90, 10, 50])


def test_spread_shares_the_way_between_two():
    assert spread([50, 50], 6, 0, 100) == pytest.approx([47, 53])


def test_spread_shrinks_the_gap_where_there_is_no_room():
    assert spread([5, 5, 5], 60, 0, 100) == pytest.approx([0, 50, 100])


def test_spread_of_nothing():
    assert spread([], 6, 0, 100) == []


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2, max_size=6))
def test_separated_boxes_do_not_overlap(points):
    sizes = np.full((len(points), 2), 10.0)
    moved = separated(np.array(points), sizes, np.array([-500, -500]), np.array([600, 600]))
    for i in range(len(points)):
        for j in range(i):
            assert (np.abs(moved[i] - moved[j]) >= 10 - 1e-6).any()


def test_separated_boxes_stay_inside():
    moved = separated(np.array([[0.0, 0.0], [100.0, 100.0]]), np.full((2, 2), 10.0), np.zeros(2), np.full(2, 100.0))
    np.testing.assert_allclose(moved, [[5, 5], [95, 95]])


def test_shortened_names_keep_both_ends():
    assert shortened("a\nshort  name") == "a short name"
    assert shortened("bottle cap number 1", 9) == "bott…er 1"


def drawing(name):
    figure, axes = panel(200, 120)
    axes.plot([0, 1], [0, 1], color=BLUE)
    title(axes, name)
    halo(axes.text(0.5, 0.5, name, color=INK))
    return figure


@pytest.mark.parametrize("name", ["<script>", 'a "b" & c', "$x_", "#0072b2;", "3.14159", '<g id="halo1">'])
def test_names_reach_the_page_as_they_are(name):
    source = str(svg(drawing(name), f"shows {name}"))
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", source)
    written = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert texts.count(written) == 2
    assert "<script" not in source


def test_the_page_decides_on_colours_and_font():
    source = str(svg(drawing("x"), "a line"))
    assert "var(--c0)" in source
    assert "var(--ink)" in source
    assert not re.search(r"#[0-9a-f]{6}", source)
    assert "font-family" not in source


def test_it_is_inline_and_described():
    source = str(svg(drawing("x"), 'a "line"'))
    assert source.startswith('<svg role="img" aria-label="a &#34;line&#34;" viewBox="0 0 200 120"')
    assert "http" not in source
    assert '<g class="halo">' in source


def test_ids_of_two_figures_differ_and_references_resolve():
    sources = [str(svg(drawing(name), name)) for name in ("one", "two")]
    ids = [set(re.findall(r'\bid="([^"]+)"', source)) for source in sources]
    assert not ids[0] & ids[1]
    for source, own in zip(sources, ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", source)) <= {(i, "") for i in own} | {
            ("", i) for i in own
        }


def test_scripts_that_the_measuring_font_lacks_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "漢字" in svg(drawing("漢字"), "a line")


def test_no_global_state_is_left():
    before = dict(matplotlib.rcParams)
    standalone_svg(drawing("x"))
    assert dict(matplotlib.rcParams) == before
