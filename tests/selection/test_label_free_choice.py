"""The choice between candidates, and estimates, without target labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.errors import DataError, RequestError
from acclimate.selection import estimates
from acclimate.selection.estimates import CannotTell, Estimate, estimate, expected_by_class
from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.rule import choose, decided, passes

K, NAN = 3, float("nan")


def seen(right: float, sure: float, *, seed: int = 0, m: int = 300, n: int = 150, **more: object) -> Evidence:
    """A run that is right in the share `right` of the target, and says `sure` there; source: 90 %, calibrated."""
    rng = np.random.default_rng(seed)
    labels, truth = np.arange(n) % K, np.arange(m) % K
    more = {"target_features": np.eye(K)[truth] + 0.3 * rng.normal(size=(m, K))} | more
    return Evidence(labels, _scores(labels, 0.9, 0.9, rng), _scores(truth, right, sure, rng), **more)  # type: ignore[arg-type]


def _scores(labels: np.ndarray, right: float, sure: float, rng: np.random.Generator) -> np.ndarray:
    answers = np.where(rng.random(len(labels)) < right, labels, (labels + 1) % K)
    p = np.full((len(labels), K), (1 - sure) / (K - 1))
    p[np.arange(len(labels)), answers] = sure
    return np.log(p)


def twice(name: str, right: float, sure: float, **more: object) -> Candidate:
    return Candidate(name, tuple(seen(right, sure, seed=seed, **more) for seed in (1, 2)))


def test_the_better_candidate_is_taken_and_the_worse_one_is_not() -> None:
    baseline = twice("source-only", 0.7, 0.7)
    assert choose([baseline, twice("mcc", 0.85, 0.85)], "source-only").name == "mcc"
    kept = choose([baseline, twice("mcc", 0.5, 0.6)], "source-only")
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
    baseline = Candidate("source-only", candidate.copies)
    told = estimate(candidate)
    assert isinstance(told, CannotTell)
    assert reason in str(told)
    assert choose([baseline, candidate], "source-only").guarded


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
    with pytest.raises(DataError, match="feature_rows must be"):
        Evidence(labels, scores, np.zeros((50, 3)), feature_rows=np.array([50]))


def test_candidates_of_different_tasks_are_refused() -> None:
    baseline = twice("source-only", 0.7, 0.7)
    with pytest.raises(RequestError, match="must answer the same target examples"):
        choose([baseline, twice("mcc", 0.8, 0.8, m=200)], "source-only")
    with pytest.raises(RequestError, match="must answer the same target examples"):
        Candidate("mcc", (seen(0.8, 0.8), seen(0.8, 0.8, m=200)))
    with pytest.raises(RequestError, match="must have a copy"):
        Candidate("mcc", ())
    with pytest.raises(RequestError, match="baseline must be one of"):
        choose([twice("mcc", 0.8, 0.8)], "source-only")
    with pytest.raises(RequestError, match="different names"):
        choose([baseline, baseline], "source-only")


def test_scores_that_are_not_finite_count_as_diverged() -> None:
    scores = np.full((50, K), np.nan)
    assert Evidence(np.zeros(4, int), np.zeros((4, K)), scores).failed
    assert Evidence(np.zeros(4, int), np.zeros((4, K)), np.zeros((50, K)), target_features=scores).failed


FLOOR = {"seed agreement": 0.8, "clusters there": 0.5, "tighter there": 0.0}


@pytest.mark.parametrize(
    ("own", "passed"),
    [
        ({"tighter there": 2.0}, True),
        ({"tighter there": 2.0, "seed agreement": 0.1}, True),
        ({"tighter there": 1.9, "clusters there": 0.9}, False),
        ({"tighter there": 9.0, "clusters there": 0.49}, False),
        ({"tighter there": NAN, "clusters there": NAN}, False),
        ({"tighter there": 9.0, "seed agreement": NAN}, False),
        ({"tighter there": 9.0, "clusters there": NAN}, False),
    ],
)
def test_answers_pass_the_guard_that_lie_closer_together_in_the_baselines_features_and_follow_its_clusters(
    own: dict[str, float], passed: bool
) -> None:
    assert passes(FLOOR | own, FLOOR) is passed


@pytest.mark.parametrize(("followed", "passed"), [(0.14, False), (0.15, True)])
def test_clusters_that_hardly_anything_follows_are_no_classes_and_let_nothing_pass(
    followed: float, passed: bool
) -> None:
    baseline = FLOOR | {"clusters there": 0.01}
    assert passes(baseline | {"tighter there": 9.0, "clusters there": followed}, baseline) is passed


def test_of_those_that_pass_the_one_that_follows_the_baselines_clusters_most_closely_is_taken() -> None:
    closer = FLOOR | {"tighter there": 5.0}
    scores = {
        "source-only": FLOOR,
        "good": closer | {"clusters there": 0.8},
        "better, but no closer": FLOOR | {"clusters there": 0.9},
        "fair": closer | {"clusters there": 0.75, "tighter there": 9.0},
    }
    assert decided(scores, "source-only") == "good"
    assert decided({"source-only": FLOOR}, "source-only") == "source-only"


def test_features_of_some_examples_say_the_same_as_of_these_alone() -> None:
    rows = np.arange(0, 300, 2)
    whole = [twice("source-only", 0.6, 0.6), twice("mcc", 0.9, 0.9)]

    def part(copy: Evidence) -> Evidence:
        assert copy.target_features is not None
        return replace(copy, target_features=copy.target_features[rows], feature_rows=rows)

    def alone(copy: Evidence) -> Evidence:
        assert copy.target_features is not None
        return replace(copy, target_features=copy.target_features[rows], target_scores=copy.target_scores[rows])

    one, two = (
        choose([Candidate(c.name, tuple(map(cut, c.copies))) for c in whole], "source-only").scores["mcc"]
        for cut in (part, alone)
    )
    for name in ("ClassAMI", "clusters there", "silhouette there", "tighter there"):
        assert one[name] == two[name]


def test_without_the_baselines_features_the_baseline_is_used_and_why_is_said() -> None:
    blind = [twice(name, right, right, target_features=None) for name, right in (("source-only", 0.6), ("mcc", 0.9))]
    choice = choose(blind, "source-only")
    assert choice.guarded
    assert "features of source-only were not kept" in choice.reasons[0]


def test_a_model_that_answers_one_class_everywhere_is_not_taken_and_is_left_where_something_else_passes() -> None:
    good, stuck = twice("mcc", 0.9, 0.9), twice("stuck", 0.6, 0.6)
    scores = np.tile([5.0, 0, 0], (300, 1))
    stuck = Candidate("stuck", tuple(replace(copy, target_scores=scores) for copy in stuck.copies))
    assert choose([twice("source-only", 0.7, 0.7), stuck], "source-only").guarded
    assert choose([stuck, good], "stuck").name == "mcc"


def test_a_candidate_trained_once_is_never_taken_and_a_baseline_trained_once_says_so() -> None:
    baseline, better = twice("source-only", 0.6, 0.6), twice("mcc", 0.9, 0.9)
    assert choose([baseline, better], "source-only").name == "mcc"
    once = Candidate("mcc", better.copies[:1])
    assert choose([baseline, once], "source-only").guarded
    told = choose([Candidate("source-only", baseline.copies[:1]), better], "source-only")
    assert told.guarded
    assert "trained once" in told.reasons[0]


def test_where_there_is_nothing_to_choose_that_is_said() -> None:
    choice = choose([twice("source-only", 0.6, 0.6)], "source-only")
    assert choice.reasons == ("source-only is used: it is the only candidate.",)


def test_a_baseline_that_diverged_is_said_to_have() -> None:
    choice = choose([twice("source-only", 0.6, 0.6, diverged=True), twice("mcc", 0.9, 0.9)], "source-only")
    assert choice.guarded
    assert "it diverged" in choice.reasons[0]


def test_the_estimate_by_class_comes_to_the_whole_and_leaves_rare_answers_out() -> None:
    candidate, other = twice("mcc", 0.85, 0.9), twice("source-only", 0.8, 0.8)
    told = estimate(candidate, other)
    assert isinstance(told, Estimate)
    values, counts = expected_by_class(candidate, other, told.value)
    assert np.average(values, weights=counts) == pytest.approx(told.value)
    assert len(told.by_class) == K
    small = Candidate("mcc", tuple(few(copy) for copy in candidate.copies))
    found = estimate(small)
    assert isinstance(found, Estimate)
    assert any(isinstance(one, CannotTell) and "answers" in one.reason for one in found.by_class)


def few(copy: Evidence) -> Evidence:
    """The first forty of a run's target examples."""
    return replace(copy, target_scores=copy.target_scores[:40], target_features=None)


