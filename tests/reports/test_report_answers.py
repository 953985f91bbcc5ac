"""Reading predictions: which examples, matched with source-only's, and counted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from acclimate.reports.answers import class_shares, read_answers, row_shares
from acclimate.runs.predictions import write_predictions


def test_answers_before_and_after(make_run):
    answers = read_answers(make_run(labels=[0, 1, 2, -1], after=[0, 1, 1, 2], before=[0, 0, 0, 0]))
    assert answers.split == "target_test"
    assert answers.labels.tolist() == [0, 1, 2, -1]
    assert answers.num_known == 3
    assert answers.right(answers.after).tolist() == [True, True, False]
    assert answers.right(answers.before).tolist() == [True, False, False]
    np.testing.assert_array_equal(answers.confusion(answers.after), [[1, 0, 0], [0, 1, 0], [0, 1, 0]])


def test_matched_by_row_not_by_order(make_run):
    run = make_run(labels=[0, 1, 2], after=[0, 1, 2], before=[2, 1, 0])
    baseline = run.baseline
    write_predictions(baseline.predictions_path, pl.read_parquet(baseline.predictions_path).reverse())
    assert read_answers(run).before.predicted.tolist() == [2, 1, 0]


def test_a_baseline_on_other_examples_is_not_compared_with(make_run):
    run = make_run(labels=[0, 1, 2], after=[0, 1, 2], before=[2, 1, 0])
    baseline = run.baseline
    write_predictions(baseline.predictions_path, pl.read_parquet(baseline.predictions_path).head(2))
    assert read_answers(run).before is None


@pytest.mark.parametrize(
    ("splits", "labels", "expected"),
    [
        (["target", "target_test"], ["cat", "cat"], "target_test"),
        (["target", "target_test"], ["cat", None], "target"),
        (["target", "target_test"], [None, None], "target_test"),
        (["target"], [None], "target"),
        (["target", "target_validation", "target_test", "target_shifted"], ["cat"] * 4, "target_test"),
        (["target_shifted", "target"], ["cat", None], "target"),
    ],
)
def test_held_out_examples_first_but_labels_before_all(make_run, splits, labels, expected):
    run = make_run(before=None)
    n = len(splits)
    table = pl.DataFrame(
        {"split": splits, "row": [0] * n, "predicted": ["cat"] * n, "confidence": [0.5] * n, "label": labels},
        schema_overrides={"label": pl.String},
    )
    table = table.with_columns(pl.Series("probabilities", np.full((n, 3), 1 / 3)))
    write_predictions(run.predictions_path, table)
    assert read_answers(run).split == expected


def test_row_shares_of_an_absent_class_are_unknown():
    shares = row_shares(np.array([[3, 1], [0, 0]]))
    np.testing.assert_array_equal(shares, [[0.75, 0.25], [np.nan, np.nan]])


def test_class_shares_leave_out_unlabelled():
    np.testing.assert_array_equal(class_shares(np.array([0, 0, 2, -1, 0]), 3), [0.75, 0, 0.25])
