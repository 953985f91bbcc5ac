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
from commands import Command

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


# Columns


def test_columns_are_chosen_and_left_out(acclimate: Command, files: Any) -> None:
    assert acclimate(*ADAPT, *QUICK, "--columns", "height, age,ward", "--leave-out", "age").code == 0
    schema = Run(Path("run")).config["task"]["schema"]
    assert [column["name"] for column in schema["columns"]] == ["height", "ward"]
    assert not [note for note in notes() if "does not have were left out" in note]
    for option, name in (("--columns", "hight"), ("--leave-out", "Note")):
        said = acclimate(*ADAPT, *QUICK, option, name)
        assert said.code == 2
        assert f"Did you mean '{'height' if name == 'hight' else 'note'}'" in said.err


def test_columns_are_chosen_in_a_file_of_options(acclimate: Command, files: Any) -> None:
    Path("a.toml").write_text('columns = ["height", "age"]\nlabel_column = "state"\n')
    words = ("adapt", "--source", "a.csv", "--target", "b.csv", "--config", "a.toml")
    assert acclimate(*words, *QUICK).code == 0
    assert acclimate("predict", "run", "b.csv").code == 0


def test_sides_of_different_columns_leave_out_what_either_has(acclimate: Command, files: Any) -> None:
    _source, target = files
    target.rename(columns={"ward": "unit", "seen": "visit"}).to_csv("b.csv", index=False)
    words = (*ADAPT, "-m", "svmt", "--label-budget", "3", "--out", "run")
    assert acclimate(*words, "--leave-out", "ward,unit,cost").code == 0
    names = [column["name"] for column in Run(Path("run")).config["task"]["schema"]["columns"]]
    assert "visit" in names
    assert not {"unit", "cost"} & set(names)
    said = acclimate(*words, "--leave-out", "wart")
    assert said.code == 2
    assert "leave_out must be a column of either side; got 'wart'. Did you mean 'ward'" in said.err


# Ids and answers


def test_a_csv_is_answered_by_a_csv_with_its_ids(acclimate: Command, files: Any) -> None:
    assert acclimate(*ADAPT, *QUICK).code == 0
    assert "b-answers.csv" in acclimate("predict", "run", "b.csv").out
    said = pl.read_csv("b-answers.csv")
    assert said.columns == ["row", "id", "predicted", "confidence"]
    assert said["id"].to_list() == files[1]["patient_id"].tolist()
    assert pl.read_parquet(Run(Path("run")).folder / "predictions.parquet")["id"].to_list() == said["id"].to_list()


def test_an_id_column_is_named_for_each_side(acclimate: Command, files: Any) -> None:
    source, target = files
    target = target.drop(columns="state").rename(columns={"patient_id": "badge"}).assign(badge=range(100, 140))
    target.to_csv("b.csv", index=False)
    assert acclimate(*ADAPT, *QUICK, "--target-id-column", "badge").code == 0
    assert acclimate("predict", "run", "b.csv", "--out", "x.csv").code == 0
    assert pl.read_csv("x.csv")["id"].to_list() == list(range(100, 140))
    assert acclimate("predict", "run", "a.csv", "--id-column", "note", "--out", "y.csv").code == 0
    assert pl.read_csv("y.csv")["id"].to_list() == source["note"].tolist()
    said = acclimate("predict", "run", "b.csv", "--id-column", "budge", "--out", "z.csv")
    assert said.code == 2
    assert "Did you mean 'badge'" in said.err


def test_an_id_column_that_is_named_is_no_feature(acclimate: Command, files: Any) -> None:
    assert acclimate(*ADAPT, *QUICK, "--id-column", "age").code == 0
    names = [column["name"] for column in Run(Path("run")).config["task"]["schema"]["columns"]]
    assert "age" not in names


# Labels and texts of each side


