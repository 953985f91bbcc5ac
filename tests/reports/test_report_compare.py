"""Tables and strips of several methods."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from acclimate.errors import RequestError
from acclimate.reports.compare import (
    ComparisonRow,
    comparison_figure,
    label_series,
    labels_figure,
    markdown_table,
    write_comparison,
)

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


def test_where_classes_differ_in_size_balanced_accuracy_stands_beside_and_older_rows_have_a_dash(tmp_path):
    rows = (ROWS[0], ComparisonRow("MCD", (0.9, 0.8), 3.0, balanced=(0.6, 0.5)))
    table = markdown_table(rows)
    assert table.startswith("| Method | Target accuracy, % | Balanced accuracy, % | Seeds |")
    assert "| Source only | 72.0 ± 5.0 | – | 3 |" in table
    assert "| MCD | 85.0 ± 63.5 | 55.0 ± 63.5 | 2 |" in table
    page = write_comparison(rows, tmp_path / "table.html").read_text(encoding="utf-8")
    assert "Balanced accuracy, %" in page
    assert "55.0 ± 63.5" in page
    assert "Balanced accuracy, %" not in write_comparison(ROWS, tmp_path / "other.html").read_text(encoding="utf-8")


def test_what_is_scored_is_named_wherever_it_stands(tmp_path):
    rows = [
        ComparisonRow("OSBP", (0.6, 0.7), 3.0, scored="H-score"),
        ComparisonRow("Threshold", (0.5,), 3.0, scored="H-score"),
    ]
    assert markdown_table(rows).startswith("| Method | H-score, % | Seeds |")
    page = write_comparison(rows, tmp_path / "table.html").read_text(encoding="utf-8")
    assert "H-score is the mean over seeds" in page
    assert "accuracy" not in page.lower().split("</style>")[1]


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


def labelled(series: str, labels: float | None, *accuracies: float) -> ComparisonRow:
    return ComparisonRow(f"{series}-{labels}", accuracies, 1.0, series=series, labels_per_class=labels)


LABELLED = (
    labelled("ten first", 10, 0.8, 0.9),
    labelled("ten first", 1, 0.4, 0.6),
    labelled("ten first", 3, 0.7),
    labelled("second", 3, 0.3, 0.5),
    labelled("second", 5, 0.5, 0.5),
    labelled("alone", 3, 0.99),
    labelled("twice the same", 3, 0.99),
    labelled("twice the same", 3, 0.98),
    labelled("", 1, 0.1),
    labelled("", 2, 0.2),
    labelled("unknown", None, 0.1),
    labelled("unknown", 2, 0.2),
)


def test_series_have_several_numbers_of_labels_in_order() -> None:
    found = label_series(LABELLED)
    assert {name: [row.labels_per_class for row in rows] for name, rows in found.items()} == {
        "ten first": [1, 3, 10],
        "second": [3, 5],
    }
    assert label_series(ROWS) == {}


def test_accuracy_against_numbers_of_labels() -> None:
    (axes,) = labels_figure(label_series(LABELLED)).axes
    first, second = (container.lines[0] for container in axes.containers)
    assert first.get_xdata().tolist() == [1, 3, 10]
    assert first.get_ydata().tolist() == pytest.approx([50, 70, 85])
    assert second.get_xdata().tolist() == [3, 5]
    assert second.get_ydata().tolist() == pytest.approx([40, 50])
    # The interval of (0.4, 0.6); none of the single seed after it.
    reach = 100 * stats.t.ppf(0.975, 1) * np.std([0.4, 0.6], ddof=1) / np.sqrt(2)
    bars = axes.containers[0].lines[2][0].get_segments()
    assert [np.ptp(bar[:, 1]) for bar in bars[:2]] == pytest.approx([2 * reach, 0])
    assert axes.get_ylim() == pytest.approx((-5, 105))  # not the interval's −77 to 177
    assert [text.get_text() for text in axes.texts] == ["ten first 85.0", "second 50.0"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "3", "5", "10"]


def test_no_labels_at_all_have_a_place_too() -> None:
    series = label_series([labelled("mcc", 0, 0.5), labelled("mcc", 2.5, 0.75)])
    (axes,) = labels_figure(series).axes
    low, high = axes.get_xlim()
    assert np.isfinite([low, high]).all()
    assert low < 0 < 2.5 < high
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "2.5"]


def test_pages_show_what_more_labels_are_worth(tmp_path: Path) -> None:
    page = write_comparison(LABELLED, tmp_path / "a.html").read_text(encoding="utf-8")
    assert "What more target labels are worth" in page
    assert "second 40.0 ± 127.1 with 3, 50.0 ± 0.0 with 5." in page
    assert "target labels" not in write_comparison(ROWS, tmp_path / "b.html").read_text(encoding="utf-8")
    text = write_comparison(LABELLED, tmp_path / "c.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(([^)]+)\)", text) == ["c.svg", "c-labels.svg"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html", "c-labels.svg", "c.md", "c.svg"]
