"""`acclimate predict` of tables that are large, or lie in several files: read, answered and written part by part."""

from __future__ import annotations

import re
import shlex
import sys
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from acclimate.cli.console import err
from acclimate.cli.estimated import estimate_of_new

if TYPE_CHECKING:
    from acclimate.data.readers.cell_parts import CellParts
    from acclimate.running.answering import Answered
    from acclimate.runs.record import Run
    from acclimate.training.fitted import Fitted

# Tables of fewer bytes are read whole: it takes less time, and little memory.
LARGE = 2**24
_ESTIMATED = 10_000  # rows by which is estimated how many answers are right, as of tables that are read whole


def name_of(data: str) -> str:
    """What to call answers to data: by the file, or the folder; of a pattern, by what is no pattern in it."""
    path = Path(data)
    if path.exists() or not has_magic(data):
        return path.stem
    bare = re.sub(r"[*?]+|\[.*?\]", "", path.stem).strip("-_. ")
    return bare or re.sub(r"[*?\[\]]", "", path.parent.name) or "data"


def parts_of(run: Run, data: str, delimiter: str | None, quoting: str | None, *, texts: bool) -> CellParts | None:
    """The user's table in parts; None if it is no table of features for this run, or a small one in one file."""
    from acclimate.data.readers.cell_parts import CellParts, table_files
    from acclimate.data.readers.csvs import Dialect
    from acclimate.data.schema import TableSchema
    from acclimate.problems.reading import reading_of

    files = table_files(data)
    if texts or not files or not isinstance(reading_of(run).like, TableSchema):
        return None
    if len(files) == 1 and (Path(data).expanduser().is_file() and files[0].stat().st_size < LARGE):
        return None
    then = run.config["request"]
    return CellParts(data, files, Dialect(delimiter or then.get("delimiter"), quoting or then.get("quoting", "auto")))


def answer_parts(
    run: Run, fitted: Fitted, parts: CellParts, output: Path, quiet: bool, **asked: Any
) -> tuple[Answered, dict[str, Any]]:
    """Answer a table part by part; and what else there is to tell of it, as `estimate_of_new` does.

    Args:
        run: whose model answers.
        fitted: that model.
        parts: the table.
        output: what to write.
        quiet: show no progress.
        asked: the columns of labels and of ids, as for `survey`.

    Raises:
        typer.Exit: with code 130, after a stop signal; what was answered is kept.
    """
    from acclimate.cli.progress import LiveProgress
    from acclimate.cli.work import stop_signals
    from acclimate.data.readers.survey import survey
    from acclimate.problems.reading import reading_of
    from acclimate.running.answering import answer
    from acclimate.running.parts import some_rows
    from acclimate.training.trainer import Interrupted

    known = reading_of(run)
    table = survey(parts, known.like, bins=known.bins, name="data", **asked)  # type: ignore[arg-type]  # as parts_of has seen
    try:
        with LiveProgress(quiet, unit=("row", "rows")) as progress, stop_signals() as stopped:
            answered = answer(run, fitted, table, output, progress=progress, stopped=stopped)
    except Interrupted as stop:
        again = shlex.join(["acclimate", *sys.argv[1:]])
        said = f"Stopped: {stop.step:,} of {stop.steps:,} rows are answered and kept. Go on with: {again}"
        err.print(said, markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    if (run.summary or {}).get("estimate") is None:
        return answered, {"estimate": None}
    shown = table.taken(some_rows(table.rows, _ESTIMATED))
    return answered, estimate_of_new(run, shown, fitted.outputs(shown, keep_features=False).logits)
