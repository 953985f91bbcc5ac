"""Tables as people have them, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import acclimate as ac
from acclimate.runs.record import Run
from conftest import Command  # type: ignore[import-not-found]

ADAPT = ("adapt", "--source", "a.csv", "--target", "b.csv", "--label-column", "state")
QUICK = ("-m", "dann", "--steps", "5", "--no-baseline", "--out", "run")


def people(n: int, seed: int) -> pd.DataFrame:
    """What people have: ids, texts, dates, truth values, missing ones, numbers of another country."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    frame = pd.DataFrame({"height": 170 + 8 * y + rng.normal(0, 2, n), "age": rng.uniform(20, 80, n)})
    frame["patient_id"] = [f"P{seed}{i:05}" for i in range(n)]
    frame["ward"] = rng.choice(["north", "south", "east"], n)
    frame["note"] = [f"seen by {i} on the {rng.integers(0, 9**9)}th" for i in range(n)]
    frame["smokes"] = rng.random(n) < 0.3
    frame["seen"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    frame["cost"] = [f"{value:,}" for value in rng.integers(500, 99_999, n)]
    frame.loc[rng.random(n) < 0.2, "age"] = np.nan
    frame["state"] = np.array(["ill", "well"])[y]
    return frame


@pytest.fixture
def files(tmp_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """a.csv, labelled, and b.csv, which is not."""
    source, target = people(60, 0), people(40, 1)
    source.to_csv(tmp_path / "a.csv", index=False)
    target.drop(columns="state").to_csv(tmp_path / "b.csv", index=False)
    return source, target


def notes(run: str = "run") -> list[str]:
    return Run(Path(run)).config["task"]["notes"]  # type: ignore[no-any-return]


def told(words: str, run: str = "run") -> str:
    return next(note for note in notes(run) if words in note)


@pytest.mark.filterwarnings("ignore::acclimate.errors.DataWarning")
def test_what_the_command_trained_answers_a_frame_alike(acclimate: Command, files: Any) -> None:
    assert acclimate(*ADAPT, *QUICK).code == 0
    assert acclimate("predict", "run", "b.csv", "--out", "answers.parquet").code == 0
    said, model, target = pl.read_parquet("answers.parquet"), ac.load("run"), files[1].drop(columns="state")
    for frame in (target, target[target.columns[::-1]], pl.DataFrame(target.to_dict("list"))):
        np.testing.assert_allclose(model.predict_proba(frame), said["probabilities"].to_numpy(), atol=1e-6)
    assert model.predict(target).tolist() == said["predicted"].to_list()
    assert said["id"].to_list() == target["patient_id"].tolist()
    assert set(model.feature_names_in_) == {"height", "age", "ward", "smokes", "seen", "cost"}


def test_the_notes_say_what_became_of_each_column(acclimate: Command, files: Any) -> None:
    said = acclimate(*ADAPT, *QUICK)
    assert "column 'patient_id' names the rows: it is carried beside the answers" in said.out
    assert "with a different text in nearly every row were left out: note." in told("were left out")
    assert "dates (year-month-day)" in told("column 'seen'")
    assert "read as" in told("column 'cost'")
    assert f"'age' in {files[0]['age'].isna().sum()} of 54 rows" in told(
        "source: missing values"
    ) or "source" in told("missing")


def test_a_blank_column_of_the_target_is_left_out_loudly_and_run_goes_on(acclimate: Command, files: Any) -> None:
    files[1].drop(columns="state").assign(ward="", height=np.nan).to_csv("b.csv", index=False)
    said = acclimate(*ADAPT, *QUICK)
    assert said.code == 0, said.err
    assert "target: LEFT OUT on both sides, as there is no value at all here: 'height', 'ward'." in said.out
    files[1].drop(columns="state").to_csv("b.csv", index=False)
    assert acclimate("predict", "run", "b.csv", "--out", "x.csv").code == 0


def test_missing_values_are_refused_on_request(acclimate: Command, files: Any) -> None:
    said = acclimate(*ADAPT, *QUICK, "--missing", "refuse")
    assert said.code == 2
    assert "'age' in" in said.err
    assert "--missing" in said.err
    assert not Path("run").exists()


def test_what_was_complete_may_be_blank_when_it_is_answered(acclimate: Command, files: Any) -> None:
    assert acclimate(*ADAPT, *QUICK).code == 0
    blank = files[1].drop(columns="state").assign(height=np.nan, ward=None, seen=None, cost="")
    blank.to_csv("c.csv", index=False)
    said = acclimate("predict", "run", "c.csv", "--out", "answers.csv", "--json")
    assert said.code == 0, said.err
    assert "'height' in every row, 'age' in" in json.loads(said.out)["notes"][-1]
    assert pl.read_csv("answers.csv")["confidence"].is_finite().all()
