"""Tables and strips of several methods."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from acclimate.errors import RequestError
from acclimate.reports.compare import ComparisonRow, comparison_figure, markdown_table, write_comparison

ROWS = (
    ComparisonRow("Source only", (0.70, 0.72, 0.74), 12.4),
    ComparisonRow("MCD | <b>", (0.93, 0.95, 0.94), 4_000, 0.942, "Saito et al., 2018"),
    ComparisonRow("Upper bound", (0.97,), 150),
)


def test_markdown_table():
    reach = 100 * stats.t.ppf(0.975, 2) * np.std([0.70, 0.72, 0.74], ddof=1) / np.sqrt(3)
    assert f"{reach:.1f}" == "5.0"
    assert markdown_table(ROWS) == (
        "| Method | Target accuracy, % | Seeds | Published, % | Time per seed |\n"
        "| --- | --: | --: | --- | --: |\n"
        "| Source only | 72.0 ± 5.0 | 3 | – | 12 s |\n"
        "| MCD \\| &lt;b> | 94.0 ± 2.5 | 3 | 94.2 (Saito et al., 2018) | 67 min |\n"
        "| Upper bound | 97.0 | 1 | – | 2 min |\n"
    )


def test_every_seed_is_a_point():
    (axes,) = comparison_figure(ROWS).axes
    seeds = [c.get_offsets()[:, 0].tolist() for c in axes.collections if len(c.get_offsets()) == 3]
    assert seeds == [pytest.approx([70, 72, 74]), pytest.approx([93, 95, 94])]
    assert [t.get_text() for t in axes.texts] == ["72.0 ± 5.0", "94.0 ± 2.5", "97.0"]


def test_html_page_is_whole_and_escaped(tmp_path):
    page = write_comparison(ROWS, tmp_path / "table.html", "A & B").read_text(encoding="utf-8")
    assert "A &amp; B" in page
    assert "MCD | &lt;b&gt;" in page
    assert "<b>" not in page.replace("<b>|</b>", "")
    assert not re.search(r"(?:src|href)=\"?https?:", page)
    assert [p.name for p in tmp_path.iterdir()] == ["table.html"]


def test_markdown_file_links_its_figure(tmp_path):
    text = write_comparison(ROWS, tmp_path / "table.md").read_text(encoding="utf-8")
    assert markdown_table(ROWS) in text
    assert text.endswith("](table.svg)\n")
    assert (tmp_path / "table.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("rows", "name", "words"), [((), "a.md", "at least one method"), (ROWS, "a.txt", r"\.html or \.md")]
)
def test_requests_that_cannot_be_met(tmp_path, rows, name, words):
    with pytest.raises(RequestError, match=words):
        write_comparison(rows, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_page_without_published_numbers_has_no_column_for_them(tmp_path: Path) -> None:
    without = write_comparison([ComparisonRow("MCD", (0.9, 0.8), 3.0)], tmp_path / "a.html").read_text()
    with_one = write_comparison([ComparisonRow("MCD", (0.9,), 3.0, 0.95, "x")], tmp_path / "b.html").read_text()
    assert "ublished" not in without
    assert "Published, %" in with_one
    assert "◇" in with_one
