"""Targets that lack classes of the source, or have others: as a user types it."""

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

QUICK = ["--label-column", "kind", "--epochs", "6", "--batch-size", "16"]


def of_classes(domain: Domain, labels: np.ndarray, kept: tuple[int, ...]) -> tuple[Domain, np.ndarray]:
    rows = np.isin(labels, kept)
    return replace(domain.take(np.flatnonzero(rows)), labels=labels[rows]), labels[rows]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of four blobs: all of them in the source, or the first two; in the target the same, without labels or with."""
    task, base = shifted_blobs(160, shift=0.5, num_classes=4), tmp_path_factory.mktemp("sets")
    assert task.hidden is not None
    target = replace(task.target, labels=task.hidden.target)
    sides = {
        "all": of_classes(task.source, task.source.labels, (0, 1, 2, 3)),
        "two": of_classes(task.source, task.source.labels, (0, 1)),
        "others": of_classes(task.source, task.source.labels, (2, 3)),
        "target": of_classes(target, target.labels, (0, 1, 2, 3)),
        "target-two": of_classes(target, target.labels, (0, 1)),
        "target-others": of_classes(target, target.labels, (2, 3)),
    }
    found = {name: write_table(d, base / f"{name}.csv", y) for name, (d, y) in sides.items()}
    return found | {"bare": write_table(sides["target"][0], base / "bare.csv", None)}


def test_a_partial_run_says_which_classes_seem_absent_and_what_plain_alignment_gives(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    sides = ["--source", files["all"], "--target", files["target-two"], "--out", out]
    said = acclimate("adapt", *sides, "-m", "pada", "--set", "max_reversal=0.1", *QUICK, "--epochs", "20")
    assert said.code == 0, said.err
    assert "DANN" in said.out
    page = (out / "report.html").read_text()
    assert "2 of 4 classes seem absent from the target: “blob 2”, “blob 3”" in page
    assert "DANN, which takes the source&#39;s classes to be all there, is right on" in page
    config = json.loads((out / "config.json").read_text())
    assert config["problem"] == "partial"
    for beside, method in (("baseline", "source-only"), ("plain", "dann")):
        assert json.loads((out / beside / "config.json").read_text())["method"]["name"] == method
    checks = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()][-1]["checks"]
    assert "class-collapse" in checks
    assert not {"class-shares", "proportions", "shares-restored"} & set(checks), "they take shares for equal"
    said = acclimate("choose", out, out / "baseline")
    assert said.code == 2
    assert "whose target has the source's classes" in said.err


def test_an_open_set_run_answers_unknown_wherever_answers_are(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    out, answers = tmp_path / "run", tmp_path / "answers.csv"
    sides = ["--source", files["two"], "--target", files["target"]]
    said = acclimate("adapt", *sides, "-m", "progressive-separation", *QUICK, "--epochs", "20", "--out", out)
    assert said.code == 0, said.err
    for words in ("H-score", "known classes (OS*)", "unknown (UNK)", "source only with a threshold"):
        assert words in said.out
    assert "count as 'unknown': 'blob 2', 'blob 3'" in said.out
    config = json.loads((out / "config.json").read_text())
    assert config["problem"] == "open-set"
    assert config["task"]["classes"] == ["blob 0", "blob 1", "unknown"]
    assert json.loads((out / "baseline" / "config.json").read_text())["method"]["name"] == "threshold"
    scores = json.loads((out / "summary.json").read_text())["scores"]
    parts = scores["target_os_star"], scores["target_unk"]
    assert scores["target_h_score"] == pytest.approx(2 * parts[0] * parts[1] / sum(parts))
    table = pl.read_parquet(out / "predictions.parquet")
    assert set(table["label"]) == {"blob 0", "blob 1", "unknown"}
    assert set(table["predicted"]) <= {"blob 0", "blob 1", "unknown"}
    assert "unknown" in (out / "report.html").read_text()
    assert acclimate("report", out).code == 0
    assert acclimate("predict", out, files["bare"], "--out", answers).code == 0
    assert pl.read_csv(answers)["predicted"].to_list() == table.sort("row")["predicted"].to_list()
    said = acclimate("evaluate", out, "--data", files["target"], "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["accuracy"] == pytest.approx(scores["target_accuracy"]), "what the source lacks is unknown there, too"
    assert "H-score" in told["verdict"]
    said = acclimate("choose", out, out / "baseline")
    assert said.code == 2
    assert "acclimate audit" in said.err


def test_an_open_set_run_on_a_target_without_labels_tells_how_much_is_unknown(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    sides = ["--source", files["two"], "--target", files["bare"], "--no-baseline", "--out", tmp_path / "run"]
    said = acclimate("adapt", *sides, "-m", "osbp", *QUICK, "--json")
    assert said.code == 0, said.err
    assert any("of the answers are “unknown”" in sentence for sentence in json.loads(said.out)["sentences"])


@pytest.mark.parametrize("form", ["onnx", "pt2"])
def test_an_exported_model_answers_unknown_as_its_run_does(
    acclimate: Command, files: dict[str, Path], tmp_path: Path, form: str
) -> None:
    if form == "onnx":
        pytest.importorskip("onnxruntime")
    run, folder = tmp_path / "run", tmp_path / "exported"
    sides = ["--source", files["two"], "--target", files["bare"], "--no-baseline", "--out", run]
    assert acclimate("adapt", *sides, "-m", "ovanet", *QUICK).code == 0
    said = acclimate("export", run, folder, "--form", form)
    assert said.code == 0, said.err
    said = acclimate("benchmark", folder, "--run", run, "--data", files["target"], "--json")
    assert said.code == 0, said.err
    accuracies = {row["accuracy"] for row in json.loads(said.out)}
    assert len(accuracies) == 1


@pytest.mark.parametrize("method", ["ba3us", "osbp"])
def test_sides_without_a_class_in_common_are_refused_before_training(
    acclimate: Command, files: dict[str, Path], tmp_path: Path, method: str
) -> None:
    sides = ["--source", files["two"], "--target", files["target-others"], "--out", tmp_path / "run"]
    said = acclimate("adapt", *sides, "-m", method, *QUICK)
    assert said.code == 2
    assert f"must share a class with the source for the method '{method}'" in said.err
    assert not (tmp_path / "run").exists()


def test_unknown_classes_that_are_not_there_are_refused_before_training(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    sides = ["--source", files["two"], "--target", files["target-two"], "--out", tmp_path / "run"]
    said = acclimate("adapt", *sides, "-m", "osbp", *QUICK)
    assert said.code == 2
    assert "must have examples of classes that the source lacks" in said.err
    assert "dann" in said.err
    assert not (tmp_path / "run").exists()


def test_a_source_class_named_unknown_is_refused_before_training(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    named = tmp_path / "named.csv"
    named.write_text(files["two"].read_text().replace("blob 1", "unknown"))
    said = acclimate("adapt", "--source", named, "--target", files["bare"], "-m", "threshold", *QUICK)
    assert said.code == 2
    assert "must have no class named 'unknown'" in said.err


def test_methods_for_unknown_classes_are_compared_by_h_score(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    sides = ["--source", files["two"], "--target", files["target"], "--out", tmp_path / "all"]
    asked = ["compare", *sides, "--methods", "threshold,progressive-separation", "--seeds", "1", *QUICK]
    said = acclimate(*asked, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    for row in found["methods"]:
        scores = json.loads((tmp_path / "all" / f"{row['method']}-seed0" / "summary.json").read_text())["scores"]
        assert row["h_score"] == [scores["target_h_score"]]
    assert "H-score is measured on 160 target examples" in " ".join(found["sentences"])
    shown = acclimate(*asked)
    assert "H-score" in shown.out
    assert "target accuracy" not in shown.out
