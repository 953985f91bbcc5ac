"""`acclimate benchmark`: an exported model beside its run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acclimate.cli.console import out as console
from acclimate.cli.console import percent, print_json, table
from acclimate.cli.use import JsonFlag, check_run, read_like


def benchmark(
    folder: Annotated[Path, typer.Argument(help="Folder that acclimate export wrote.")],
    run: Annotated[Path, typer.Option("--run", help="Folder of the run that it comes from.")],
    data: Annotated[
        str | None, typer.Option(help="Target examples to answer, labelled or not. [the run's own]")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Weigh, score and time an exported model, each form of it beside the run itself.

    Times are of examples that have been read, so that they compare models and not disks.
    """
    check_run(run)
    from acclimate.export.benchmark import benchmark as measure
    from acclimate.runs.record import Run

    rows = measure(folder, run, None if data is None else read_like(Run(run), data))
    if as_json:
        print_json([row.as_dict() for row in rows])
        return
    numbers = ("MB", "right", "as the run", "ms alone", "ms of 64")
    shown = table("form", *numbers, numbers=numbers)
    for row in rows:
        right = "no label" if row.accuracy is None else percent(row.accuracy)
        times = f"{row.ms_alone:.2f}", f"{row.ms_together:.3f}"
        shown.add_row(row.form, f"{row.bytes / 1e6:.2f}", right, percent(row.agreement), *times)
    console.print(shown)
    console.print(f"{rows[0].examples:,} examples; times are medians on this machine.", markup=False)
