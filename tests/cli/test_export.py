"""`acclimate export` and `acclimate benchmark`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import Command
from exporting import answers_alone, same_answers


@pytest.fixture
def run(acclimate: Command, pictures: dict[str, Path]) -> str:
    said = acclimate(
        "adapt", "--source", pictures["source"], "--target", pictures["target"], "--target-test", pictures["test"],
        "-m", "mcd", "--steps", "3", "--batch-size", "8", "--set", "evaluations=1", "--no-baseline", "--out", "run",
    )  # fmt: skip
    assert said.code == 0, said.err
    return "run"


def test_from_a_run_to_answers_without_torch(acclimate: Command, run: str, pictures: dict[str, Path]) -> None:
    said = acclimate("export", run, "out", "--form", "onnx", "--form", "safetensors", "--license", "mit")
    assert said.code == 0, said.err
    assert "checked on 60 examples: it answers as the run does" in said.out
    assert "acclimate benchmark out --run run" in said.out
    assert acclimate("predict", run, pictures["test"], "--out", "answers.csv").code == 0
    same_answers(answers_alone(Path("out"), str(pictures["test"])), Path("answers.csv"))

    said = acclimate("benchmark", "out", "--run", run, "--json")
    rows = {row["form"]: row for row in json.loads(said.out)}
    assert list(rows) == ["run", "onnx", "safetensors"]
    assert {row["agreement"] for row in rows.values()} == {1.0}
    assert len({row["accuracy"] for row in rows.values()}) == 1
    assert rows["safetensors"]["bytes"] < rows["run"]["bytes"]  # without the optimizers' state
    said = acclimate("benchmark", "out", "--run", run, "--data", pictures["target"])
    assert "no label" in said.out


def test_mistakes_name_the_next_move(acclimate: Command, run: str) -> None:
    assert "Did you mean 'onnx'" in acclimate("export", run, "out", "--form", "onx").err
    assert "form must be onnx or pt2" in acclimate("export", run, "out", "--form", "arrays").err
    said = acclimate("export", run, run)
    assert said.code == 2
    assert "must be a new or empty folder" in said.err
    said = acclimate("benchmark", "nowhere", "--run", run)
    assert said.code == 2
    assert "acclimate export run nowhere" in said.err
    assert not Path("out").exists()
