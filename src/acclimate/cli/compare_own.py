"""`acclimate compare --source … --target …`: methods compared on files of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from acclimate.cli.console import duration, err, finite, out, percent, print_json, print_notes, table
from acclimate.errors import WorkError

if TYPE_CHECKING:
    from acclimate.data.task import Task
    from acclimate.reports.own_table import MethodFacts, OwnTable
    from acclimate.running.comparison import Comparison, Row
    from acclimate.running.cost import Cost
    from acclimate.running.own_comparison import OwnComparison
    from acclimate.runs.record import Run
    from acclimate.runs.request import Request
    from acclimate.training.plan import Plan

T = TypeVar("T")


@dataclass(frozen=True)
class OwnRequest:
    """What is asked for: rows, or none for all methods that fit; what makes a method's row; how many seeds."""

    rows: list[Row]
    make: Callable[[str], Row]
    seeds: int


def compare_own(asked: OwnRequest, output: Path | None, work: Mapping[str, Any], as_json: bool) -> None:
    """Run what is missing, write the page and print the table.

    Args:
        asked: what to compare.
        output: folder of the runs; by default named after both sides.
        work: how cells run, in the words of `training.cells.compare`.
        as_json: print the table as JSON.

    Raises:
        RequestError: if no method fits, one that was named does not, or the folder has runs on other data.
        typer.Exit: with code 130 when stopped, 1 if a run failed.
    """
    from acclimate.running.data_state import check_same_data
    from acclimate.running.own_comparison import check_fit

    if not as_json:
        err.print("Reading the data and trying each method on them …")
    own = _prepared(asked, check_fit)
    comparison = own.comparison(asked.seeds)
    folder = output or Path("runs") / comparison.id
    check_same_data(folder, own.tasks)
    if not as_json:
        _announce(own, comparison, folder)
    failed = _run(comparison, folder, work, quiet=as_json)
    _finish(own, comparison, folder, failed, as_json)
    if failed:
        raise typer.Exit(1)


def print_costs(asked: OwnRequest, as_json: bool) -> None:
    """Print what would be compared, and what it would cost; nothing is trained.

    Raises:
        RequestError: as for `compare_own`.
    """
    from acclimate.running.cost import plan_and_cost

    err.print("Measuring a few steps of each …")
    print_cost_table(_prepared(asked, plan_and_cost), asked.seeds, as_json)


def print_cost_table(own: OwnComparison[tuple[Plan, Cost]], seeds: int, as_json: bool) -> None:
    """Print what is planned, and what it would cost with so many seeds."""
    seconds = seeds * sum(cost.seconds for _, cost in own.plans.values())
    if as_json:
        costs = {row.name: _cost(*own.plans[row.name]) for row in own.rows}
        print_json({"methods": costs, "seeds": seeds, "seconds": round(seconds), "left_out": own.left_out})
        return
    shown = table("method", "network", "steps", "about", numbers=("steps", "about"))
    for row in own.rows:
        plan, cost = own.plans[row.name]
        shown.add_row(row.name, plan.network, f"{cost.steps:,}", duration(cost.seconds))
    out.print(shown)
    _tell_left_out(own, out.print)
    out.print(
        f"\nAbout {duration(seconds)} in all with {_seeds(seeds)} each, on this machine; what is computed "
        "without steps is not counted. Nothing was trained.",
        soft_wrap=True,
    )


def _cost(plan: Plan, cost: Cost) -> dict[str, Any]:
    return {"network": plan.network, "steps": cost.steps, "seconds": round(cost.seconds)}


def _prepared(asked: OwnRequest, plan: Callable[[Request, Task], T]) -> OwnComparison[T]:
    from acclimate.running.own_comparison import fitting, named

    return named(asked.rows, plan) if asked.rows else fitting(asked.make, plan)


