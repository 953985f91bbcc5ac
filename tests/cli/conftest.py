"""The command as a user types it, and small data of the user's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main

from acclimate.data.domain import Domain
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from commands import Command, Said, write_pictures, write_table


@pytest.fixture(scope="session", autouse=True)
def _parser_made_once() -> Iterator[None]:
    """Typer makes all commands anew for each one typed, as a process types but one; most take less than that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def acclimate(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Type a command in an empty folder; wide output, so that sentences are not wrapped."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def type_command(*words: str | Path) -> Said:
        from acclimate.cli import console
        from acclimate.cli.main import main

        monkeypatch.setattr(sys, "argv", ["acclimate", *map(str, words)])
        for stream in (console.out, console.err):
            monkeypatch.setattr(stream, "_width", 200)
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return type_command


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders: a labelled source, an unlabelled target, a labelled test."""
    task, base = dimmed_bars(60), tmp_path_factory.mktemp("pictures")
    hidden = Domain(task.target_test.inputs, task.hidden.target_test, task.source.classes, "test")
    return {
        "source": write_pictures(task.source, base / "labelled", labelled=True),
        "target": write_pictures(
            Domain(task.target.inputs, task.hidden.target, task.source.classes), base / "photos", labelled=False
        ),
        "test": write_pictures(hidden, base / "test", labelled=True),
    }


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """CSV files: a labelled source, an unlabelled target, a labelled test."""
    task, base = shifted_blobs(120, shift=1.0), tmp_path_factory.mktemp("tables")
    return {
        "source": write_table(task.source, base / "source.csv", task.source.labels),
        "target": write_table(
            Domain(task.target.inputs, task.hidden.target, task.source.classes), base / "target.csv", None
        ),
        "test": write_table(
            Domain(task.target_test.inputs, task.hidden.target_test, task.source.classes),
            base / "test.csv",
            task.hidden.target_test,
        ),
    }
