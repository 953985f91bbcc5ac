"""What `benchmarks/fuzz/kills.py` holds against each other: it must see what differs, and pass over times alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from fuzzers import fuzzer

KILLS = fuzzer("kills")


def made(folder: Path, seconds: float = 1.0) -> Path:
    """A folder like a run's."""
    folder.mkdir(exist_ok=True)
    facts = {"scores": {"target_accuracy": 0.5}, "wall_s": seconds, "finished": f"2026-01-01T00:00:{seconds:02.0f}"}
    (folder / "summary.json").write_text(json.dumps(facts))
    (folder / "report.html").write_text(f"<p>Half are right. Trained in {seconds:.0f} s.</p>")
    save_file({"w": np.arange(3.0)}, folder / "step-1.safetensors", metadata={"facts": str(seconds)})
    np.savez(folder / "sample.npz", features=np.arange(4.0))
    return folder


def test_times_are_passed_over(tmp_path: Path) -> None:
    one, other = (KILLS.everything(made(tmp_path / name, seconds)) for name, seconds in (("a", 1.0), ("b", 7.0)))
    assert KILLS.differences(one, other) == {"lost": [], "beside": [], "different": []}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("summary.json", lambda path: path.write_text(path.read_text().replace("0.5", "0.6"))),
        ("report.html", lambda path: path.write_text(path.read_text().replace("Half", "All"))),
        ("step-1.safetensors", lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x01")),
        ("sample.npz", lambda path: np.savez(path, features=np.arange(4.0) + 1e-16 * np.arange(4) + 1)),
    ],
)
def test_anything_else_is_seen(tmp_path: Path, name: str, change: object) -> None:
    whole = KILLS.everything(made(tmp_path / "run"))
    change(tmp_path / "run" / name)  # type: ignore[operator]
    assert KILLS.differences(whole, KILLS.everything(tmp_path / "run"))["different"] == [name]


def test_what_is_lost_and_what_lies_beside(tmp_path: Path) -> None:
    whole = KILLS.everything(made(tmp_path / "run"))
    (tmp_path / "run" / "report.html").rename(tmp_path / "run" / ".report.html.0123456789abcdef.part")
    found = KILLS.differences(whole, KILLS.everything(tmp_path / "run"))
    assert found == {"lost": ["report.html"], "beside": [".report.html.0123456789abcdef.part"], "different": []}


def test_cases_of_a_seed_are_the_same_and_of_every_stage() -> None:
    names = KILLS.drawn(0, KILLS.CASES, None)
    assert names == KILLS.drawn(0, KILLS.CASES, None)
    assert len(names) == KILLS.CASES
    assert set(names) == set(KILLS.STAGES)
