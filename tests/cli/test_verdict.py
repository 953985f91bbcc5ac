"""What is said first of a run: the same sentence at every door."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

import acclimate as ac
from acclimate.data.synthetic import other_proportions
from acclimate.runs.record import Run
from commands import Command

SETTINGS = ("--steps", "150", "--batch-size", "64", "--precision", "fp32", "--set", "evaluations=2")


def headline_of_page(run: Run) -> str:
    found = re.search(r'<h2 id="verdict">(.*?)</h2>', run.report_path.read_text(encoding="utf-8"))
    assert found
    return html.unescape(found[1])


@pytest.fixture
def sides(tmp_path: Path) -> tuple[str, ...]:
    """Nine of A for one of B at home, and one for nine abroad, where the labels are known to the scores."""
    task = other_proportions((0.9, 0.1), (0.1, 0.9))
    np.savez(tmp_path / "home.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "abroad.npz", X=task.target.inputs, y=task.hidden.target)
    np.savez(tmp_path / "unknown.npz", X=task.target.inputs)
    return "--source", "home.npz", "--target"


def test_the_first_line_is_the_reports_verdict_at_every_door(acclimate: Command, sides: tuple[str, ...]) -> None:
    said = acclimate("adapt", *sides, "abroad.npz", "-m", "adabn", "--out", "run", *SETTINGS)
    assert said.code == 0, said.err
    first = said.out.splitlines()[0]
    assert re.match(r"Adaptation hurt: \d+\.\d.% right on the target, \d+\.\d.% without it; of “1” ", first)
    assert headline_of_page(Run("run")) == first
    found = json.loads(acclimate("report", "run", "--json").out)
    assert found["verdict"] == first
    assert ac.load("run").verdict_ == first
    assert "no sign of trouble" not in said.out.lower()

    # Classes differ in size, so each is told: on the console, for machines and in the scores.
    assert re.search(r"recall of class +examples +source only +AdaBN", said.out)
    assert re.search(r"mean recall of classes +\d", said.out)
    assert found["classes"]["1"]["n"] == 360
    assert found["classes"]["1"]["recall"] < found["classes"]["1"]["recall_before"]
    assert 0 < found["scores"]["target_balanced_accuracy"] < 1
    assert 0 < found["baseline"]["scores"]["target_macro_f1"] < 1


def test_evaluate_compares_too(acclimate: Command, sides: tuple[str, ...]) -> None:
    """Labels that come later tell of both models what they would have told at once."""
    acclimate("adapt", *sides, "unknown.npz", "-m", "adabn", "--out", "run", *SETTINGS)
    said = acclimate("evaluate", "run", "--data", "abroad.npz")
    assert said.code == 0, said.err
    assert said.out.startswith("Adaptation hurt: ")
    found = json.loads(acclimate("evaluate", "run", "--data", "abroad.npz", "--json").out)
    assert found["verdict"] == said.out.splitlines()[0]
    assert found["accuracy"] < found["baseline_accuracy"]
    recalls = [found["classes"][name]["recall"] for name in "01"]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    acclimate("adapt", *sides, "unknown.npz", "-m", "adabn", "--out", "alone", "--no-baseline", *SETTINGS)
    alone = acclimate("evaluate", "alone", "--data", "abroad.npz")
    assert re.match(r"\d+\.\d.% of answers on the target are right; of “1” ", alone.out)


def test_without_labels_it_says_what_is_known_and_what_not(acclimate: Command, sides: tuple[str, ...]) -> None:
    said = acclimate("adapt", *sides, "unknown.npz", "-m", "adabn", "--out", "run", *SETTINGS)
    first = said.out.splitlines()[0]
    assert re.match(
        r"Target accuracy is unknown, as no target label is known; \d+\.\d.% of answers differ from those of source "
        r"only, ",
        first,
    )
    assert headline_of_page(Run("run")) == first
    assert ac.load("run").verdict_ == first


def test_a_model_fitted_in_python_claims_nothing() -> None:
    task = other_proportions((0.5, 0.5), (0.5, 0.5), n=60)
    model = ac.SourceOnly(steps=3).fit(task.source, task.target)
    assert model.verdict_.startswith("Target accuracy is unknown, as no target label is known; ")


def test_hidden_labels_are_counted_where_they_are_scored(acclimate: Command, sides: tuple[str, ...]) -> None:
    words = ("adapt", *sides, "abroad.npz", "--target-test", "abroad.npz", "-m", "adabn", "--dry-run")
    found = json.loads(acclimate(*words, "--json").out)
    assert found["domains"]["target"] == "400 vectors of 5 features, 400 labelled for scores alone"
    assert found["domains"]["target_test"] == "400 vectors of 5 features, 400 labelled for scores alone"
    found = json.loads(acclimate(*words, "--label-budget", "10", "--json").out)
    assert found["domains"]["target"] == "400 vectors of 5 features, 20 labelled, 380 labelled for scores alone"


def test_an_unfair_score_is_told_where_there_is_one(acclimate: Command, sides: tuple[str, ...]) -> None:
    same = ("adapt", "--source", "home.npz", "--target")
    np.savez("home_unknown.npz", X=np.load("home.npz")["X"])
    shown = json.loads(acclimate(*same, "home_unknown.npz", "-m", "adabn", "--dry-run", "--json").out)
    assert not any("not a fair one" in note and "target" in note for note in shown["notes"])
    assert any("training has seen them with their labels" in note for note in shown["notes"])
    shown = json.loads(acclimate(*same, "home.npz", "-m", "adabn", "--dry-run", "--json").out)
    assert any("400 target examples" in note and "not a fair one" in note for note in shown["notes"])


def test_a_class_of_one_example_is_told(acclimate: Command, sides: tuple[str, ...]) -> None:
    home = np.load("home.npz")
    rows = np.append(np.flatnonzero(home["y"] == 0), np.flatnonzero(home["y"] == 1)[:1])
    np.savez("lone.npz", X=home["X"][rows], y=home["y"][rows])
    said = acclimate(
        "adapt", "--source", "lone.npz", "--target", "unknown.npz", "-m", "source-only", "--weights", "balanced",
        "--steps", "3", "--out", "run", "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    notes = json.loads(said.out)["notes"]
    assert "Classes with a single source example, which says little about them: “1”." in notes
    assert any(note.startswith("No source examples were set aside to test on: “1” has 1 of them") for note in notes)
    assert Run("run").config["training"]["weights"] == "balanced"
    assert Run("run").config["task"]["source_counts"] == [360, 1]
