"""Questions on a terminal, and none elsewhere; completion, `--quiet`, and `--json` at every command."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from acclimate.cli import adapt, asking
from acclimate.runs.record import Run
from commands import Command

SIDES = ("--source", "a.csv", "--target", "b.csv")
QUICK = ("--steps", "2", "--no-baseline", "--out", "run")


@pytest.fixture
def sides(acclimate: Command, tables: dict[str, Path]) -> Command:
    """Tables where commands are typed."""
    for name, side in (("a.csv", "source"), ("b.csv", "target")):
        Path(name).write_bytes(tables[side].read_bytes())
    return acclimate


@pytest.fixture
def answered(sides: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same, on a terminal."""
    monkeypatch.setattr(adapt, "is_answered", lambda as_json: not as_json)
    return sides


def test_a_terminal_is_asked_for_labels_and_method(answered: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("colour\nkind\ncoral\n"))
    said = answered("adapt", *SIDES, *QUICK)
    assert said.code == 0, said.err
    assert "Columns of a.csv: x, y, kind" in said.err
    assert "must be a known name; got 'colour'" in said.err
    config = Run("run").config
    assert (config["method"]["name"], config["request"]["label_column"]) == ("coral", "kind")


def test_what_is_said_is_not_asked(answered: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    said = answered("adapt", *SIDES, "--label-column", "kind", "-m", "dann", *QUICK)
    assert said.code == 0, said.err
    assert "Which" not in said.err + said.out


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        ({"source": "a.csv", "target": "b.csv"}, {"label_column", "method"}),
        ({"source": "a.csv", "target": "b.csv", "method": "mcd"}, {"label_column"}),
        ({"source": "a.csv", "target": "b.csv", "label_column": "kind"}, {"method"}),
        ({"source": "a.csv", "target": "b.csv", "text_column": "x"}, {"method"}),
        ({"source": "none.csv", "target": "b.csv"}, {"method"}),
        ({"source": "a.csv"}, {"label_column"}),
        ({"model": "run", "target": "b.csv"}, set()),
        ({"task": "demo"}, set()),
    ],
)
def test_only_what_is_missing_is_asked(
    sides: Command, monkeypatch: pytest.MonkeyPatch, flags: dict[str, str], asked: set[str]
) -> None:
    monkeypatch.setattr(typer, "prompt", lambda said, *_, **__: "kind" if "labels" in said else "dann")
    assert asking.missing_choices(flags, {}).keys() == asked


def test_enter_takes_the_usual_method(sides: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert asking.missing_choices({"source": "labelled/", "target": "photos/"}, {}) == {}


def test_a_pipe_is_never_asked(sides: Command) -> None:
    said = sides("adapt", *SIDES, "-m", "dann", *QUICK)
    assert said.code == 2
    assert "Which holds the labels?" not in said.err + said.out
    assert "label" in said.err


def test_a_real_terminal_is_told_from_a_pipe(sides: Command, tmp_path: Path) -> None:
    program = "from acclimate.cli.asking import is_answered; print(is_answered(False), is_answered(True))"
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", program], stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True
    )
    piped = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, stderr=theirs, stdout=subprocess.PIPE, text=True
    )
    os.close(ours)
    os.close(theirs)
    assert (done.stdout, piped.stdout) == ("True False\n", "False False\n")


def test_quiet_leaves_results_and_errors(sides: Command) -> None:
    said = sides("--quiet", "adapt", *SIDES, "--label-column", "kind", "-m", "dann", *QUICK)
    assert (said.code, said.err) == (0, "")
    assert "Report: run/report.html" in said.out
    assert "Note:" not in said.out
    assert "set aside to test on" in (Path("run") / "config.json").read_text()
    for name in ("a.csv", "b.csv"):
        head, *rows = Path(name).read_text().splitlines()
        dated = [f"{row},2024-01-{1 + i % 28:02}" for i, row in enumerate(rows)]
        Path(f"dated-{name}").write_text("\n".join([f"{head},visit", *dated]))
    asked = ("diagnose", "dated-a.csv", "dated-b.csv", "--label-column", "kind")
    assert "Note: source: column 'visit' holds dates" in sides(*asked).out
    said = sides("--quiet", *asked)
    assert (said.code, said.err) == (0, "")
    assert "Next:" in said.out
    assert "Note:" not in said.out
    said = sides("--quiet", "adapt", *SIDES, "--label-column", "kind", *QUICK)
    assert said.code == 2
    assert said.err.startswith("Error: out")
    assert sides("predict", "run", "b.csv", "--json").code == 0


def test_the_shell_is_offered_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(words: str) -> list[str]:
        surroundings = {
            "_ACCLIMATE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        command = [sys.executable, "-m", "acclimate"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **surroundings})
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert offered("acclimate exp") == ["export"]
    assert {"mcc", "mcd"} <= set(offered("acclimate adapt --method mc"))
    assert offered("acclimate data info us") == ["usps"]


def test_every_command_but_the_server_prints_json() -> None:
    from acclimate.cli.main import app

    def without(group: object, before: str = "") -> list[str]:
        found = []
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            if hasattr(command, "commands"):
                found += without(command, f"{name} ")
            elif not any("--json" in parameter.opts for parameter in command.params):
                found.append(before + name)
        return found

    assert without(typer.main.get_command(app)) == ["serve"]


@pytest.mark.usefixtures("demo_made")
def test_data_commands_print_json(acclimate: Command, tmp_path: Path) -> None:
    said = acclimate("data", "export", "digits", "pictures", "--split", "test", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out) == {"name": "digits", "pictures": 360, "folder": "pictures"}
    (tmp_path / "packs").mkdir()
    said = acclimate("data", "import", "packs", "--json")
    assert said.code in (0, 2), said.err