def test_each_side_calls_its_labels_as_it_likes(acclimate: Command, files: Any) -> None:
    files[1].rename(columns={"state": "truth"}).to_csv("b.csv", index=False)
    words = ("adapt", "--source", "a.csv", "--target", "b.csv", *QUICK)
    said = acclimate(*words, "--source-label-column", "state", "--target-label-column", "truth", "--json")
    assert said.code == 0, said.err
    assert 0 <= json.loads(said.out)["scores"]["target_accuracy"] <= 1
    assert not [note for note in notes() if "truth" in note]
    assert acclimate("evaluate", "run", "--data", "b.csv").code == 0
    assert acclimate("evaluate", "run", "--data", "a.csv", "--label-column", "state").code == 0


def test_each_side_calls_its_texts_as_it_likes(acclimate: Command) -> None:
    rows = [("a very good book", "good"), ("a very bad book", "bad")] * 12
    pl.DataFrame({"review": [f"{t} {i}" for i, (t, _) in enumerate(rows)], "mood": [m for _, m in rows]}).write_csv(
        "a.csv"
    )
    pl.DataFrame({"post": [f"such a {t} {i}" for i, (t, _) in enumerate(rows)], "post_id": range(24)}).write_csv(
        "b.csv"
    )
    words = ("--source-text-column", "review", "--target-text-column", "post", "--label-column", "mood")
    said = acclimate("adapt", "--source", "a.csv", "--target", "b.csv", *words, "--no-baseline", "--out", "run")
    assert said.code == 0, said.err
    assert acclimate("predict", "run", "b.csv", "--out", "x.csv").code == 0
    assert pl.read_csv("x.csv")["id"].to_list() == list(range(24))


def test_a_forgotten_label_is_answered_with_the_columns(acclimate: Command, files: Any) -> None:
    said = acclimate("adapt", "--source", "a.csv", "--target", "b.csv", *QUICK)
    assert said.code == 2
    assert "Name the label, --label-column NAME: one of state, ward, height" in said.err


# Files


@pytest.mark.parametrize(("sign", "words"), [("|", ()), ("~", ("--delimiter", "~")), ("\t", ("--delimiter", "tab"))])
def test_values_are_separated_by_any_sign(acclimate: Command, files: Any, sign: str, words: tuple[str, ...]) -> None:
    for name, table in zip("ab", files, strict=True):
        table.drop(columns=["note", "cost"]).to_csv(f"{name}.csv", index=False, sep=sign)
    assert acclimate(*ADAPT, *QUICK, *words).code == 0
    assert acclimate("predict", "run", "b.csv").code == 0


def test_quotes_in_a_tsv_are_signs(acclimate: Command) -> None:
    lines = [f'{i}\tsaid "{i % 3}" twice\t{"ab"[i % 2]}' for i in range(30)] + ['30\t"left open\ta']
    Path("a.tsv").write_text("\n".join(["x\tnote\tstate", *lines]) + "\n")
    Path("b.tsv").write_text("\n".join(["x\tnote", *(line.rpartition("\t")[0] for line in lines)]) + "\n")
    said = acclimate("adapt", "--source", "a.tsv", "--target", "b.tsv", "--label-column", "state", *QUICK)
    assert said.code == 0, said.err
    assert Run(Path("run")).config["task"]["sizes"]["target"] == 31


def test_quotes_are_signs_on_request(acclimate: Command) -> None:
    Path("a.csv").write_text("x,size,state\n" + "".join(f'{i},{i}" pipe,{"ab"[i % 2]}\n' for i in range(30)))
    words = ("adapt", "--source", "a.csv", "--target", "a.csv", "--label-column", "state", *QUICK)
    assert "--quoting none" in acclimate(*words).err
    assert acclimate(*words, "--quoting", "none").code == 0
    assert acclimate("predict", "run", "a.csv").code == 0
    assert "quoting must be one of auto, double, none" in acclimate(*words, "--quoting", "single").err
    assert "delimiter must be one plain character" in acclimate(*words, "--delimiter", "::").err


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252", "utf-32"])
def test_tables_come_in_any_encoding(acclimate: Command, files: Any, encoding: str) -> None:
    for name, table in zip("ab", files, strict=True):
        table.rename(columns={"ward": "Straße"}).to_csv(f"{name}.csv", index=False, encoding=encoding)
    assert acclimate(*ADAPT, *QUICK).code == 0
    assert "Straße" in [column["name"] for column in Run(Path("run")).config["task"]["schema"]["columns"]]
