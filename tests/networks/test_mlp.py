"""Small networks for feature vectors: each brings the scaling it is made for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acclimate.data.domain import Domain
from acclimate.errors import DataError
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.problems.planning import make_plan

COUNTS = np.random.default_rng(0).poisson(1, (12, 6)).astype(np.float32) + np.eye(12, 6, dtype=np.float32)
COUNTS[6:] += 1
LABELLED = Domain(COUNTS, np.arange(12) % 2, ("a", "b"))
UNLABELLED = Domain(COUNTS, classes=("a", "b"))


@pytest.mark.parametrize(("network", "rows", "width"), [("mlp", "", 256), ("bag-of-words", "log-rows", 100)])
def test_the_network_decides_on_scaling_and_width(network: str, rows: str, width: int) -> None:
    plan = make_plan(SourceOnly(), LABELLED, UNLABELLED, network=network)
    assert plan.preprocess.rows == rows  # type: ignore[union-attr]
    assert plan.architecture.width == width
    assert plan.networks()["features"](torch.rand(3, 6)).shape == (3, width)


def test_the_user_decides_over_the_network() -> None:
    plan = make_plan(
        SourceOnly(), LABELLED, UNLABELLED, network="bag-of-words", options={"normalisation": "standard"}
    )
    assert plan.preprocess.rows == ""  # type: ignore[union-attr]


def test_a_bag_without_words_is_refused_in_training_and_answered_afterwards() -> None:
    empty = Domain(np.zeros((2, 6), np.float32), classes=("a", "b"))
    with pytest.raises(DataError, match="no row of zeros"):
        make_plan(SourceOnly(), LABELLED, empty, network="bag-of-words")
    preprocess = make_plan(SourceOnly(), LABELLED, UNLABELLED, network="bag-of-words").preprocess.of("target")
    assert preprocess.batch(preprocess.fit(empty).inputs, None).tolist() == [[0.0] * 6] * 2


def test_what_has_no_logarithm_is_refused_at_any_time() -> None:
    preprocess = make_plan(SourceOnly(), LABELLED, UNLABELLED, network="bag-of-words").preprocess.of("target")
    with pytest.raises(DataError, match="no negative feature"):
        preprocess.fit(Domain(-COUNTS, classes=("a", "b")))
