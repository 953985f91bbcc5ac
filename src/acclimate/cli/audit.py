"""`acclimate audit`: a few target labels, and how often a run is right."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acclimate.cli.console import out, print_json, table
from acclimate.cli.paths import check_parent
from acclimate.errors import RequestError

if TYPE_CHECKING:
    from acclimate.runs.audits import Asked, Found
    from acclimate.runs.record import Run


def audit(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs on the same target.")],
    items: Annotated[
        int | None,
        typer.Option(help="How many target examples to label; four times as many halve the interval. [40]"),
    ] = None,
    answers: Annotated[Path | None, typer.Option(help="The CSV with its labels filled in.")] = None,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write the CSV. [<run>/audits/<code>/to_label.csv]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draw: another one asks about other examples. [0]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Learn from few labels how often a model is right, and which of several to take.

    Writes a CSV of target examples to label, then reads it back: accuracy with a 95 % interval that holds whatever
    the model is like. Labels that are known already play no part, and those that are given train nothing.

    acclimate audit runs/mine --out to_label.csv

    acclimate audit runs/mine --answers to_label.csv
    """
    from acclimate.runs.record import Run

    _check(runs, answers, items=items, out=output, seed=seed)
    records = [Run(folder) for folder in runs]
    if answers is None:
        _ask(records, 40 if items is None else items, seed or 0, output, as_json)
    else:
        _answer(records, answers, as_json)


def _check(runs: list[Path], answers: Path | None, **of_asking: object) -> None:
    """Refuse what cannot be meant, before anything is read."""
    if twice := [str(run) for run in runs if [r.resolve() for r in runs].count(run.resolve()) > 1]:
        raise RequestError("runs", "must each be given once", ", ".join(twice), "Leave the second one out.")
    given = [name for name, value in of_asking.items() if value is not None]
    if answers is not None and given:
        fix = "Which examples were asked about stands in the run's folder."
        raise RequestError(given[0], "must not be given beside --answers", f"{of_asking[given[0]]}", fix)
    path = of_asking["out"]
    if isinstance(path, Path):
        if path.suffix != ".csv":
            raise RequestError("out", "must end in .csv", repr(str(path)), "For example: --out to_label.csv")
        if path.exists():
            raise RequestError("out", "must not exist yet", repr(str(path)), "Remove it or choose another name.")
        check_parent("out", path)


def _ask(runs: list[Run], items: int, seed: int, output: Path | None, as_json: bool) -> None:
    from acclimate.running.auditing import ask
    from acclimate.runs.answer_sheet import write_sheet
    from acclimate.runs.audits import folder_of

    asked = ask(runs, items, seed)
    path = output or folder_of(runs[0], asked.code) / "to_label.csv"
    if path.exists():
        fix = f"Fill it in, or choose another place with --out, or other examples with --seed {seed + 1}."
        raise RequestError("out", "must not exist yet", f"{str(path)!r}, where the same was asked before", fix)
    write_sheet(path, asked)
    again = shlex.join(["acclimate", "audit", *(str(run.folder) for run in runs), "--answers", str(path)])
    if as_json:
        print_json({"out": str(path), "next": again, **asked.model_dump(mode="json")})
        return
    _say_asked(asked, path, again, shlex.join(["acclimate", "serve", str(runs[0].folder), "--audit"]))


def _say_asked(asked: Asked, path: Path, again: str, page: str) -> None:
    def say(text: str) -> None:
        out.print(text, soft_wrap=True, markup=False)

    of = "held-out target examples" if asked.split == "target_test" else "target examples"
    say(f"Wrote {len(asked.items):,} of {asked.examples:,} {of} to {path}.")
    say("Fill in the column “label” with one of the classes in the column “one of”, for every line. What the model")
    say("answered is not shown: whoever sees it tends to agree. Then:")
    say(f"  {again}")
    if asked.items[0].kind in ("file", "text"):
        say(f"Or label them in the browser, by keyboard: {page}")


def _answer(runs: list[Run], path: Path, as_json: bool) -> None:
    from acclimate.reports.audited import choice, headline
    from acclimate.reports.page import write_report
    from acclimate.runs.audited import answer

    found = answer(runs, path)
    reports = [str(write_report(run)) for run in runs]
    if as_json:
        rows = [one.model_dump(mode="json") for one in found]
        pairs = zip(runs, reports, rows, strict=True)
        print_json({"runs": [{"run": str(run.folder), "report": at, **row} for run, at, row in pairs]})
        return
    if len(found) == 1:
        out.print(headline(found[0]), markup=False, soft_wrap=True)
    if len(found) > 1 or found[0].before is not None:
        _print_table(found)
        out.print(choice(found[0]), markup=False, soft_wrap=True)
    for at in reports:
        out.print(f"Report: {at}", soft_wrap=True, markup=False)


def _print_table(found: list[Found]) -> None:
    """Accuracy of each model by the audit, and its gain over the first."""
    from acclimate.reports.audited import ends, points_of

    first = found[0].first
    accuracies = {one.model: one.accuracy for one in found}
    before = next((one.before for one in found if one.before), None)
    if before is not None:
        accuracies = {first: before, **accuracies}
    gains = {one.model: one.gain for one in found}
    rows = table("model", "accuracy about", f"above {first}", numbers=("accuracy about",))
    for model, accuracy in accuracies.items():
        gain = gains.get(model)
        rows.add_row(model, ends(accuracy), points_of(gain) if gain else "–")
    out.print(rows)
