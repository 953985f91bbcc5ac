"""A few inputs of `make fuzz` for every parser, drawn by Hypothesis; the full run has more than 100,000."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzers import FOLDER, fuzzer  # type: ignore[import-not-found]

SCRIPT = FOLDER / "parsers.py"
FUZZ = fuzzer("parsers")


@pytest.mark.parametrize("name", FUZZ.PARSERS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), index=st.integers(0, 10**6))
def test_only_errors_of_ours_come_back(name: str, seed: int, index: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert FUZZ.feed(name, seed, index, Path(folder)) in {
            "read", "DataError", "RequestError", "UnknownNameError", "WorkError",
        }  # fmt: skip


@pytest.mark.parametrize("name", FUZZ.PARSERS)
def test_every_parser_takes_its_good_files(name: str, tmp_path: Path) -> None:
    """Otherwise the run would try the same first refusal a thousand times."""
    parser = FUZZ.PARSERS[name]
    read = 0
    for content in FUZZ.good(name):
        for other, around in parser.around:
            (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / other).write_bytes(around)
        (tmp_path / parser.file[0]).write_bytes(content)
        for seed in range(4):
            try:
                parser.parse(tmp_path / parser.file[0], Random(seed))
            except FUZZ._own_errors():
                continue
            read += 1
    assert read


@pytest.mark.parametrize("name", FUZZ.PARSERS)
def test_a_number_gives_the_same_input_again(name: str) -> None:
    inputs = [[FUZZ.PARSERS[name].make(name, Random(f"0/{name}/{i}")) for i in range(40)] for _ in range(2)]
    assert inputs[0] == inputs[1]
    assert len(set(inputs[0])) > 30


def test_a_crash_and_a_foreign_error_fail_the_run(tmp_path: Path) -> None:
    """A parser that ends the interpreter at input 2, and lets a KeyError out at inputs 1 and 3."""
    broken = tmp_path / "broken.py"
    broken.write_text(
        f"""
import os, runpy, sys
space = runpy.run_path({str(SCRIPT)!r}, run_name="fuzz")
count = iter(range(100))

def parse(path, rng):
    if path.read_bytes() in space["good"]("idx"):
        return
    number = at()
    if number == 2:
        os.abort()
    if number % 2:
        raise KeyError("a")

def at():
    import struct
    return struct.unpack("<q", open(sys.argv[-1], "rb").read(8))[0] if sys.argv[1] == "--work" else 0

for module in [space]:
    module["PARSERS"]["idx"] = module["Parser"](parse, ("a",), 4, starts=(b"",))
    module["main"].__globals__["__file__"] = __file__
    sys.exit(module["main"]())
"""
    )
    done = subprocess.run(
        [sys.executable, str(broken), "--only", "idx"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "4 inputs, 3 failures" in done.stdout
    assert "KeyError: 'a'" in done.stdout
    assert "the interpreter ended with -6" in done.stdout
    assert "--seed 0 --replay idx:2" in done.stdout


def test_the_committed_run_has_enough_inputs_and_no_failure() -> None:
    facts = json.loads((SCRIPT.parents[1] / "results" / "fuzz" / "parsers.json").read_text())
    assert facts["failures"] == 0
    assert sum(facts["parsers"][name]["inputs"] for name in ("idx", "mat", "csv", "npz", "config")) >= 100_000
    assert facts["parsers"].keys() == FUZZ.PARSERS.keys()
