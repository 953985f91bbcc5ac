"""The newcomer's path in the README, command by command, and `acclimate doctor`."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import polars as pl

from acclimate.cli.doctor import EXTRAS
from commands import Command
from exporting import answers_alone, same_answers

ROOT = Path(__file__).parents[2]
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def path_of_readme() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"(?s)<!-- the newcomer's path -->\n```\n(.*?)```", text)
    assert found is not None
    return found[1].splitlines()


def test_six_commands_lead_from_two_folders_to_answers_without_torch(
    acclimate: Command, pictures: dict[str, Path], tmp_path: Path
) -> None:
    install, *typed, alone = path_of_readme()
    assert len(typed) == 4
    (extra,) = re.fullmatch(r"pip install '\.\[(\w+)\]'", install).groups()  # type: ignore[union-attr]
    assert extra in SETUP["optional-dependencies"]
    for name, side in (("labelled", "source"), ("photos", "target")):
        shutil.copytree(pictures[side], tmp_path / name)
    for command in typed:
        name, *words = shlex.split(command)
        assert name == "acclimate"
        said = acclimate(*words)
        assert said.code == 0, (command, said.err)
    python, program, *data = shlex.split(alone)
    assert (python, program) == ("python", "model/predict.py")
    same_answers(answers_alone(Path("model"), *data), Path("answers.csv"))
    assert len(pl.read_csv("answers.csv")) == 60


def test_the_doctor_tells_what_is_here(acclimate: Command) -> None:
    said = acclimate("doctor", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert {"python", "torch", "device", "free_memory_bytes", "data_sets", "extras"} <= found.keys()
    assert found["extras"]["export"] is True
    assert found["data_sets"] == []
    assert "GB" in acclimate("doctor").out


def test_the_doctor_knows_every_extra_that_a_user_may_install() -> None:
    own = {name for name in SETUP["optional-dependencies"] if name not in ("dev", "docs", "hub")}
    assert own == set(EXTRAS)
    for name, (packages, _) in EXTRAS.items():
        listed = {re.split(r"[>=\[]", one)[0] for one in SETUP["optional-dependencies"][name]}
        assert listed == set(packages), name
