"""A few inputs of `benchmarks/fuzz/doors.py`, drawn by Hypothesis; the full run has more than 10,000."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzers import FOLDER, fuzzer

FUZZ = fuzzer("doors")


@pytest.mark.parametrize("kind", FUZZ.KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), index=st.integers(0, 10**6))
def test_no_error_but_ours_and_no_two_doors_that_differ(kind: str, seed: int, index: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert FUZZ.feed(kind, seed, index, Path(folder)) in {
            "read",
            "answered",
            "fitted",
            "DataError",
            "RequestError",
        }


def test_doors_that_differ_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="doors differ"):
        FUZZ._agree({"one": ["a"], "two": ["a", ""]})
    monkeypatch.setattr(FUZZ, "from_arrays", lambda *_: 1 / 0)
    assert len(FUZZ.run_kind("labels", 0, 3)["failures"]) == 3


def test_the_committed_run_has_enough_inputs_and_no_failure() -> None:
    facts = json.loads((FOLDER.parent / "results" / "fuzz" / "doors.json").read_text())
    assert facts["failures"] == 0
    assert facts["inputs"] >= 10_000
    assert facts["doors"].keys() == FUZZ.KINDS.keys()
