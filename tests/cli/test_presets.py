"""`adapt --preset`: what each stands for, what overrides it, and a model exported with the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acclimate.cli.presets import PRESETS, expand
from acclimate.errors import RequestError, UnknownNameError
from commands import Command
from exporting import answers_alone, same_answers


def expanded(
    preset: str | None, recipe: dict[str, Any] | None = None, *settings: str, **flags: Any
) -> dict[str, Any]:
    """What is asked for in the end: flags and settings over the recipe."""
    given, rest, kept = expand({"preset": preset, **flags}, recipe or {}, list(settings))
    assert "preset" not in {**given, **rest}
    assert kept == [text for text in settings if not text.startswith("preset")]
    return {**rest, **{name: value for name, value in given.items() if value is not None}}


def test_nothing_changes_without_one() -> None:
    assert expanded(None, {"epochs": 3}, "lr=0.1", method=None) == {"epochs": 3}


@pytest.mark.parametrize("name", PRESETS)
def test_it_may_be_a_flag_a_line_of_a_recipe_or_a_setting(name: str) -> None:
    assert expanded(name) == expanded(None, {"preset": name}) == expanded(None, None, f"preset={name}")
    assert expanded(name) == PRESETS[name]


@pytest.mark.parametrize(
    ("recipe", "flags"),
    [({"epochs": 9}, {}), ({}, {"epochs": 9}), ({"epochs": 7}, {"epochs": 9})],
)
def test_what_is_given_overrides_it(recipe: dict[str, Any], flags: dict[str, Any]) -> None:
    assert expanded("quick", recipe, **flags)["epochs"] == 9


@pytest.mark.parametrize(
    ("recipe", "settings", "flags"),
    [
        ({"training": {"steps": 40}}, (), {}),
        ({"steps": 40}, (), {}),
        ({}, ("steps=40",), {}),
        ({}, (), {"steps": 40}),
    ],
)
def test_a_length_in_steps_replaces_its_epochs(
    recipe: dict[str, Any], settings: tuple[str, ...], flags: dict[str, Any]
) -> None:
    assert "epochs" not in expanded("quick", recipe, *settings, **flags)


def test_a_preset_that_chooses_takes_no_other_method() -> None:
    assert expanded("good", method="auto")["method"] == "auto"
    with pytest.raises(RequestError, match="method must be left open for the preset 'good', which chooses one"):
        expand({"preset": "good", "method": "dann"}, {}, [])
    assert expanded("quick", method="dann") == {"epochs": 5, "method": "dann"}


def test_one_that_there_is_not_is_refused(acclimate: Command) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'deploy'"):
        expand({"preset": "deplyo"}, {}, [])
    said = acclimate("adapt", "--source", "a", "--target", "b", "--preset", "best")
    assert said.code == 2
    assert "Known: deploy, good, quick." in said.err


def test_a_budget_without_a_choice_names_the_preset(acclimate: Command) -> None:
    said = acclimate("adapt", "--source", "a", "--target", "b", "--preset", "quick", "--budget", "10m")
    assert said.code == 2
    assert "--method auto or --preset good" in said.err


def test_deploy_ends_with_a_model_that_answers_alone(acclimate: Command, tables: dict[str, Path]) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    short = ("--candidates", "2", "--steps", "10", "--batch-size", "32", "--precision", "fp32")
    said = acclimate(
        "adapt", *sides, "--preset", "deploy", *short, "--set", "evaluations=1", "--out", "best", "--json"
    )
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["model"] == {"out": "best/model", "checked": 120}
    assert found["choice"]["candidates"]
    assert acclimate("predict", "best", tables["target"], "--out", "answers.csv").code == 0
    same_answers(answers_alone(Path("best/model"), str(tables["target"])), Path("answers.csv"))
