"""What the figures say: labels, numbers and marks."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from acclimate.reports import figures, maps
from acclimate.reports.curves import Curves, Line, PseudoCurves
from acclimate.reports.drawing import standalone_svg


def texts(axes):
    return [text.get_text() for text in axes.texts]


def line(*values):
    return Line(np.arange(float(len(values))), np.array(values))


def test_every_curve_is_named_at_its_end():
    curves = Curves({"source": line(0.1, 0.95), "target_test": line(0.1, 0.9)}, baseline=line(0.1, 0.5))
    (axes,) = figures.accuracy_figure(curves).axes
    assert texts(axes) == ["source 95.0", "target test 90.0", "without adaptation 50.0"]
    assert axes.get_legend() is None
    assert axes.get_ylim() == (0, 100)
    assert [drawn.get_linestyle() for drawn in axes.lines] == ["-", "-", "--"]


def test_names_of_curves_that_end_together_do_not_collide():
    curves = Curves({"source": line(0.90), "source_test": line(0.90), "target_test": line(0.90)})
    (axes,) = figures.accuracy_figure(curves).axes
    heights = sorted(text.xy[1] for text in axes.texts)
    assert np.diff(heights).min() >= 6 - 1e-9


def test_a_single_point_is_a_dot():
    (axes,) = figures.accuracy_figure(Curves({"source": line(0.9)})).axes
    assert axes.lines[0].get_marker() == "o"
    assert axes.get_xlim()[1] > 0


def test_weights_of_an_earlier_epoch_are_a_dot_where_they_were_learnt():
    curves = Curves({"source": line(0.1, 0.7, 0.8, 0.75)}, taken=1.0)
    (axes,) = figures.accuracy_figure(curves).axes
    course, taken = axes.lines
    assert course.get_ydata().tolist() == pytest.approx([10, 70, 80])
    assert (taken.get_marker(), taken.get_xdata().tolist(), taken.get_ydata().tolist()) == ("o", [1.0], [75.0])
    assert texts(axes) == ["source 75.0"]


def test_a_loss_shows_its_final_value():
    (axes,) = figures.loss_figure("label_loss", line(4.0, 2.0, 1.234567)).axes
    assert texts(axes) == ["1.23"]
    assert axes.get_title(loc="left") == "Label loss"


@pytest.mark.parametrize("values", [[1.0, np.nan], [np.nan, np.nan], [1.0, np.inf]])
def test_a_loss_that_broke_can_be_drawn(values):
    figure = figures.loss_figure("label_loss", line(*values))
    assert texts(figure.axes[0]) == []
    assert standalone_svg(figure)


def test_chance_is_marked():
    (axes,) = figures.domain_accuracy_figure(line(0.6, 0.8)).axes
    assert texts(axes) == ["80", "chance"]
    assert axes.lines[0].get_ydata() == [50, 50]


def test_pseudo_labels_are_named_at_their_ends():
    (axes,) = figures.pseudo_label_figure(PseudoCurves(line(0.5, 0.6), line(0.1, 0.7), line(0.1, 0.9))).axes
    assert texts(axes) == ["kept 60", "right of all 70", "right of kept 90"]
    curves = PseudoCurves(line(0.5, 0.0), line(0.1, 0.7), line(0.1, np.nan))
    (axes,) = figures.pseudo_label_figure(curves).axes
    assert texts(axes) == ["kept 0", "right of all 70"]
    (axes,) = figures.pseudo_label_figure(PseudoCurves(line(0.5, 0.6))).axes
    assert texts(axes) == ["kept 60"]
    assert axes.get_ylim() == (0, 101)


def test_few_classes_get_numbers():
    counts = np.array([[3, 1], [0, 0]])
    (axes,) = figures.confusion_figure(counts, ["a", "b"], "after", "true", "answer").axes
    assert texts(axes) == ["75", "25"]
    opaque = [p.get_alpha() for p in axes.patches if isinstance(p, Rectangle) and p.get_alpha() != 0.25]
    assert opaque == [0.75]
    assert len(axes.patches) == 6  # four empty cells and the two of the row that has examples
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]


def test_many_classes_get_colours_and_few_ticks():
    counts = np.eye(65, dtype=int)
    (axes,) = figures.confusion_figure(counts, [f"class {i}" for i in range(65)], "after", "true", "answer").axes
    assert texts(axes) == []
    assert len(axes.images) == 1
    alpha = axes.images[0].get_array()[..., 3]
    np.testing.assert_array_equal(alpha, np.eye(65))
    labels = [t.get_text() for t in axes.get_xticklabels()]
    assert labels[:3] == ["1", "6", "11"]
    assert len(labels) == 13


def test_few_classes_are_all_coloured_and_many_are_not():
    assert maps.shown_classes(np.array([0, 2, 2, -1]), 3) == [0, 2]
    labels = np.repeat(np.arange(20), np.arange(1, 21))
    assert maps.shown_classes(labels, 20) == [19, 18, 17, 16, 15, 14, 13, 12]


def test_a_class_is_named_at_both_domains_where_they_lie_apart():
    points = np.array([[0, 0]] * 3 + [[10, 10]] * 3 + [[0, 10]] * 6, float)
    labels = np.repeat([0, 1], 6)
    is_target = np.tile(np.repeat([False, True], 3), 2)
    (axes,) = maps.classes_figure(points, labels, is_target, ["a", "b"], "after").axes
    assert texts(axes) == ["a", "a", "b"]
    places = np.array([text.get_position() for text in axes.texts])
    assert np.abs(places - [[0, 0], [10, 10], [0, 10]]).max() < 1


def test_every_point_is_drawn_once_whatever_its_domain():
    points = np.random.default_rng(0).normal(size=(57, 2))
    (axes,) = maps.domains_figure(points, np.arange(57) % 3 == 0, "after").axes
    drawn = np.concatenate([c.get_offsets() for c in axes.collections])
    assert len(drawn) == 57
    assert {tuple(p) for p in drawn} == {tuple(p) for p in points}


def test_shares_are_drawn_in_percent():
    shares = figures.Shares(np.array([0.5, 0.5]), np.array([0.9, 0.1]), truth=np.array([0.6, 0.4]))
    (axes,) = figures.shares_figure(shares, ["a", "b"], [0, 1]).axes
    drawn = [c.get_offsets()[:, 0].tolist() for c in axes.collections[1:]]
    assert drawn == [pytest.approx([50, 50]), pytest.approx([90, 10]), pytest.approx([60, 40])]
