"""Classes of the source that the target hardly shows, and that adapting loses, are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.running.choosing import decided
from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.lost import class_shares

K, NAMES = 4, ("cat", "dog", "owl", "pig")


def shown(target: np.ndarray, seed: int = 0) -> Evidence:
    """A run that is right on nine in ten of both sides, on a target of these classes."""
    rng, labels = np.random.default_rng(seed), np.arange(400) % K

    def scores(y: np.ndarray) -> np.ndarray:
        answers = np.where(rng.random(len(y)) < 0.9, y, rng.integers(K, size=len(y)))
        return 3.0 * np.eye(K)[answers] + 0.3 * rng.normal(size=(len(y), K))

    return Evidence(labels, scores(labels), scores(target), target_features=np.eye(K)[target])


def twice(name: str, target: np.ndarray) -> Candidate:
    return Candidate(name, (shown(target, 1), shown(target, 2)))


ALL, WITHOUT_OWLS = np.arange(400) % K, np.array([0, 1, 3])[np.arange(400) % 3]


def stuck(candidate: Candidate) -> Candidate:
    """The same, but that pigs are answered dogs."""

    def no_pigs(copy: Evidence) -> Evidence:
        scores = copy.target_scores.copy()
        scores[:, 3] = -9.0
        return replace(copy, target_scores=scores)

    return Candidate("mcd", tuple(map(no_pigs, candidate.copies)))


def told(chosen: Candidate, baseline: Candidate) -> tuple[str, ...]:
    names = {chosen.name: "", baseline.name: ""}
    return decided([baseline, chosen], baseline.name, names, {name: ["a", "b"] for name in names}, NAMES).reasons


def test_a_class_that_is_missing_is_named_and_one_that_is_there_is_not() -> None:
    baseline = twice("source-only", WITHOUT_OWLS)
    seen = class_shares(baseline, baseline)
    assert seen is not None
    assert (seen.absent, seen.lost) == ([2], [])
    sentence = "source-only hardly answers “owl” on the target: missing there, or taken for another class."
    assert sentence in told(twice("mcc", WITHOUT_OWLS), baseline)
    assert not [one for one in told(twice("mcc", ALL), twice("source-only", ALL)) if "hardly" in one]


def test_a_class_that_adapting_loses_is_named() -> None:
    baseline = twice("source-only", ALL)
    seen = class_shares(stuck(baseline), baseline)
    assert seen is not None
    assert (seen.absent, seen.lost) == ([], [3])


def test_without_source_examples_or_with_a_diverged_run_nothing_is_said() -> None:
    baseline = twice("source-only", ALL)
    blind = Candidate(
        "x", (replace(baseline.copies[0], source_labels=np.zeros(0, int), source_scores=np.zeros((0, K))),)
    )
    assert class_shares(baseline, blind) is None
    assert class_shares(Candidate("y", (replace(baseline.copies[0], diverged=True),)), baseline) is None


@settings(max_examples=40, deadline=None)
@given(
    k=st.integers(2, 6),
    m=st.integers(1, 60),
    n=st.integers(1, 30),
    size=st.sampled_from([0.0, 1.0, 1e3, 1e6]),
    seed=st.integers(0, 10**6),
)
def test_whatever_scores_there_are_classes_are_places(k: int, m: int, n: int, size: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    run = Evidence(rng.integers(k, size=n), size * rng.normal(size=(n, k)), size * rng.normal(size=(m, k)))
    seen = class_shares(Candidate("a", (run,)), Candidate("b", (run,)))
    assert seen is not None
    assert set(seen.absent) | set(seen.lost) <= set(range(k))
