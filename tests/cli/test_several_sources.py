"""Several sources, as a user types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from acclimate.data.domain import Domain
from acclimate.data.synthetic import shifted_blobs
from commands import Command, write_table
from worlds import at_odds

QUICK = ["--label-column", "kind", "--steps", "150", "--batch-size", "32", "--lr", "0.01", "--set", "optimizer=adam"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two sources at odds, a target like the second; and what does not go with them."""
    task, base = at_odds(), tmp_path_factory.mktemp("sources")
    assert task.hidden is not None
    parts = {name: task.source.take(task.source.origins == i) for i, name in enumerate(task.source.origin_names)}
    found = {name: write_table(part, base / f"{name}.csv", part.labels) for name, part in parts.items()}
    found["target"] = write_table(task.target, base / "target.csv", task.hidden.target)
    found["bare"] = write_table(task.target, base / "bare.csv", None)
    found["copy"] = base / "copy.csv"
    found["copy"].write_bytes(found["near"].read_bytes())
    found["empty"] = base / "empty.csv"
    found["empty"].write_text("x,y,kind\n")
    other = replace(parts["far"], classes=("a", "c"))
    found["classes"] = write_table(other, base / "classes.csv", other.labels)
    found["columns"] = base / "columns.csv"
    pl.read_csv(found["far"]).rename({"x": "z"}).write_csv(found["columns"])
    found["unlabelled"] = write_table(parts["far"], base / "unlabelled.csv", None)
    return found


def sources(files: dict[str, Path], *names: str) -> list[str | Path]:
    return [word for name in names for word in ("--source", files[name])]


def test_a_run_tells_what_each_source_counts_and_what_the_nearest_gives(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    sides = [*sources(files, "far", "near"), "--target", files["target"], "--out", out]
    said = acclimate("adapt", *sides, "-m", "source-combination", *QUICK, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert [source["name"] for source in told["sources"]] == ["far", "near"]
    assert sum(source["examples"] for source in told["sources"]) == 216, "a tenth of 240 is set aside"
    assert told["sources"][1]["weight"] > 0.9
    assert told["scores"]["target_accuracy"] > 0.9
    assert told["baseline"]["trained_on"] == "all sources as one"
    sentences = " ".join(told["sentences"])
    assert "How much each source counts: near " in sentences
    assert "A model of near alone, the nearest source, is right on " in sentences
    page = (out / "report.html").read_text()
    assert "How much each source counts" in page
    assert "216 labelled examples of 2 sources (far, near)" in page
    config = json.loads((out / "config.json").read_text())
    assert config["problem"] == "several-sources"
    assert config["task"]["name"] == f"{files['far']} + {files['near']} → {files['target']}"
    for beside, method in (("baseline", "source-only"), ("plain", "closest-source")):
        assert json.loads((out / beside / "config.json").read_text())["method"]["name"] == method
    answers = tmp_path / "answers.csv"
    assert acclimate("predict", out, files["bare"], "--out", answers).code == 0
    table = pl.read_parquet(out / "predictions.parquet").sort("row")
    assert pl.read_csv(answers)["predicted"].to_list() == table["predicted"].to_list()
    assert acclimate("report", out).code == 0
    said = acclimate("adapt", "--model", out, "--target", files["bare"])
    assert said.code == 2
    assert "must be of a method of one source" in said.err


def test_a_method_of_one_source_takes_all_of_them_for_one(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    config = tmp_path / "recipe.toml"
    config.write_text(f'source = ["{files["far"]}", "{files["near"]}"]\nmethod = "dann"\nbaseline = false\n')
    sides = ["--config", config, "--target", files["bare"], "--out", tmp_path / "run", "--label-column", "kind"]
    said = acclimate("adapt", *sides, "--steps", "2", "--json")
    assert said.code == 0, said.err
    found = json.loads((tmp_path / "run" / "config.json").read_text())
    assert found["task"]["sizes"]["source"] == 216
    assert sum(found["task"]["sources"].values()) == 216
    assert found["problem"] == "adaptation"


@pytest.mark.parametrize(
    ("names", "target", "said"),
    [
        (("near",), "bare", "must be given more than once for the method 'm3sda'"),
        (("near", "near"), "bare", "must name different sources"),
        (("near", "copy"), "bare", "must hold different examples"),
        (("far", "near"), "near", "must be none of the sources"),
        (("far", "near"), "copy", "must be none of the sources"),
        (("near", "empty"), "bare", "empty.csv must hold at least one row"),
        (("near", "classes"), "bare", "near alone has 'b'"),
        (("near", "columns"), "bare", "x"),
        (("near", "unlabelled"), "bare", "unlabelled must hold labelled examples"),
        (("near", "nowhere"), "bare", "nowhere.csv"),
    ],
)
def test_bad_input_is_refused_before_training(
    acclimate: Command, files: dict[str, Path], tmp_path: Path, names: tuple[str, ...], target: str, said: str
) -> None:
    paths = {**files, "nowhere": tmp_path / "nowhere.csv"}
    out = tmp_path / "run"
    told = acclimate("adapt", *sources(paths, *names), "--target", paths[target], "-m", "m3sda", *QUICK, "--out", out)
    assert told.code == 2, told.err
    assert said in told.err
    assert not out.exists()


def test_sides_with_features_of_their_own_take_one_source(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    told = acclimate("adapt", *sources(files, "far", "near"), "--target", files["target"], "-m", "cgt", *QUICK)
    assert told.code == 2
    assert "must be given once for the method 'cgt'" in told.err


def test_skadas_numbers_of_domains_tell_the_sources_apart() -> None:
    import acclimate as ac

    task = at_odds(60)
    X = np.concatenate([task.source.array, task.target.array])
    y = np.concatenate([task.source.labels, np.full(len(task.target), -1)])
    places = np.concatenate([task.source.origins + 1, np.full(len(task.target), -3)])
    options = {"steps": 150, "batch_size": 32, "optimizer": "adam", "lr": 0.01}
    model = ac.SampleDomainAdapter(ac.ClosestSource(**options)).fit(X, y, sample_domain=places)
    right = model.predict(task.target_test.array) == task.hidden.target_test
    assert right.mean() > 0.9


def test_blobs_stay_blobs() -> None:
    """Any other method takes joined sources for the source that they are together."""
    import acclimate as ac

    task = shifted_blobs(40)
    halves = {"one": task.source.take(slice(20)), "two": task.source.take(slice(20, None))}
    joined: Domain = ac.join_sources(halves)
    options = {"steps": 3, "batch_size": 8, "seed": 0}
    apart, whole = (ac.SourceOnly(**options).fit(source, task.target) for source in (joined, task.source))
    assert np.array_equal(apart.predict_proba(task.target), whole.predict_proba(task.target))
