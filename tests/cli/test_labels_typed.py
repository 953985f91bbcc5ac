"""Labels, ranges and images' white as a user types them."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import acclimate as ac
from acclimate.runs.record import Run

QUICK = ("--steps", "2", "--batch-size", "16", "--method", "mcc", "--no-baseline")


@pytest.fixture
def cars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tables of cars whose miles per gallon are to be told, one of them with labels at −1."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for side, shift in (("source", 0), ("target", 2)):
        weight = rng.normal(size=90)
        mpg = (20 - 5 * weight + shift + rng.normal(size=90)).round(1)
        pl.DataFrame({"weight": weight + shift, "power": rng.normal(size=90), "mpg": mpg}).write_csv(f"{side}.csv")


SIDES = ("--source", "source.csv", "--target", "target.csv", "--label-column", "mpg")


def test_a_number_to_predict_gets_ranges(cars: None, acclimate: Any) -> None:
    refused = acclimate("adapt", *SIDES, *QUICK)
    assert refused.code == 2
    assert "different numbers" in refused.err
    assert "--bins 3" in refused.err
    done = acclimate("adapt", *SIDES, "--bins", "3", *QUICK, "--out", "run", "--json")
    assert done.code == 0, done.err
    config = json.loads(Path("run/config.json").read_text())
    low, high = config["task"]["bins"]
    assert config["task"]["classes"] == [f"≤ {low:g}", f"{low:g} – {high:g}", f"> {high:g}"]
    counts = np.bincount(np.searchsorted([low, high], pl.read_csv("source.csv")["mpg"]))
    assert counts.tolist() == pytest.approx([30, 30, 30], abs=2)
    scored = json.loads(acclimate("evaluate", "run", "--data", "target.csv", "--json").out)
    truth = np.array(config["task"]["classes"])[np.searchsorted([low, high], pl.read_csv("target.csv")["mpg"])]
    assert acclimate("predict", "run", "target.csv", "--out", "answers.csv").code == 0
    told = pl.read_csv("answers.csv")["predicted"].to_numpy()
    assert scored["accuracy"] == pytest.approx((told == truth).mean())
    model = ac.load("run")
    table = pl.read_csv("target.csv")
    assert model.score(table.drop("mpg"), table["mpg"]) == pytest.approx(scored["accuracy"])


def test_bins_that_mean_nothing_are_refused(cars: None, acclimate: Any) -> None:
    for words, said in (
        ((*SIDES, "--bins", "1"), "bins must be a whole number from 2 to 100"),
        (("--task", "demo", "--bins", "3"), "bins applies to --source and --target only"),
    ):
        refused = acclimate("adapt", *words, *QUICK)
        assert refused.code == 2
        assert said in " ".join(refused.err.split())


def test_a_runs_white_is_kept_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acclimate: Any) -> None:
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).random((40, 8, 8)).astype(np.float32)
    images[0, 0, 0] = 1.004
    np.savez("source.npz", X=images, y=np.arange(40) % 2)
    np.savez("target.npz", X=images)
    np.savez("bytes.npz", X=np.rint(images.clip(0, 1) * 255).astype(np.uint8))
    np.savez("other.npz", X=images.clip(0, 1) * 255)
    sides = ("--source", "source.npz", "--target", "target.npz")
    assert acclimate("adapt", *sides, *QUICK, "--network", "tiny", "--out", "run").code == 0
    assert json.loads(Path("run/config.json").read_text())["preprocess"]["white"] == {"source": 1.0, "target": 1.0}
    for name in ("target", "bytes"):
        assert acclimate("predict", "run", f"{name}.npz", "--out", f"{name}.csv").code == 0
    assert Path("target.csv").read_bytes() == Path("bytes.csv").read_bytes()
    refused = acclimate("predict", "run", "other.npz", "--out", "other.csv")
    assert not Path("other.csv").exists()
    assert refused.code == 2
    assert "floats from 0 to 1 as in training" in " ".join(refused.err.split())
    config = json.loads(Path("run/config.json").read_text())  # a run from before there was any of this
    for part, name in (("preprocess", "white"), ("task", "bins"), ("request", "bins")):
        del config[part][name]
    Run("run").write(Path("run/config.json"), lambda path: path.write_text(json.dumps(config)))
    assert acclimate("predict", "run", "target.npz", "--out", "again.csv").code == 0
    assert Path("again.csv").read_bytes() == Path("bytes.csv").read_bytes()
    assert ac.load("run").predict(images).shape == (40,)


def test_class_folders_of_two_systems_have_the_same_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acclimate: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for side, form in (("source", "NFC"), ("target", "NFD")):
        for name, word in (("café", "coffee"), ("bar", "beer")):
            folder = Path(side, unicodedata.normalize(form, name))
            folder.mkdir(parents=True)
            for i in range(12):
                (folder / f"{i}.txt").write_text(f"{word} {word} {side} {i}")
    done = acclimate("adapt", "--source", "source", "--target", "target", "-m", "tfidf", "--out", "run", "--json")
    found = json.loads(done.out)
    assert found["scores"]["target_accuracy"] == 1
    assert not any("Only the" in note for note in found["notes"])
    scored = json.loads(acclimate("evaluate", "run", "--data", "target", "--json").out)
    assert scored["accuracy"] == 1
    assert len(scored["classes"]) == 2


def test_minus_one_that_may_be_a_class_is_told(cars: None, acclimate: Any) -> None:
    for side in ("source", "target"):
        table = pl.read_csv(f"{side}.csv").with_columns(mood=pl.Series(np.arange(90) % 3 - 1)).drop("mpg")
        table.write_csv(f"{side}.csv")
    done = acclimate("adapt", *SIDES[:-1], "mood", *QUICK, "--out", "run", "--json")
    notes = json.loads(done.out)["notes"]
    assert any("source: 30 of 90 labels are −1, which means no label" in note for note in notes)
    assert json.loads(Path("run/config.json").read_text())["task"]["classes"] == ["0", "1"]
