"""`acclimate choose`: which of several finished runs to use, where no target label is known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acclimate.cli.console import err, out, print_json, print_notes
from acclimate.cli.finished import print_choice
from acclimate.cli.use import JsonFlag, check_run

if TYPE_CHECKING:
    from acclimate.runs.chosen import Chosen


def choose(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of finished runs on the same data, two seeds of each at best.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Say which of several finished runs to use, by what they show without a target label.

    What does not adapt is among them, or lies beside one of them; it is taken where evidence is weak. Nothing is
    written. For a sharp figure, forty labels: acclimate audit.
    """
    for folder in runs:
        check_run(folder)
    from acclimate.running.choosing import chosen_of, contenders_of
    from acclimate.runs.record import Run

    if not as_json:
        err.print("Looking at what the runs show …")
    contenders, baseline = contenders_of([Run(folder) for folder in runs])
    chosen = chosen_of(contenders, baseline)
    if as_json:
        print_json(chosen.model_dump(mode="json"))
        return
    print_choice(chosen)
    if single := [one.name for one in chosen.candidates if len(one.runs) == 1]:
        luck = "so that luck in its answers cannot be told: add --seed 1."
        print_notes([f"one seed only of {', '.join(single)}, {luck}"])
    for sentence in _advice(chosen):
        out.print(sentence, markup=False, soft_wrap=True)


def _advice(chosen: Chosen) -> Iterator[str]:
    """What to do next."""
    others = [one.runs[0] for one in chosen.candidates if one.name not in (chosen.name, chosen.baseline)]
    yield f"\nRun: {chosen.run}"
    yield f"To use it: {shlex.join(['acclimate', 'predict', chosen.run])} NEW"
    yield f"To be surer, by forty labels: {shlex.join(['acclimate', 'audit', chosen.run, *others])}"
