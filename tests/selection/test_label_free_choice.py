"""The choice between candidates, and estimates, without target labels."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.errors import DataError, RequestError
from acclimate.selection.estimates import CannotTell, Estimate, estimate
from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.rule import choose

K = 3


def seen(right: float, sure: float, *, seed: int = 0, m: int = 300, n: int = 150, **more: object) -> Evidence:
    """A run that is right in the share `right` of the target, and says `sure` there; source: 90 %, calibrated."""
    rng = np.random.default_rng(seed)
    labels, truth = np.arange(n) % K, np.arange(m) % K
    return Evidence(labels, _scores(labels, 0.9, 0.9, rng), _scores(truth, right, sure, rng), **more)  # type: ignore[arg-type]


def _scores(labels: np.ndarray, right: float, sure: float, rng: np.random.Generator) -> np.ndarray:
    answers = np.where(rng.random(len(labels)) < right, labels, (labels + 1) % K)
    p = np.full((len(labels), K), (1 - sure) / (K - 1))
    p[np.arange(len(labels)), answers] = sure
    return np.log(p)


def twice(name: str, right: float, sure: float, **more: object) -> Candidate:
    return Candidate(name, tuple(seen(right, sure, seed=seed, **more) for seed in (1, 2)))


def test_the_better_candidate_is_taken_and_the_worse_one_is_not() -> None:
    floor = twice("source-only", 0.7, 0.7)
    assert choose([floor, twice("mcc", 0.85, 0.85)], "source-only").name == "mcc"
    kept = choose([floor, twice("mcc", 0.5, 0.6)], "source-only")
    assert kept.name == "source-only"
    assert kept.guarded
    assert kept.reasons[0].startswith("source-only is used")


def test_an_estimate_is_near_the_truth_where_copies_err_apart() -> None:
    told = estimate(twice("mcc", 0.85, 0.9))
    assert isinstance(told, Estimate)
    assert told.low < 0.85 < told.high
    assert str(told).startswith("about ")


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (twice("mcc", 0.8, 0.8, m=29), "only 29 target examples"),
        (twice("mcc", 0.8, 0.8, n=0), "no labelled source example"),
        (twice("mcc", 0.8, 0.8, diverged=True), "diverged"),
    ],
)
def test_what_cannot_be_told_is_no_number(candidate: Candidate, reason: str) -> None:
    floor = Candidate("source-only", candidate.copies)
    told = estimate(candidate)
    assert isinstance(told, CannotTell)
    assert reason in str(told)
    assert choose([floor, candidate], "source-only").guarded


def test_evidence_that_does_not_fit_is_refused() -> None:
    labels, scores = np.zeros(4, int), np.zeros((4, 3))
    with pytest.raises(DataError, match="target_scores must be"):
        Evidence(labels, scores, np.zeros((50, 1)))
    with pytest.raises(DataError, match=r"source_scores must be \(4, 2\)"):
        Evidence(labels, scores, np.zeros((50, 2)))
    with pytest.raises(DataError, match="source_labels must be"):
        Evidence(labels - 1, scores, np.zeros((50, 3)))
    with pytest.raises(DataError, match="target_features must be"):
        Evidence(labels, scores, np.zeros((50, 3)), target_features=np.zeros((49, 2)))


def test_candidates_of_different_tasks_are_refused() -> None:
    floor = twice("source-only", 0.7, 0.7)
    with pytest.raises(RequestError, match="must answer the same target examples"):
        choose([floor, twice("mcc", 0.8, 0.8, m=200)], "source-only")
    with pytest.raises(RequestError, match="must answer the same target examples"):
        Candidate("mcc", (seen(0.8, 0.8), seen(0.8, 0.8, m=200)))
    with pytest.raises(RequestError, match="must have a copy"):
        Candidate("mcc", ())
    with pytest.raises(RequestError, match="floor must be one of"):
        choose([twice("mcc", 0.8, 0.8)], "source-only")
    with pytest.raises(RequestError, match="different names"):
        choose([floor, floor], "source-only")


def test_scores_that_are_not_finite_count_as_diverged() -> None:
    scores = np.full((50, K), np.nan)
    assert Evidence(np.zeros(4, int), np.zeros((4, K)), scores).failed
