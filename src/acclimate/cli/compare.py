"""`acclimate compare`: several methods, several seeds, one table, on public tasks or on the user's own files."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.adapt import adapt
from acclimate.cli.auto import OPTIONS as OF_A_CHOICE
from acclimate.cli.compare_own import OwnRequest, compare_own, print_costs
from acclimate.cli.console import duration, err, finite, out, percent, print_json, table
from acclimate.cli.options import with_options_of
from acclimate.cli.recipe import make_comparisons, own_rows
from acclimate.cli.request import check_length, read_config
from acclimate.errors import AbsentError, RequestError, UnknownNameError

if TYPE_CHECKING:
    from acclimate.reports.compare import ComparisonRow
    from acclimate.running.comparison import Comparison, Row
    from acclimate.runs.record import Run

# Options of adapt that compare states in its own way, or that say what becomes of one run.
_OF_ONE_RUN = (
    *("task", "model", "method", "preset", "seed", "baseline", "config", "set_", "output", "dry_run", "as_json"),
)


@with_options_of(adapt, without=(*_OF_ONE_RUN, *OF_A_CHOICE))
def compare(
    flags: Mapping[str, Any],
    task: Annotated[
        str | None, typer.Option(help="Public tasks instead, separated by commas; see `acclimate tasks`.")
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Method names, separated by commas. [on files of your own, all that fit them]"),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Runs of each method, with seeds 0, 1, …; rows of a recipe that ask for fewer keep to it. [5; 1 on "
            "files of your own]",
            min=1,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML recipe: task or source and target, methods and their options.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any option, as name=value, for every row.")] = None,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of run folders. [runs/<task> or <source>-<target>]")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Public tasks: also write <results>/<task>/<method>.json.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Runs at a time; each gets its share of the cores.", min=1)] = 1,
    backend: Annotated[str, typer.Option(help="Where runs go: loky (this machine), ray or dask.")] = "loky",
    cluster: Annotated[
        str | None, typer.Option(help="Address of an existing Ray or Dask cluster. [one of this machine's own]")
    ] = None,
    skip_absent: Annotated[
        bool, typer.Option("--skip-absent", help="Pass over tasks whose data are not on this machine.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Files of your own: print what would run and its cost; train nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Compare methods over several seeds, on files of your own or on public tasks.

    On your own, all methods that fit the input and its labels are compared with the source alone, which is trained
    once; where no target label is known, the table says what it cannot rank. What is finished is kept: give the same
    command again to go on.
    """
    _check_started_once()
    place, recipe, named = _place(backend, cluster), read_config(config), _names(methods)
    check_length(flags)
    if any(flags.get(side) or recipe.get(side) for side in ("source", "target")):
        _check_own(task or recipe.get("task"), results)
        asked = OwnRequest(*own_rows(recipe, named, flags, set_ or []), seeds or recipe.get("seeds", 1))
        if dry_run:
            print_costs(asked, as_json)
        else:
            compare_own(asked, output, place | {"jobs": jobs}, as_json)
        return
    _check_public(config, results, dry_run, set_ or [], flags)
    wanted = make_comparisons(recipe, _names(task), named, seeds, set_ or [], flags)
    around = {"results": results, "jobs": jobs, "command": shlex.join(["acclimate", *sys.argv[1:]])}
    _compare_on_tasks(wanted, output, place | around, skip_absent, as_json)


def _compare_on_tasks(
    wanted: list[Comparison], output: Path | None, work: dict[str, Any], skip_absent: bool, as_json: bool
) -> None:
    tables = {}
    for comparison in wanted:
        folder = (output or Path("runs")) / comparison.id if output is None or len(wanted) > 1 else output
        try:
            rows = _run(comparison, folder, quiet=as_json, **work)
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


def _check_started_once() -> None:
    if "WORLD_SIZE" in os.environ and os.environ["WORLD_SIZE"] != "1":
        fix = "Start it without a launcher, with --jobs or --backend."
        raise RequestError("compare", "must be started once", f"{os.environ['WORLD_SIZE']} processes", fix)


def _check_own(task: object, results: Path | None) -> None:
    """Refuse, on files of the user's own, what belongs to public tasks."""
    if task:
        raise RequestError("task", "must stand alone", "a task and paths", "Leave out --source and --target.")
    if results is not None:
        fix = "Leave it out; --json prints the table."
        raise RequestError("results", "must be given with public tasks only", repr(str(results)), fix)


