"""Two tables of different columns, some of which have one name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import acclimate as ac
from acclimate.data.domain import Domain
from acclimate.data.synthetic import two_clinics
from acclimate.runs.record import Run
from commands import Command

SIDES = ("--source", "old.csv", "--target", "new.csv", "--label-column", "kind")


def frame(domain: Domain, labels: np.ndarray) -> pl.DataFrame:
    names = [domain.classes[y] if y >= 0 else None for y in labels]
    columns = dict(zip(domain.schema.names, domain.array.T, strict=True))
    return pl.DataFrame({**columns, "kind": pl.Series(names, dtype=pl.String)})


@pytest.fixture
def tables(acclimate: Command) -> dict[str, pl.DataFrame]:
    """old.csv, new.csv with three labels a class, bare.csv with none, checked.csv with all."""
    return written(120)


@pytest.fixture
def many(acclimate: Command) -> dict[str, pl.DataFrame]:
    """The same with as many rows as it takes to see who is better."""
    return written(300)


def written(n: int) -> dict[str, pl.DataFrame]:
    task = two_clinics(n).with_label_budget(3)
    made = {
        "old": frame(task.source, task.source.labels),
        "new": frame(task.target, task.target.labels),
        "bare": frame(task.target, np.full(n, -1)),
        "checked": frame(task.target_test, task.hidden.target_test),
    }
    for name, table in made.items():
        table.write_csv(f"{name}.csv")
    return made


def flat(text: str) -> str:
    return " ".join(text.split())


def test_shared_names_are_told_and_what_they_give_alone_stands_beside(
    acclimate: Command, tables: dict[str, pl.DataFrame]
) -> None:
    said = acclimate("adapt", *SIDES, "--target-test", "checked.csv", "-m", "cgt", "--out", "run")
    assert said.code == 0, said.err
    note = (
        "Columns that both sides have by name: shared 0, shared 1, shared 2, shared 3, shared 4 and 7 more "
        "(12 in all; besides them 3 of the source and 3 of the target)."
    )
    assert f"{note} --method bridge learns from them too" in flat(said.out)
    run = Run("run")
    beside = run.beside("shared-columns").summary["scores"]["target_test_accuracy"]
    assert "target labels alone shared columns alone CGT" in flat(said.out)
    assert f"{100 * beside:.1f} %" in said.out
    page = run.report_path.read_text()
    assert note in page
    assert f"nothing else, give {100 * beside:.1f}\xa0% without a label of the target; CGT gives" in page
    assert run.config["preprocess"]["target"]["rows"] == "", "columns of tables are z-scored"
    assert run.config["training"]["normalisation"] == "standard"


def test_the_bridge_is_better_than_either(acclimate: Command, many: dict[str, pl.DataFrame]) -> None:
    words = (*SIDES, "--target-test", "checked.csv", "-m", "bridge", "--out", "run", "--json")
    found = json.loads(acclimate("adapt", *words).out)
    key = "target_test_accuracy"
    assert found["scores"][key] > max(found["shared_columns"][key], found["baseline"]["scores"][key]) + 0.05
    assert acclimate("predict", "run", "checked.csv", "--out", "answers.csv").code == 0
    right = (pl.read_csv("answers.csv")["predicted"] == many["checked"]["kind"]).mean()
    assert right == pytest.approx(found["scores"][key])
    assert acclimate("evaluate", "run", "--data", "checked.csv").code == 0


def test_shared_columns_need_no_target_label(acclimate: Command, tables: dict[str, pl.DataFrame]) -> None:
    words = ("--source", "old.csv", "--target", "bare.csv", "--label-column", "kind", "-m", "shared-columns")
    said = acclimate("adapt", *words, "--target-test", "checked.csv", "--out", "run")
    assert said.code == 0, said.err
    assert Run("run").baseline is None, "there is no label for one"
    said = acclimate("adapt", *SIDES[:2], "--target", "checked.csv", *words[4:], "--no-baseline", "--out", "scored")
    assert "target, seen unlabelled in training" in said.out, said.err
    with_labels = acclimate("adapt", *SIDES, "-m", "shared-columns", "--out", "again")
    assert with_labels.code == 0
    assert Run("again").baseline.config["method"]["name"] == "nnt"


def test_a_target_without_the_label_column_is_refused_only_where_labels_are_needed(
    acclimate: Command, tables: dict[str, pl.DataFrame]
) -> None:
    tables["bare"].drop("kind").write_csv("bare.csv")
    sides = ("--source", "old.csv", "--target", "bare.csv", "--label-column", "kind")
    said = acclimate("adapt", *sides, "-m", "shared-columns", "--target-test", "checked.csv", "--out", "run")
    assert said.code == 0, said.err
    assert "target: no column 'kind', and so no labels." in flat(said.out)
    assert "target_test_accuracy" in Run("run").summary["scores"]
    assert acclimate("predict", "run", "checked.csv", "--out", "answers.csv").code == 0
    Path("run/summary.json").unlink()
    assert acclimate("resume", "run").code == 0
    said = acclimate("adapt", *sides, "-m", "shared-columns", "--target-test", "bare.csv", "--out", "bare")
    assert said.code == 0, said.err
    for method in ("bridge", "cgt", "svmt"):
        said = acclimate("adapt", *sides, "-m", method, "--out", f"run {method}")
        assert said.code == 2
        assert f"target must have some labelled examples for the method {method!r}" in flat(said.err)
        assert "got no column 'kind'" in flat(said.err)
        assert "--target-label-column NAME" in said.err
        assert "--method shared-columns needs none" in flat(said.err)
        assert not Path(f"run {method}").exists()
    assert acclimate("adapt", *sides, "-m", "cgt", "--dry-run").code == 2


def test_a_misspelt_label_column_of_the_target_is_refused(
    acclimate: Command, tables: dict[str, pl.DataFrame]
) -> None:
    words = (*SIDES[:4], "--source-label-column", "kind", "--target-label-column", "knd", "-m", "shared-columns")
    said = acclimate("adapt", *words, "--out", "run")
    assert said.code == 2
    assert "Did you mean 'kind'?" in said.err


def test_compared_without_the_targets_label_column(acclimate: Command, tables: dict[str, pl.DataFrame]) -> None:
    tables["bare"].drop("kind").write_csv("bare.csv")
    sides = ("--source", "old.csv", "--target", "bare.csv", "--label-column", "kind", "--target-test", "checked.csv")
    said = acclimate("compare", *sides, "--seeds", "1", "--out", "table")
    assert said.code == 0, said.err
    assert "shared-columns" in said.out


def test_resumed_the_runs_beside_it_are_kept(acclimate: Command, tables: dict[str, pl.DataFrame]) -> None:
    assert acclimate("adapt", *SIDES, "-m", "stn", "--set", "steps=3", "--out", "run").code == 0
    made = Run("run").beside("shared-columns").config_path.stat().st_mtime_ns
    Path("run/summary.json").unlink()
    said = acclimate("resume", "run")
    assert said.code == 0, said.err
    assert Run("run").beside("shared-columns").config_path.stat().st_mtime_ns == made


def test_without_a_name_in_common_nothing_is_said(acclimate: Command, tables: dict[str, pl.DataFrame]) -> None:
    new = tables["new"]
    new.rename({name: f"new {name}" for name in new.columns if name != "kind"}).write_csv("new.csv")
    said = acclimate("adapt", *SIDES, "-m", "cgt", "--out", "run")
    assert "by name" not in said.out
    assert Run("run").beside("shared-columns") is None
    said = acclimate("adapt", *SIDES, "-m", "bridge", "--out", "other")
    assert said.code == 2
    assert "must be tables with a column of one name and kind for the method 'bridge'" in said.err


def test_in_python_frames_are_tables(many: dict[str, pl.DataFrame]) -> None:
    old, new, checked = many["old"], many["new"], many["checked"]
    labels = new["kind"].fill_null("").to_numpy()
    model = ac.Bridge().fit((old.drop("kind"), old["kind"].to_numpy()), (new.drop("kind"), labels))
    right = (model.predict(checked.drop("kind")) == checked["kind"].to_numpy()).mean()
    assert right > 0.85
    alone = ac.SharedColumns().fit((old.drop("kind"), old["kind"].to_numpy()), new.drop("kind"))
    assert set(alone.predict(checked.drop("kind"))) <= set(old["kind"])
    shuffled = checked.select(reversed(new.drop("kind").columns))
    assert (model.predict(shuffled) == model.predict(checked.drop("kind"))).all()
