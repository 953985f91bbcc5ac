"""`acclimate compare`: several methods, several seeds, one table."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.console import duration, err, finite, out, percent, print_json, table
from acclimate.cli.recipe import make_comparisons
from acclimate.cli.request import read_config
from acclimate.errors import AbsentError, RequestError, UnknownNameError

if TYPE_CHECKING:
    from acclimate.reports.compare import ComparisonRow
    from acclimate.training.comparison import Comparison, Row


def compare(
    task: Annotated[
        str | None, typer.Option(help="Public tasks, separated by commas; see `acclimate tasks`.")
    ] = None,
    methods: Annotated[str | None, typer.Option(help="Method names, separated by commas.")] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Runs of each method, with seeds 0, 1, …; rows of a recipe that ask for fewer keep to it. [5]", min=1
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML recipe: task, methods and their options.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any option, as name=value, for every row.")] = None,
    output: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of run folders. [runs/<task>]")] = None,
    results: Annotated[Path | None, typer.Option(help="Also write <results>/<task>/<method>.json.")] = None,
    jobs: Annotated[int, typer.Option(help="Runs at a time; each gets its share of the cores.", min=1)] = 1,
    backend: Annotated[str, typer.Option(help="Where runs go: loky (this machine), ray or dask.")] = "loky",
    cluster: Annotated[
        str | None, typer.Option(help="Address of an existing Ray or Dask cluster. [one of this machine's own]")
    ] = None,
    skip_absent: Annotated[
        bool, typer.Option("--skip-absent", help="Pass over tasks whose data are not on this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Compare methods on public tasks over several seeds. What is finished is kept; run it again to go on."""
    if "WORLD_SIZE" in os.environ and os.environ["WORLD_SIZE"] != "1":
        fix = "Start it without a launcher, with --jobs or --backend."
        raise RequestError("compare", "must be started once", f"{os.environ['WORLD_SIZE']} processes", fix)
    place = _place(backend, cluster)
    if config is not None and results is not None and set_:
        from acclimate.runs.options import in_brief

        fix = "Copy the recipe, give the copy an id of its own, and change it there."
        raise RequestError("--set", "must not change a recipe whose results are written", in_brief(set_), fix)
    wanted = make_comparisons(read_config(config), _names(task), _names(methods), seeds, set_ or [])
    command = shlex.join(["acclimate", *sys.argv[1:]])
    tables = {}
    for comparison in wanted:
        folder = (output or Path("runs")) / comparison.id if output is None or len(wanted) > 1 else output
        try:
            rows = _run(comparison, folder, place, results=results, jobs=jobs, command=command, quiet=as_json)
        except AbsentError as error:
            if not skip_absent:
                raise
            err.print(f"{comparison.id} is passed over: {error}", markup=False, soft_wrap=True)
            continue
        tables[comparison.id] = rows
        if not as_json:
            _print(comparison, rows, folder)
    if as_json:
        print_json(
            {
                name: [asdict(row) | {"mean": row.mean, "ci95": finite(row.ci95)} for row in rows]
                for name, rows in tables.items()
            }
        )


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _place(backend: str, address: str | None) -> dict[str, Any]:
    """Where cells run, in the words of `compare`."""
    from acclimate.training.cluster import BACKENDS

    if backend not in BACKENDS:
        raise UnknownNameError("backend", backend, BACKENDS)
    return {"backend": backend, "address": address}


def _run(
    comparison: Comparison, folder: Path, place: dict[str, Any], *, quiet: bool, **options: Any
) -> list[ComparisonRow]:
    """Run what is missing of one comparison, saying each score as it is known."""
    from acclimate.training import cells
    from acclimate.training.comparison import label_series

    scores: dict[str, dict[int, float]] = {row.name: {} for row in comparison.rows}
    try:
        for row, seed, score in cells.compare(comparison, folder, **place, **options):
            scores[row.name][seed] = score
            if not quiet:
                err.print(f"{comparison.id}  {row.name}  seed {seed}: {percent(score)}", markup=False)
    except KeyboardInterrupt:
        err.print("Stopped. What is finished is kept; give the same command again to go on.")
        raise typer.Exit(130) from None
    series = label_series(comparison)
    return [_row(row, scores[row.name], folder, series.get(row.name, "")) for row in comparison.rows]


def _row(row: Row, scores: dict[int, float], folder: Path, series: str) -> ComparisonRow:
    from acclimate.reports.compare import ComparisonRow
    from acclimate.runs.record import Run
    from acclimate.training.comparison import cell_folder

    runs = [Run(cell_folder(folder, row, seed)) for seed in scores]
    seconds = [(run.summary or {})["wall_s"] for run in runs]
    task, known = runs[0].config["task"], row.published
    return ComparisonRow(
        row.name,
        tuple(scores[seed] for seed in sorted(scores)),
        sum(seconds) / len(seconds),
        known.value if known else None,
        known.source if known else "",
        series,
        task["labelled_target"] / task["num_classes"],
    )


def _print(comparison: Comparison, rows: list[ComparisonRow], folder: Path) -> None:
    from acclimate.reports.compare import write_comparison

    title = f"{comparison.id}: {comparison.protocol or 'comparison'}"
    page = write_comparison(rows, folder / "comparison.html", title)
    shown = table(
        "method", "target accuracy", "seeds", "published", "each took", numbers=("seeds", "published", "each took")
    )
    for row in rows:
        interval = f" ± {100 * row.ci95:.1f}" if len(row.accuracies) > 1 else ""
        shown.add_row(
            row.title,
            percent(row.mean) + interval,
            str(len(row.accuracies)),
            percent(row.published),
            duration(row.wall_s),
        )
    out.print(f"\n{comparison.id}", markup=False, style="bold")
    out.print(shown)
    out.print(f"\nLast step's weights; mean ± 95 % interval over seeds. Page: {page}", soft_wrap=True, markup=False)
