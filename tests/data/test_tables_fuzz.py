"""A few tables of `make fuzz` for every door, drawn by Hypothesis; the full run has more than 10,000."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzers import fuzzer  # type: ignore[import-not-found]

FUZZ = fuzzer("tables")


# The same ones each time: new tables are what `make fuzz` is for.
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), index=st.integers(0, 10**6))
def test_every_door_gives_the_same_features_or_the_same_refusal(seed: int, index: int) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert FUZZ.feed(seed, index, Path(folder)) in {"read", "empty", "DataError", "RequestError"}


def test_a_number_gives_the_same_tables_again() -> None:
    assert [str(FUZZ.pair(Random(f"0/{i}"))) for i in range(20)] == [
        str(FUZZ.pair(Random(f"0/{i}"))) for i in range(20)
    ]


def test_two_doors_that_differ_fail_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that loses its last row."""
    doors = FUZZ.doors
    monkeypatch.setattr(
        FUZZ, "doors", lambda made, rng: {n: t[:-1] for n, t in doors(made, rng).items() if n == "dicts"}
    )
    facts = FUZZ.run(0, 12)
    assert facts["failures"]
