from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from acclimate.cli import demo
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.trainer import Interrupted
from commands import Command

RECIPE = Path(__file__).parents[2] / "benchmarks" / "recipes" / "demo.toml"


def test_trains_by_the_recipe_that_is_measured() -> None:
    recipe = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    for name, training in demo._METHODS.items():
        assert {**recipe["training"], **recipe["methods"][name]} == {
            "precision": "fp32", "evaluations": 10, "epochs": 10, **training,
        }  # fmt: skip


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"steps": 3, "batch_size": 32}
    monkeypatch.setattr(demo, "_METHODS", {"mcc": quick, "train-on-target": quick})


def test_ends_with_a_table_a_story_and_a_report(acclimate: Command, short: None) -> None:
    said = acclimate("demo")
    assert said.code == 0, said.err
    for words in ("source-only", "mcc", "train-on-target", "labels hidden", "Report: runs/demo/mcc/report.html"):
        assert words in said.out
    assert Path("runs/demo/mcc/report.html").stat().st_size > 100_000
    assert Run("runs/demo/mcc").config["network"] == "tiny"
    again = acclimate("demo", "--json")
    assert json.loads(again.out)["report"] == "runs/demo-2/mcc/report.html"
    assert json.loads(again.out)["scores"].keys() == {"source-only", "mcc", "train-on-target"}


@pytest.mark.usefixtures("demo_made")
def test_comparisons_tell_each_score_and_end_with_a_table(acclimate: Command, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'task = "demo"\nprotocol = "tiny"\nseeds = 2\n[training]\nsteps = 3\nbatch_size = 32\n'
        '[methods.source-only]\npublished = { value = 0.5, source = "nobody" }\n'
        '[methods.short]\nmethod = "mcc"\nsteps = 2\nseeds = 1\n'
        '[methods.short-4]\nmethod = "mcc"\nsteps = 2\nseeds = 1\nlabel_budget = "4"\n'
    )
    said = acclimate("compare", "--config", recipe, "--results", "results")
    assert said.code == 0, said.err
    assert said.err.count("seed ") == 4
    assert "50.0 %" in said.out
    page = Path("runs/demo/comparison.html").read_text(encoding="utf-8")
    assert re.search(
        r"Target accuracy by labelled target examples a class, %: short [\d.]+ with 0, [\d.]+ with 4\.", page
    )
    row = json.loads(Path("results/demo/source-only.json").read_text())
    assert row["task"] == "demo"
    assert len(row["target_accuracy"]) == 2
    assert row["published"] == {"value": 0.5, "source": "nobody"}
    assert row["command"].startswith("acclimate compare --config")
    said = acclimate("compare", "--config", recipe, "--methods", "short,short-4", "--json")
    rows = json.loads(said.out)["demo"]
    assert [(row["series"], row["labels_per_class"]) for row in rows] == [("short", 0), ("short", 4)]
    assert not said.err


@pytest.mark.usefixtures("demo_made")
def test_a_comparison_passes_over_absent_data_where_asked_to_and_over_no_mistake(
    acclimate: Command, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    rows = "seeds = 1\n[training]\nsteps = 2\nbatch_size = 32\n[methods.source-only]\n"
    recipe.write_text('task = ["mnist-usps", "demo"]\n' + rows)
    said = acclimate("compare", "--config", recipe)
    assert (said.code, said.out) == (2, "")
    said = acclimate("compare", "--config", recipe, "--skip-absent")
    assert said.code == 0
    assert re.search(r"mnist-usps is passed over: .*must be on this machine; .* acclimate data get usps", said.err)
    assert "source-only" in said.out
    assert not Path("runs/mnist-usps").exists()
    recipe.write_text('task = ["demo"]\n' + rows + "lr = -1\n")
    assert acclimate("compare", "--config", recipe, "--skip-absent").code == 2


@pytest.mark.usefixtures("demo_made")
def test_a_demo_that_was_stopped_is_finished_by_the_same_command(
    acclimate: Command, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acclimate.running import adaptation

    original, ran = adaptation.adapt, []

    def counted(request: Request, folder: Path, around: object) -> Run:
        ran.append(folder.name)
        if len(ran) == 2:
            raise Interrupted(1, 3)
        return original(request, folder, around)

    monkeypatch.setattr(adaptation, "adapt", counted)
    said = acclimate("demo", "--out", "d")
    assert said.code == 130
    assert "Go on with: acclimate demo --out d --seed 0" in said.err
    said = acclimate("demo", "--out", "d", "--seed", "0")
    assert said.code == 0, said.err
    assert ran == ["mcc", "train-on-target", "train-on-target"]
    assert "train-on-target" in said.out
    other = acclimate("demo", "--out", "d", "--seed", "1")
    assert other.code == 2
    assert "out must be a new folder, or that of the same demo" in other.err
