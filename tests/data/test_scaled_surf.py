"""SURF counts as published tables have them."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.data.catalog import office_features
from acclimate.data.catalog.office_features import scaled_surf
from acclimate.data.domain import Domain
from acclimate.data.tasks import find_task, load_task


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    counts = np.random.default_rng(0).integers(0, 9, (20, 6)).astype(np.float32)
    counts[:, 2] = 0  # a word that this domain never has
    counts[3] = 0  # a photo without any
    labels = np.arange(20) % 10
    found = lambda self, split: Domain(counts, labels, self.classes, f"surf/{split}")  # noqa: E731
    monkeypatch.setattr(office_features.OfficeCaltech10Surf, "load", found)
    return counts


def test_rows_have_sum_one_and_columns_are_scored_by_the_domain(counts: np.ndarray) -> None:
    domain = scaled_surf("amazon")
    shares = np.array([row / row.sum() if row.sum() else row for row in counts.astype(float)])
    for column, found in zip(shares.T, domain.array.T, strict=True):
        expected = (column - column.mean()) / column.std(ddof=1) if column.any() else column
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert domain.array.dtype == np.float32


def test_all_pairs_are_tasks_whose_target_is_what_is_scored(counts: np.ndarray) -> None:
    task = load_task("office_surf:amazon-dslr")
    assert not task.target.num_labelled
    assert task.hidden is not None
    assert find_task("office_surf:webcam-caltech").network == "mlp"
    np.testing.assert_array_equal(task.hidden.target, np.arange(20) % 10)
