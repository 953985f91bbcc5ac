"""`acclimate methods`, and the names that methods go by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import acclimate
from acclimate import discovery
from acclimate.runs.record import Run
from commands import Command

METHODS = discovery.methods()


def plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


@pytest.mark.parametrize("name", METHODS)
def test_the_name_of_the_command_line_is_one_in_python(name: str) -> None:
    called = METHODS[name].python_names
    assert plain(name) in map(plain, called)
    assert {getattr(acclimate, own) for own in called} == {getattr(acclimate, METHODS[name].class_name)}
    assert set(called) <= set(dir(acclimate))


@pytest.mark.parametrize("name", ["auto", "mcd"])
def test_a_method_in_the_place_of_a_command_is_told_where_it_belongs(acclimate: Command, name: str) -> None:
    said = acclimate("--quiet", name, "labelled/")
    assert said.code == 2
    assert f"got '{name}'" in said.err
    assert f"acclimate adapt --method {name}" in " ".join(said.err.split())


def test_no_two_methods_answer_to_one_name() -> None:
    names = [
        called for method in METHODS.values() for called in {plain(method.name), *map(plain, method.python_names)}
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("called", "name"),
    [("SubspaceAlignment", "sa"), ("DeepCORAL", "coral"), ("OneStepMCD", "mcd-one-step"), ("MCD", "mcd")],
)
def test_names_of_python_are_taken_on_the_command_line(
    acclimate: Command, tables: dict[str, Path], called: str, name: str
) -> None:
    sides = ("--source", tables["source"], "--target", tables["test"], "--label-column", "kind", "--no-baseline")
    done = acclimate("adapt", *sides, "-m", called, "--epochs", 1)
    assert done.code == 0, done.err
    run = Run(f"runs/source-target-{name}-seed0".replace("target", tables["test"].stem))
    assert run.config["method"]["name"] == run.config["request"]["method"] == name
    assert json.loads(acclimate("methods", called, "--json").out)["name"] == name


@pytest.mark.usefixtures("demo_made")
def test_names_of_python_are_taken_in_comparisons(acclimate: Command, tmp_path: Path) -> None:
    words = ("--methods", "DeepCORAL", "--seeds", 1, "--set", "steps=2", "--results", "results", "--out", "c")
    assert acclimate("compare", "--task", "demo", *words).code == 0
    assert [path.name for path in Path("results/demo").iterdir()] == ["coral.json"]


def test_the_list_says_what_each_takes(acclimate: Command) -> None:
    told = {
        method["name"]: (method["input"], method["target_labels"])
        for method in json.loads(acclimate("methods", "--json").out)
    }
    assert told["dann"] == ("images, numbers or texts", "none")
    assert told["amn"] == ("texts", "none")
    assert told["msda"] == ("numbers or texts", "none")
    assert told["cgt"] == ("numbers, each side its own", "a few of each class")
    assert told["train-on-target"] == ("images, numbers or texts", "all, and no source")
    assert told["shared-prototypes"] == ("sketches and photos, or numbers", "all")
    assert told["mutual-views"] == ("images", "none, or one of each class")
    page = acclimate("methods").out
    for words in ("input", "target labels", "a few of each class", "--label-budget", "DeepCORAL"):
        assert words in page
    one = acclimate("methods", "DeepCORAL").out
    assert "Input: images, numbers or texts. Target labels: none." in one
    assert "acclimate.DeepCORAL or acclimate.CORAL" in one
