"""`acclimate predict --adapt` and `evaluate --adapt`: a copy of a run's model learns from what it has answered."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from commands import Command


@pytest.fixture
def model(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> Path:
    """A run whose network has batch norm."""
    out = tmp_path / "model"
    asked = ["--source", tables["source"], "--target", tables["target"], "--label-column", "kind"]
    trained = ["--method", "source-only", "--epochs", "4", "--no-baseline", "--set", "lr=0.01"]
    assert acclimate("adapt", *asked, *trained, "--out", out).code == 0
    return out


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_answers_come_batch_by_batch_and_the_run_stays(
    acclimate: Command, model: Path, tables: dict[str, Path], tmp_path: Path
) -> None:
    before = digests(model)
    said = acclimate("predict", model, tables["target"], "--adapt", "tent", "--batch-size", "40", "--out", "a.csv")
    assert said.code == 0, said.err
    assert said.out.startswith("TENT adapted a copy of the model over 3 batches; the run is unchanged")
    rows = pl.read_csv(tmp_path / "a.csv")
    assert rows["batch"].to_list() == [0] * 40 + [1] * 40 + [2] * 40
    assert rows["adapted"].all()
    alone = acclimate("predict", model, tables["target"], "--out", "b.parquet", "--json")
    assert "adapt" not in json.loads(alone.out)
    assert "batch" not in pl.read_parquet(tmp_path / "b.parquet").columns
    assert digests(model) == before


def test_what_was_done_is_in_the_json(acclimate: Command, model: Path, tables: dict[str, Path]) -> None:
    asked = ["--adapt", "EATA", "--set", "lr=0.1", "--order", "shuffled", "--reset", "2", "--guard", "1", "--json"]
    said = acclimate("predict", model, tables["target"], *asked, "--out", "a.parquet")
    found = json.loads(said.out)["adapt"]
    assert found["method"] == "eta"
    assert found["options"] == {
        "lr": 0.1, "margin": 0.4, "likeness": 0.4, "batch_size": 64, "order": "shuffled", "reset": 2, "guard": 1.0,
    }  # fmt: skip
    assert (found["batches"], found["examples"], found["adapted"], found["stopped"]) == (1, 120, 120, False)


def test_evaluate_scores_each_batch_before_it_is_learnt_from(
    acclimate: Command, model: Path, tables: dict[str, Path]
) -> None:
    said = acclimate("evaluate", model, "--data", tables["test"], "--adapt", "bn", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    plain = json.loads(acclimate("evaluate", model, "--data", tables["test"], "--json").out)
    assert found["baseline_accuracy"] == plain["accuracy"]
    assert found["verdict"].startswith("Adapting ")
    assert found["adapt"]["options"]["order"] == "shuffled", "files of labelled data are often sorted by class"
    assert "each answered before it was learnt from" in found["sentences"][0]
    told = acclimate("evaluate", model, "--data", tables["test"], "--adapt", "bn").out
    assert "as it is" in told
    assert "BN adaptation" in told


def test_labels_change_no_answer(acclimate: Command, model: Path, tables: dict[str, Path], tmp_path: Path) -> None:
    labelled = pl.read_csv(tables["test"])
    labelled.with_columns(kind=labelled["kind"].shuffle(seed=0)).write_csv(tmp_path / "permuted.csv")
    scores = []
    for name, data in (("a", tables["test"]), ("b", tmp_path / "permuted.csv")):
        asked = ["--adapt", "tent", "--set", "lr=0.1", "--batch-size", "20"]
        assert acclimate("predict", model, data, *asked, "--out", f"{name}.parquet").code == 0
        said = acclimate("evaluate", model, "--data", data, *asked, "--json")
        scores.append(json.loads(said.out)["adapt"])
    assert pl.read_parquet(tmp_path / "a.parquet").equals(pl.read_parquet(tmp_path / "b.parquet"))
    assert scores[0] == scores[1]


def test_the_guard_speaks_first(acclimate: Command, model: Path, tables: dict[str, Path], tmp_path: Path) -> None:
    rows = pl.read_csv(tables["source"]).sort("kind")
    pl.concat([rows.filter(pl.col("kind") == kind) for kind in rows["kind"].unique() for _ in range(4)]).write_csv(
        tmp_path / "sorted.csv"
    )
    said = acclimate("predict", model, "sorted.csv", "--adapt", "tent", "--batch-size", "32", "--out", "a.csv")
    assert said.code == 0, said.err
    first, second, *_ = said.out.splitlines()
    assert first.startswith("The guard stopped TENT at batch ")
    assert first.endswith("; the run is unchanged")
    assert second.startswith("Note: The guard's reason: ")
    assert not pl.read_csv(tmp_path / "a.csv")["adapted"][-32:].any()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--adapt", "tnt"], "adapt must be a known name; got 'tnt'. Did you mean 'tent'?"),
        (["--adapt", "dann"], "adapt must be a known name; got 'dann'. Known: bn, eta, lame, tent."),
        (["--adapt", "tent", "--set", "lrr=1"], "option of tent must be a known name; got 'lrr'"),
        (["--adapt", "tent", "--set", "lr=0"], "lr must be greater than 0"),
        (["--adapt", "tent", "--batch-size", "1"], "batch_size must give 'tent' batches of at least 2"),
        (["--adapt", "tent", "--batch-size", "0"], "batch_size must be at least 1"),
        (["--adapt", "tent", "--order", "sorted"], "order must be 'given' or 'shuffled'"),
        (["--adapt", "tent", "--guard", "2"], "guard must be at most 1"),
        (["--batch-size", "8"], "batch_size must come with --adapt; got it alone. Add --adapt"),
        (["--guard", "0"], "guard must come with --adapt"),
        (["--set", "lr=1"], "set must come with --adapt"),
    ],
)
def test_what_cannot_be_is_refused(
    acclimate: Command, model: Path, tables: dict[str, Path], words: list[str], sentence: str
) -> None:
    said = acclimate("predict", model, tables["target"], *words, "--out", "a.csv")
    assert said.code == 2
    assert sentence in said.err
    assert not Path("a.csv").exists()


def test_a_model_without_batch_norm_is_told_what_will_do(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    asked = ["--source", tables["source"], "--target", tables["target"], "--label-column", "kind", "--no-baseline"]
    plain = ["--method", "kernel-logistic"]
    assert acclimate("adapt", *asked, *plain, "--out", tmp_path / "plain").code == 0
    said = acclimate("predict", tmp_path / "plain", tables["target"], "--adapt", "tent", "--out", "a.csv")
    assert said.code == 2
    assert "'tent' for a model of 'kernel-logistic' that has none. Take lame" in said.err
    assert acclimate("predict", tmp_path / "plain", tables["target"], "--adapt", "lame", "--out", "a.csv").code == 0


def test_methods_lists_and_explains_them(acclimate: Command) -> None:
    assert "--adapt NAME): bn, eta, lame, tent." in acclimate("methods").out
    told = acclimate("methods", "eata")
    assert "acclimate predict RUN DATA --adapt eta" in told.out
    assert "likeness" in told.out
    assert json.loads(acclimate("methods", "tent", "--json").out)["options"]["lr"]["default"] == 1e-3