def _check_public(
    config: Path | None, results: Path | None, dry_run: bool, settings: list[str], flags: Mapping[str, Any]
) -> None:
    """Refuse, on public tasks, what belongs to files of the user's own, and results of a recipe that was changed."""
    from acclimate.runs.options import in_brief

    given = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items() if value is not None]
    if dry_run:
        fix = "Give --source and --target, or see the cost of one: acclimate adapt --task … --dry-run"
        raise RequestError("dry_run", "must be given with files of your own only", "public tasks", fix)
    if config is not None and results is not None and (settings or given):
        what, got = ("--set", settings) if settings else (given[0].partition("=")[0], given)
        fix = "Copy the recipe, give the copy an id of its own, and change it there."
        raise RequestError(what, "must not change a recipe whose results are written", in_brief(got), fix)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _place(backend: str, address: str | None) -> dict[str, Any]:
    """Where cells run, in the words of `compare`."""
    from acclimate.running.cluster import BACKENDS

    if backend not in BACKENDS:
        raise UnknownNameError("backend", backend, BACKENDS)
    return {"backend": backend, "address": address}


def _run(comparison: Comparison, folder: Path, *, quiet: bool, **options: Any) -> list[ComparisonRow]:
    """Run what is missing of one comparison, saying each score as it is known."""
    from acclimate.running import cells
    from acclimate.running.comparison import label_series

    scores: dict[str, dict[int, float]] = {row.name: {} for row in comparison.rows}
    try:
        for row, seed, score in cells.compare(comparison, folder, **options):
            assert score is not None, "public targets have labels"
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
    from acclimate.running.comparison import cell_folder
    from acclimate.runs.record import Run

    runs = {seed: Run(cell_folder(folder, row, seed)) for seed in scores}
    seconds = [(run.summary or {})["wall_s"] for run in runs.values()]
    task, known = next(iter(runs.values())).config["task"], row.published
    return ComparisonRow(
        row.name,
        tuple(scores[seed] for seed in sorted(scores)),
        sum(seconds) / len(seconds),
        known.value if known else None,
        known.source if known else "",
        series,
        task["labelled_target"] / task["num_classes"],
        _balanced([runs[seed] for seed in sorted(runs)]),
        _scored(next(iter(runs.values()))),
    )


def _scored(run: Run) -> str:
    from acclimate.runs.scores import in_words, scored_by

    return in_words(scored_by((run.summary or {}).get("scores", {})))


def _balanced(runs: Sequence[Run]) -> tuple[float, ...]:
    """Mean recall of the target's classes for each run, where these differ in size; empty where a run has none."""
    from acclimate.reports.answers import read_answers
    from acclimate.reports.by_class import is_uneven
    from acclimate.runs.scores import balanced

    found = [balanced((run.summary or {}).get("scores", {})) for run in runs]
    known = tuple(share for share in found if share is not None)
    return known if len(known) == len(runs) and is_uneven(read_answers(runs[0])) else ()


def _print(comparison: Comparison, rows: list[ComparisonRow], folder: Path) -> None:
    from acclimate.reports.compare import write_comparison

    title = f"{comparison.id}: {comparison.protocol or 'comparison'}"
    page = write_comparison(rows, folder / "comparison.html", title)
    alike = ["balanced accuracy"] if any(row.balanced for row in rows) else []
    last = ("seeds", "published", "each took")
    shown = table("method", rows[0].scored, *alike, *last, numbers=(*alike, *last))
    for row in rows:
        interval = f" ± {100 * row.ci95:.1f}" if len(row.accuracies) > 1 else ""
        mean_recall = percent(sum(row.balanced) / len(row.balanced)) if row.balanced else "–"
        shown.add_row(
            row.title,
            percent(row.mean) + interval,
            *[mean_recall for _ in alike],
            str(len(row.accuracies)),
            percent(row.published),
            duration(row.wall_s),
        )
    out.print(f"\n{comparison.id}", markup=False, style="bold")
    out.print(shown)
    out.print(f"\nLast step's weights; mean ± 95 % interval over seeds. Page: {page}", soft_wrap=True, markup=False)
