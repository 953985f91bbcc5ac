"""What a terminal is asked where a choice is missing; a pipe, a script and `--json` never are."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import typer

from acclimate.cli.completion import methods
from acclimate.cli.console import err
from acclimate.cli.work import is_main_process
from acclimate.errors import UnknownNameError

# Any of them says already which column, or that there is none.
_SAY_LABELS = ("label_column", "source_label_column", "text_column", "source_text_column", "model", "task")


def is_answered(as_json: bool) -> bool:
    """Whether somebody sits there: questions are read from a terminal and shown on one."""
    return sys.stdin.isatty() and err.is_terminal and not err.quiet and not as_json and is_main_process()


def missing_choices(flags: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for what neither flags nor recipe say: the column of labels of a table, and the method.

    Args:
        flags: of the command, None where they were not given.
        recipe: options of a file.

    Returns:
        The answers by option, none for what takes its default.
    """
    given = {**recipe, **{name: value for name, value in flags.items() if value is not None}}
    answers: dict[str, Any] = {}
    if names := _columns(given):
        err.print(f"Columns of {given['source']}: {', '.join(names)}", markup=False, soft_wrap=True)
        answers["label_column"] = typer.prompt("Which holds the labels?", value_proc=partial(_known, names), err=True)
    if not recipe and not {"method", "model", "task"} & given.keys() and {"source", "target"} <= given.keys():
        said = "Method (Enter for the usual one; acclimate methods lists them)"
        wanted = typer.prompt(said, "", value_proc=partial(_known, ["", *methods()]), show_default=False, err=True)
        answers |= {"method": wanted} if wanted else {}
    return answers


def _known(names: list[str], answer: str) -> str:
    """The answer, if it is one of the names; otherwise it is asked again."""
    if answer in names:
        return answer
    raise typer.BadParameter(str(UnknownNameError("the answer", answer, [name for name in names if name])))


def _columns(given: Mapping[str, Any]) -> list[str]:
    """Those of the source, where it is a table whose labels nothing names."""
    source = given.get("source")
    source = source[0] if isinstance(source, list) else source
    if source is None or any(given.get(name) is not None for name in _SAY_LABELS):
        return []
    from acclimate.data.readers.cells import SUFFIXES, column_names
    from acclimate.data.readers.csvs import Dialect

    path = Path(str(source)).expanduser()
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return []  # what is not there is told with its sentence
    return column_names(path, Dialect(given.get("delimiter"), given.get("quoting") or "auto"))