def test_an_interval_as_wide_as_a_guess_is_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = twice("mcc", 0.6, 0.6)
    assert isinstance(estimate(candidate), Estimate)
    monkeypatch.setattr(estimates, "spread", lambda form: {"copies": (0.6, 0.6), "class": (0.1, 0.1)}[form])
    told = estimate(candidate)
    assert isinstance(told, CannotTell)
    assert "guess between 3 classes" in told.reason


@settings(max_examples=60, deadline=None)
@given(
    k=st.integers(2, 6),
    m=st.integers(1, 60),
    n=st.integers(0, 30),
    size=st.floats(0, 1e6),
    seed=st.integers(0, 10**6),
)
def test_whatever_scores_there_are_the_outcome_is_a_share_or_a_reason(
    k: int, m: int, n: int, size: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)

    def run() -> Evidence:
        labels = rng.integers(k, size=n)
        features = rng.integers(3, size=(m, 2)).astype(np.float16)
        return Evidence(
            labels, size * rng.normal(size=(n, k)), size * rng.normal(size=(m, k)), target_features=features
        )

    seen = [Candidate(name, (run(), run())) for name in ("source-only", "mcc")]
    choice = choose(seen, "source-only")
    assert choice.name in {"source-only", "mcc"}
    assert choice.reasons[0].startswith(choice.name)
    for told in (estimate(seen[1], seen[0]), estimate(seen[0])):
        if isinstance(told, Estimate):
            assert 0 <= told.low <= told.value <= told.high <= 1
            assert m >= 30
            assert n
        else:
            assert told.reason
