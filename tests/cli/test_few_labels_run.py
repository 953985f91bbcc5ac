"""A few target labels where the sides have the same features: as a user types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.torch import load_file

from acclimate.data.synthetic import shifted_blobs
from acclimate.runs import checkpoint_files
from acclimate.types import UNLABELLED
from commands import Command, write_table

QUICK = ["--label-column", "kind", "--steps", "20", "--batch-size", "16"]


def written(path: Path, domain: Any, labels: np.ndarray) -> Path:
    """As a table whose column of labels is empty where there is none."""
    names = [None if y == UNLABELLED else domain.classes[y] for y in labels]
    columns = {"x": domain.inputs[:, 0], "y": domain.inputs[:, 1], "kind": pl.Series(names, dtype=pl.String)}
    pl.DataFrame(columns).write_csv(path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three blobs; the target with all labels, with two a class, with two of two classes, and without."""
    task, base = shifted_blobs(60, shift=2.0, num_classes=3), tmp_path_factory.mktemp("few")
    assert task.hidden is not None
    labels = task.hidden.target
    few = task.with_label_budget(2, seed=5).target.labels
    sides = {
        "source": task.source.labels,
        "all": labels,
        "few": few,
        "lacking": np.where(few == 2, UNLABELLED, few),
        "none": np.full(len(few), UNLABELLED),
    }
    domains = {"source": task.source}
    found = {name: written(base / f"{name}.csv", domains.get(name, task.target), y) for name, y in sides.items()}
    return found | {"bare": write_table(replace(task.target, labels=labels), base / "bare.csv", None)}


def config(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "config.json").read_text()))


def nets(folder: Path) -> dict[str, Any]:
    """The weights of a run, by name."""
    tensors = load_file(checkpoint_files.latest(folder / "checkpoints"))
    return {name: tensor for name, tensor in tensors.items() if name.startswith("nets/")}


def test_granted_labels_alone_are_learnt_from_and_none_of_them_is_scored(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    run, again, drawn_only = tmp_path / "run", tmp_path / "again", tmp_path / "drawn.csv"
    sides = ["--source", files["source"], "--target", files["all"], "--label-budget", "3", "--out", run]
    said = acclimate("adapt", *sides, "-m", "mme", *QUICK)
    assert said.code == 0, said.err
    beside = {
        "baseline": ("source-only", 9, "source and target labels"),
        "without-labels": ("source-only", 0, "source alone"),
        "labels-alone": ("train-on-target", 9, "target labels alone"),
    }
    answers = pl.read_parquet(run / "predictions.parquet")
    drawn = answers["label"].is_null().to_numpy()
    table = pl.read_csv(files["all"])
    assert table.filter(drawn)["kind"].value_counts()["count"].to_list() == [3, 3, 3]
    for folder, (method, given, words) in beside.items():
        told = config(run / folder)
        assert (told["method"]["name"], told["task"]["labelled_target"]) == (method, given)
        assert pl.read_parquet(run / folder / "predictions.parquet")["label"].equals(answers["label"])
        assert words in said.out
    assert "to a model of the source the labels were worth" in (run / "report.html").read_text()

    said = acclimate("choose", run, run / "baseline")
    assert said.code == 2
    assert "must have learnt from no target label" in said.err
    assert "acclimate cross-validate" in said.err

    kinds = [kind if known else None for kind, known in zip(table["kind"], drawn, strict=True)]
    table.with_columns(pl.Series("kind", kinds, dtype=pl.String)).write_csv(drawn_only)
    sides = ["--source", files["source"], "--target", drawn_only, "--no-baseline", "--out", again]
    assert acclimate("adapt", *sides, "-m", "mme", *QUICK).code == 0
    one, two = nets(run), nets(again)
    assert one
    assert all(one[name].equal(two[name]) for name in one), "labels that were not drawn reached training"


def test_labels_that_are_there_are_taken_without_asking(
    acclimate: Command, files: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    said = acclimate(
        "adapt", "--source", files["source"], "--target", files["few"], "-m", "fine-tune", *QUICK, "--out", out
    )
    assert said.code == 0, said.err
    for folder, given in (("", 6), ("baseline", 6), ("without-labels", 0), ("labels-alone", 6)):
        assert config(out / folder)["task"]["labelled_target"] == given
    assert json.loads((out / "summary.json").read_text())["scores"].get("target_accuracy") is None
    assert acclimate("audit", out, "--items", "10", "--out", tmp_path / "ask.csv").code == 0


@pytest.mark.parametrize("method", ["mme", "cdac", "fine-tune", "fine-tune-new-head"])
@pytest.mark.parametrize(
    ("target", "budget", "words"),
    [
        ("bare", "0", ("label_budget must grant target labels of every class", "got none", "--label-budget 3")),
        ("all", "0", ("label_budget must grant target labels of every class", "got none", "--label-budget 3")),
        ("none", "2", ("label_budget needs a target with labels", "Use 0")),
        (
            "lacking",
            "0",
            ("target must have a labelled example of every class", "none of 'blob 2'", "Label an example"),
        ),
        ("all", "99", ("label_budget must not exceed what the smallest class has", "got 99", "Ask for fewer")),
        ("all", "all", ("target must have at least two examples without a granted label", "got 0 beside 60")),
        ("all", "lots", ("label_budget must be 0, a whole number", "got 'lots'")),
    ],
)
def test_labels_that_will_not_do_are_refused_before_training(
    acclimate: Command,
    files: dict[str, Path],
    tmp_path: Path,
    method: str,
    target: str,
    budget: str,
    words: tuple[str, ...],
) -> None:
    sides = [
        "--source",
        files["source"],
        "--target",
        files[target],
        "--label-budget",
        budget,
        "--out",
        tmp_path / "run",
    ]
    said = acclimate("adapt", *sides, "-m", method, *QUICK)
    assert said.code == 2
    assert not (tmp_path / "run").exists()
    for word in words:
        assert word in said.err
