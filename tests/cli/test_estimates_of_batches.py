"""How many answers to a new batch are likely to be right, as `predict` and `evaluate` tell it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from acclimate.data.synthetic import shifted_blobs
from acclimate.running.adaptation import adapt
from acclimate.runs.request import Request
from commands import Command


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run between two tables, and batches beside it: `many.npz` of 200 examples, labelled, and `few.npz` of 29."""
    folder = tmp_path_factory.mktemp("made")
    task = shifted_blobs(150, shift=1.0)
    names, source = np.array(task.source.classes), task.source
    y = names[np.asarray(source.labels)]
    np.savez(folder / "source.npz", x=source.array, y=y)
    np.savez(folder / "target.npz", x=task.target.array)
    np.savez(folder / "many.npz", x=source.array + 0.5, y=y)
    np.savez(folder / "shuffled.npz", x=source.array + 0.5, y=np.random.default_rng(0).permutation(y))
    np.savez(folder / "few.npz", x=source.array[:29] + 0.5, y=y[:29])
    training = {"steps": 60, "batch_size": 32, "lr": 1e-2, "evaluations": 1}
    sides = {side: str(folder / f"{side}.npz") for side in ("source", "target")}
    adapt(Request(**sides, method="mcc", training=training), folder / "run")
    return folder


@pytest.fixture
def trained(acclimate: Command, made: Path, tmp_path: Path) -> Path:
    """A copy of it, in the folder where commands are typed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run"


def test_predict_tells_what_share_is_likely_to_be_right(acclimate: Command, trained: Path) -> None:
    said = acclimate("predict", trained, "many.npz", "--out", "one.csv")
    assert said.code == 0, said.err
    assert "of its answers are likely to be right" in said.out
    told = json.loads(acclimate("predict", trained, "many.npz", "--out", "two.csv", "--json").out)["estimate"]
    assert 0 <= told["low"] <= told["value"] <= told["high"] <= 1
    assert told["cannot_tell"] == ""
    assert "calibration" not in told
    assert f"About {100 * told['value']:.0f}\u00a0% ({100 * told['low']:.0f} to" in said.out


def test_the_batch_that_was_trained_for_is_told_what_the_run_is(acclimate: Command, trained: Path) -> None:
    told = json.loads(acclimate("predict", trained, "target.npz", "--out", "one.csv", "--json").out)["estimate"]
    kept = json.loads((trained / "summary.json").read_text())["estimate"]
    assert {name: told[name] for name in ("value", "low", "high", "by_class")} == {
        name: kept[name] for name in ("value", "low", "high", "by_class")
    }


def test_of_fewer_than_thirty_no_number_is_told(acclimate: Command, trained: Path) -> None:
    said = acclimate("predict", trained, "few.npz", "--out", "one.csv")
    assert said.code == 0, said.err
    assert "cannot be told: only 29 target examples" in said.out
    found = json.loads(acclimate("evaluate", trained, "--data", "few.npz", "--json").out)
    assert found["estimate"]["value"] is None
    assert "only 29" in found["estimate"]["cannot_tell"]
    assert found["accuracy"] is not None


def test_evaluate_shows_the_estimate_beside_the_truth_and_no_label_reaches_it(
    acclimate: Command, trained: Path
) -> None:
    said = acclimate("evaluate", trained, "--data", "many.npz")
    assert said.code == 0, said.err
    assert "Without these labels it would have been estimated at" in said.out
    found = [
        json.loads(acclimate("evaluate", trained, "--data", name, "--json").out)
        for name in ("many.npz", "shuffled.npz")
    ]
    assert found[0]["estimate"] == found[1]["estimate"]
    assert found[0]["accuracy"] != found[1]["accuracy"]


def test_a_run_of_before_keeps_nothing_to_calibrate_by_and_says_so(acclimate: Command, trained: Path) -> None:
    path = trained / "summary.json"
    summary = json.loads(path.read_text())
    del summary["estimate"]["calibration"]
    path.write_text(json.dumps(summary))
    said = acclimate("predict", trained, "many.npz", "--out", "one.csv")
    assert said.code == 0, said.err
    assert "cannot be told: the run is of an acclimate that kept nothing" in said.out


def test_a_baseline_that_is_damaged_costs_neither_answers_nor_an_estimate(acclimate: Command, trained: Path) -> None:
    for path in (trained / "baseline" / "checkpoints").glob("*.safetensors"):
        path.write_bytes(b"no weights")
    said = acclimate("predict", trained, "many.npz", "--out", "one.csv")
    assert said.code == 0, said.err
    assert "Note: estimate: made without the baseline." in said.out
    assert "likely to be right" in said.out