def _seeds(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def _announce(own: OwnComparison[Any], comparison: Comparison, folder: Path) -> None:
    title = comparison.rows[0].request.title
    said = f"{len(comparison.rows)} methods on {title}, {_seeds(comparison.seeds)} each, in {folder}"
    err.print(said, markup=False, soft_wrap=True)
    _tell_left_out(own, err.print)


def _tell_left_out(own: OwnComparison[Any], tell: Callable[..., None]) -> None:
    """Which methods are not compared, by the reason why."""
    reasons: dict[str, list[str]] = {}
    for name, reason in own.left_out.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        tell(f"Not compared ({reason}): {', '.join(names)}", markup=False, soft_wrap=True)


def _run(comparison: Comparison, folder: Path, work: Mapping[str, Any], quiet: bool) -> dict[str, str]:
    """Run what is missing, saying what is done; what failed, and why."""
    from acclimate.running import cells

    failed: dict[str, str] = {}
    done, all_of_them = 0, len(comparison.cells())

    def note(row: Row, seed: int, error: Exception) -> None:
        failed[f"{row.name}, seed {seed}"] = str(error)
        err.print(f"{row.name}  seed {seed}: failed. {error}", markup=False, soft_wrap=True)

    try:
        for row, seed, score in cells.compare(comparison, folder, failed=note, **work):
            done += 1
            if not quiet:
                said = "done" if score is None else percent(score)
                err.print(f"{row.name}  seed {seed}: {said}  ({done} of {all_of_them})", markup=False)
    except KeyboardInterrupt:
        err.print("Stopped. What is finished is kept; give the same command again to go on.")
        raise typer.Exit(130) from None
    return failed


def _finish(
    own: OwnComparison[Any], comparison: Comparison, folder: Path, failed: Mapping[str, str], as_json: bool
) -> None:
    """Write the page and print the table."""
    from acclimate.reports.own_comparison import audit_of, write_own_comparison
    from acclimate.reports.own_table import read_table

    if not (runs := _runs(comparison, folder)):
        raise WorkError(f"No run finished. {' '.join(f'{name}: {why}' for name, why in failed.items())}")
    found = read_table(runs, own.reference)
    notes = found.methods[0].runs[0].config["task"]["notes"]
    title = f"Methods on {comparison.rows[0].request.title}"
    about: dict[str, Any] = {"notes": notes, "left_out": own.left_out, "failed": failed}
    page = write_own_comparison(found, folder / "comparison.html", title, **about)
    if as_json:
        print_json({"folder": str(folder), "page": str(page), **_as_json(found), **about})
        return
    _print(found, notes)
    out.print(f"\nPage: {page}", soft_wrap=True, markup=False)
    if not found.measured:
        out.print(f"Which to take, from forty labels: {audit_of(found)}", soft_wrap=True, markup=False)


def _runs(comparison: Comparison, folder: Path) -> dict[str, dict[int, Run]]:
    """The finished runs, by row and seed."""
    from acclimate.running.comparison import cell_folder
    from acclimate.runs.record import Run

    found: dict[str, dict[int, Run]] = {}
    for row in comparison.rows:
        for seed in range(comparison.seeds):
            place = cell_folder(folder, row, seed)
            if (place / "summary.json").is_file():
                found.setdefault(row.name, {})[seed] = Run(place)
    return found


def _print(found: OwnTable, notes: list[str]) -> None:
    from acclimate.reports.own_comparison import columns, sentences

    for sentence in sentences(found):
        out.print(sentence, markup=False, soft_wrap=True)
    print_notes(notes)
    out.print()
    shown_columns = columns(found)
    shown = table(*shown_columns, numbers=tuple(shown_columns)[1:])
    for cells in zip(*shown_columns.values(), strict=True):
        shown.add_row(*cells)
    out.print(shown)
    for facts in found.methods:
        for finding in facts.findings:
            out.print(f"\n{facts.name}: {finding.text()}", markup=False, soft_wrap=True)


def _as_json(found: OwnTable) -> dict[str, Any]:
    from acclimate.reports.own_comparison import sentences

    names = [facts.name for facts in found.methods]
    shares = {
        one: {other: finite(float(found.shares[i, j])) for j, other in enumerate(names) if j != i}
        for i, one in enumerate(names)
    }
    return {
        "measured": found.measured,
        "sentences": sentences(found),
        "compared_with": found.baseline or None,
        "labels_known": found.known,
        "methods": [_method_as_json(facts, found.score) for facts in found.methods],
        "same_answers": shares,
    }


def _method_as_json(facts: MethodFacts, score: str) -> dict[str, Any]:
    return {
        "method": facts.name,
        "runs": [str(run.folder) for run in facts.runs],
        score.lower().replace(" ", "_").replace("-", "_"): list(facts.scores),
        "mean": facts.mean,
        "ci95": facts.ci95,
        "balanced_accuracy": facts.balanced,
        "gain": facts.gain,
        "answers_changed": facts.changed,
        "same_as_others": facts.alike,
        "same_with_other_seeds": facts.steady,
        "source_accuracy": facts.source,
        "source_held_out": facts.source_held_out,
        "target_labels": facts.labels,
        "findings": [asdict(finding) for finding in facts.findings],
        "wall_s": facts.wall_s,
    }
