"""`acclimate adapt --model … --method shot`: a model and a target, and no source anywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from commands import Command

TRAINED = ["--method", "source-only", "--epochs", "4", "--no-baseline"]


@pytest.fixture
def model(acclimate: Command, tables: dict[str, Path], tmp_path: Path) -> Path:
    """A run whose source is gone."""
    source = shutil.copy(tables["source"], tmp_path / "gone.csv")
    out = tmp_path / "model"
    asked = ["--source", source, "--target", tables["target"], "--label-column", "kind", *TRAINED, "--out", out]
    assert acclimate("adapt", *asked).code == 0
    Path(source).unlink()
    return out


def test_a_model_is_adapted_where_its_source_is_gone(
    acclimate: Command, model: Path, tables: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "adapted"
    asked = ["--model", model, "--target", tables["target"], "--target-test", tables["test"], "--method", "shot"]
    said = acclimate("adapt", *asked, "--epochs", "3", "--out", out)
    assert said.code == 0, said.err
    assert "the model begun with" in said.out
    config = json.loads((out / "config.json").read_text())
    assert config["problem"] == "source-free"
    assert "source" not in config["task"]["sizes"]
    checks = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()][-1]["checks"]
    assert "class-collapse" in checks, "against the model begun with"
    assert "not-learnt" not in checks, "there is no source to look at"
    said = acclimate("choose", out)
    assert said.code == 2
    assert "runs must have been trained with source examples" in " ".join(said.err.split())
    shutil.rmtree(model)  # from now on it does without that, too
    page = (out / "report.html").read_text()
    assert "a model whose source is not here" in page
    assert "▲" not in page, "a legend of two sides"
    assert acclimate("report", out).code == 0
    assert acclimate("predict", out, tables["target"], "--out", tmp_path / "answers.csv").code == 0
    assert acclimate("evaluate", out, "--data", tables["test"]).code == 0


def test_a_run_of_it_is_gone_on_with_month_after_month(
    acclimate: Command, model: Path, tables: dict[str, Path], tmp_path: Path
) -> None:
    may, june = tmp_path / "may", tmp_path / "june"
    common = ["--target", tables["target"], "--epochs", "1"]
    assert (
        acclimate("adapt", "--model", model, *common, "--method", "shot", "--set", "rounds=2", "--out", may).code == 0
    )
    said = acclimate("adapt", "--model", may, *common, "--out", june)
    assert said.code == 0, said.err
    assert json.loads((june / "config.json").read_text())["method"]["options"]["rounds"] == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--method", "mcc"], "method must be the model's own, 'source-only', or one that needs no source"),
        (["--method", "shot", "--source", "x.csv"], "source must not be given to 'shot' beside a model"),
        (["--method", "shot", "--label-budget", "3"], "label_budget must be 0 for the method 'shot'"),
        (["--method", "shot", "--set", "normalisation=rows"], "normalisation must be the model's own"),
        (["--method", "shot", "--network", "bag-of-words"], "network must be the model's own"),
    ],
)
def test_what_it_cannot_do_is_said_before_anything_is_trained(
    acclimate: Command, model: Path, tables: dict[str, Path], tmp_path: Path, words: list[str], expected: str
) -> None:
    said = acclimate("adapt", "--model", model, "--target", tables["test"], *words, "--out", tmp_path / "out")
    assert said.code == 2
    assert expected in " ".join(said.err.split())
    assert not (tmp_path / "out").exists()


def test_a_model_that_answers_in_a_way_of_its_own_is_refused(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    two = tmp_path / "two"
    asked = ["--source", tables["source"], "--target", tables["target"], "--label-column", "kind"]
    assert acclimate("adapt", *asked, "--method", "mcd", "--epochs", "1", "--no-baseline", "--out", two).code == 0
    said = acclimate(
        "adapt", "--model", two, "--target", tables["target"], "--method", "shot", "--out", tmp_path / "o"
    )
    assert said.code == 2
    assert "model must answer by one feature extractor and one classifier" in " ".join(said.err.split())


def test_with_a_source_the_model_is_learnt_first_and_stands_beside_it(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ["--source", tables["source"], "--target", tables["target"], "--label-column", "kind"]
    said = acclimate("adapt", *asked, "--method", "shot", "--epochs", "3", "--no-baseline", "--out", out)
    assert said.code == 0, said.err
    assert json.loads((out / "baseline" / "config.json").read_text())["method"]["name"] == "source-only"
