"""Reading metrics, and what a discriminator's accuracy is taken to mean."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.reports.curves import Line, domain_remark, read_curves, smoothed
from acclimate.runs.files import write_json


def test_curves_of_a_run(make_run):
    curves = read_curves(make_run())
    assert list(curves.accuracy) == ["source", "source_test", "target_test"]
    assert curves.target_role == "target_test"
    np.testing.assert_array_equal(curves.accuracy["source"].x, [0, 0.5, 1])
    np.testing.assert_array_equal(curves.accuracy["source"].y, [0.3, 0.8, 0.95])
    np.testing.assert_array_equal(curves.losses["label_loss"].x, [1, 2, 3])
    np.testing.assert_array_equal(curves.losses["label_loss"].y, [1, 0.5, 0.25])
    assert curves.baseline.last == 0.9
    assert curves.pseudo_labels is None


def test_domain_accuracy_is_no_loss(make_run):
    curves = read_curves(make_run(losses={"domain_loss": [0.7, 0.6], "domain_accuracy": [0.5, 0.75]}))
    assert list(curves.losses) == ["domain_loss"]
    assert curves.domain_accuracy.last == 0.75


def test_pseudo_labels_have_curves_over_steps(make_run):
    evaluations = {
        "target_accuracy": [0.2, 0.6, 0.7],
        "pseudo_label_accuracy": [0.2, 0.5, 0.7],
        "pseudo_label_accuracy/kept": [0.4, 0.8, 0.9],
    }
    curves = read_curves(
        make_run(losses={"soft_loss": [0.7, 0.6], "pseudo_labels_kept": [0.5, 0.75]}, evaluations=evaluations)
    )
    assert list(curves.losses) == ["soft_loss"]
    assert list(curves.accuracy) == ["target"]
    pseudo = curves.pseudo_labels
    assert (pseudo.kept.x.tolist(), pseudo.kept.y.tolist()) == ([1, 2], [0.5, 0.75])
    # Steps, not the epochs 0, 0.5 and 1.
    assert (pseudo.right.x.tolist(), pseudo.right.y.tolist()) == ([0, 1, 2], [0.2, 0.5, 0.7])
    assert pseudo.right_of_kept.y.tolist() == [0.4, 0.8, 0.9]


def test_steps_that_kept_no_pseudo_label_are_a_gap(make_run):
    run = make_run(losses={"pseudo_labels_kept": [0.0]}, evaluations={"pseudo_label_accuracy": [0.2, 0.5, 0.7]})
    for step, accuracy in ((0, 0.3), (2, 0.9)):
        row = {"pseudo_label_accuracy": 0.1, "pseudo_label_accuracy/kept": accuracy}
        run.journal.append({"kind": "evaluation", "step": step, "epoch": step / 2, **row})
    of_kept = read_curves(run).pseudo_labels.right_of_kept
    np.testing.assert_array_equal(of_kept.x, [0, 1, 2])
    np.testing.assert_array_equal(of_kept.y, [0.3, np.nan, 0.9])


def test_pseudo_labels_whose_answers_nobody_knows(make_run):
    pseudo = read_curves(make_run(losses={"pseudo_labels_kept": [0.5]})).pseudo_labels
    assert (pseudo.right, pseudo.right_of_kept) == (None, None)


def test_no_target_curve_without_labels(make_run):
    curves = read_curves(make_run(evaluations={"source_accuracy": [0.4, 0.9]}))
    assert curves.target_role is None
    assert curves.baseline is None


def test_single_heads_are_left_out(make_run):
    curves = read_curves(make_run(evaluations={"source_accuracy": [0.4], "source_accuracy/classifier_1": [0.2]}))
    assert list(curves.accuracy) == ["source"]


def test_a_step_recorded_twice_counts_once(make_run):
    run = make_run()
    run.journal.append({"kind": "evaluation", "step": 2, "epoch": 1.0, "source_accuracy": 0.5})
    assert read_curves(run).accuracy["source"].y.tolist() == [0.3, 0.8, 0.5]


def test_a_run_without_metrics_has_no_curves(make_run):
    run = make_run(before=None)
    run.metrics_path.unlink()
    curves = read_curves(run)
    assert (dict(curves.accuracy), dict(curves.losses), curves.domain_accuracy) == ({}, {}, None)


def test_the_last_evaluation_belongs_to_the_step_whose_weights_were_taken(make_run):
    run = make_run()
    write_json(
        run.folder / "summary.json", {**run.summary, "selection": "source-validation", "chosen_step": 1, "steps": 2}
    )
    assert read_curves(run).taken == 0.5


def test_of_the_last_step_nothing_was_taken_from_before(make_run):
    run = make_run()
    write_json(run.folder / "summary.json", {**run.summary, "selection": "last", "chosen_step": 2, "steps": 2})
    assert read_curves(run).taken is None


def test_smoothing_averages_a_window_and_keeps_the_length():
    values = np.arange(100.0)
    average = smoothed(values)
    assert len(average) == 100
    # 100 // 40 = 2 neighbours on either side: exact within, one-sided at the ends.
    np.testing.assert_allclose(average[2:-2], values[2:-2])
    assert average[0] == pytest.approx(np.mean([0, 1, 2]))
    assert average[-1] == pytest.approx(np.mean([97, 98, 99]))


def test_short_curves_are_not_smoothed():
    np.testing.assert_array_equal(smoothed(np.array([3.0, 1.0, 2.0])), [3, 1, 2])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.9] * 10 + [0.6] * 10, "right on 60\u00a0% of examples; 50\u00a0% is chance, and the aim"),
        ([0.6] * 10 + [0.99] * 10, "right on 99\u00a0% of examples: it still tells the domains apart"),
        ([0.9] * 10 + [0.8] * 10, "only partial"),
        ([0.9] * 10 + [0.3] * 10, "below chance"),
    ],
)
def test_domain_remark(values, words):
    assert words in domain_remark(Line(np.arange(20), np.array(values)))
